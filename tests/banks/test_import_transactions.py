"""The command that imports a source for one bank or splits it among several."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from banks.models import Transaction
from consortium.accounts.tenancy import bank_scope

pytestmark = pytest.mark.django_db

COLUMNS = {"id": "id", "time": "time", "account": "account", "amount": "amount"}
DATA = """id,time,account,amount,owner
1,2024-05-31T14:05:00,7,1.50,sakura
2,2024-05-31T14:06:00,8,2.50,fuji
3,2024-05-31T14:07:00,7,3.50,sakura
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "mapping.json").write_text(json.dumps({"columns": COLUMNS, "zone": "UTC"}))
    (tmp_path / "banks.csv").write_text("account,bank\n7,sakura\n8,fuji\n9,nobody\n")
    return tmp_path


def run(files, *options: str) -> str:
    out = io.StringIO()
    mapping = str(files / "mapping.json")
    call_command(
        "import_transactions", "--mapping", mapping, *options, str(files / "data.csv"), stdout=out
    )
    return out.getvalue()


def ids(bank) -> set[str]:
    with bank_scope(bank.pk):
        return set(Transaction.objects.values_list("external_id", flat=True))


def test_all_rows_can_be_one_banks(files, bank):
    assert "3 imported" in run(files, "--bank", "sakura")
    assert ids(bank) == {"1", "2", "3"}


def test_a_banks_file_splits_the_rows_by_account(files, bank, other_bank):
    run(files, "--banks", str(files / "banks.csv"))
    assert (ids(bank), ids(other_bank)) == ({"1", "3"}, {"2"})


def test_a_bank_column_splits_the_rows(files, bank, other_bank):
    mapping = {"columns": COLUMNS | {"bank": "owner"}, "zone": "UTC"}
    (files / "mapping.json").write_text(json.dumps(mapping))
    run(files)
    assert (ids(bank), ids(other_bank)) == ({"1", "3"}, {"2"})


def test_an_account_of_no_bank_stops_everything(files, bank, other_bank):
    (files / "banks.csv").write_text("account,bank\n7,sakura\n")
    with pytest.raises(CommandError, match="1 accounts are in no bank of the banks file: 8"):
        run(files, "--banks", str(files / "banks.csv"))
    assert ids(bank) == set()


def test_an_account_of_two_banks_is_refused(files, bank, other_bank):
    (files / "banks.csv").write_text("account,bank\n7,sakura\n7,fuji\n")
    with pytest.raises(CommandError, match="account 7 to two banks"):
        run(files, "--banks", str(files / "banks.csv"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [(["--bank", "nobody"], "There is no bank 'nobody'"), ([], "Say whose rows these are")],
)
def test_it_must_be_clear_whose_rows_these_are(files, bank, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(files, *options)


def test_bad_rows_end_the_command_with_a_reason(files, bank):
    (files / "data.csv").write_text(DATA.replace("2.50", "2,50"))
    with pytest.raises(CommandError):
        run(files, "--bank", "sakura")
    assert ids(bank) == set()
    assert "2 imported" in run(files, "--bank", "sakura", "--good-rows")
