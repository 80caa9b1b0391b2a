"""Late chargebacks and corrections: checked whole, kept as history, the newest word counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from banks.models import LabelEvent, LabelFile, Transaction
from banks.services import datasets, label_files, labels
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused

pytestmark = pytest.mark.django_db
HEADER = "transaction_id,label,known_at,kind\n"
GOOD = HEADER + "p-1,fraud,2026-03-01T10:00:00+09:00,chargeback\np-2,genuine,2026-03-02T00:00Z,\n"


@pytest.fixture
def payments(bank: Bank) -> Bank:
    with bank_scope(bank.pk):
        for n, label in enumerate((0, None, 1), start=1):
            Transaction.objects.create(
                bank=bank,
                external_id=f"p-{n}",
                time=datetime(2026, 1, n, tzinfo=UTC),
                account="a",
                amount=100,
                label=label,
            )
    return bank


def taken_in(bank: Bank, actor: Actor, folder: Path, text: str, **choices: Any) -> LabelFile:
    path = folder / "labels.csv"
    path.write_text(text)
    found = label_files.receive(bank=bank, file=path, actor=actor, **choices)
    label_files.take_in(bank=bank, file_id=found.pk)
    with bank_scope(bank.pk):
        found.refresh_from_db()
    return found


def stored(bank: Bank) -> list[tuple[str, int | None, datetime | None]]:
    with bank_scope(bank.pk):
        rows = Transaction.objects.order_by("external_id")
        return list(rows.values_list("external_id", "label", "label_known_at"))


def test_labels_count_from_when_they_became_known(
    payments: Bank, owner: Actor, tmp_path: Path
) -> None:
    before = datasets.data_version(payments)
    found = taken_in(payments, owner, tmp_path, GOOD)
    assert (found.status, found.rows_said, found.rows_changed) == ("done", 2, 2), found.failure
    assert stored(payments)[:2] == [
        ("p-1", 1, datetime(2026, 3, 1, 1, tzinfo=UTC)),
        ("p-2", 0, datetime(2026, 3, 2, tzinfo=UTC)),
    ]
    assert datasets.data_version(payments) != before, "the next training reads them"
    assert AuditEntry.objects.filter(verb="labels.taken_in").count() == 1
    with bank_scope(payments.pk):
        assert set(LabelEvent.objects.values_list("source", "said_by")) == {
            ("chargeback", owner.user.pk if owner.user else None)
        }


def test_the_same_file_and_the_same_words_change_nothing(
    payments: Bank, owner: Actor, tmp_path: Path
) -> None:
    first = taken_in(payments, owner, tmp_path, GOOD)
    assert taken_in(payments, owner, tmp_path, GOOD).pk == first.pk
    again = taken_in(payments, owner, tmp_path, GOOD + "\n")
    assert (again.rows_said, again.rows_already_said, again.rows_changed) == (0, 2, 0)
    with bank_scope(payments.pk):
        assert LabelEvent.objects.count() == 2


BAD = (
    HEADER + "p-9,fraud,2026-03-01T00:00Z,\n"
    "p-1,perhaps,2026-03-01T00:00Z,\n"
    "p-2,fraud,yesterday,\n"
    "p-3,genuine,2025-12-31T00:00Z,\n"
    "p-2,fraud,2026-03-01T00:00Z,rumour\n"
    "p-1,fraud,2026-03-01T00:00Z,\n"
)


def test_one_bad_row_holds_all_back_and_every_error_is_named(
    payments: Bank, owner: Actor, tmp_path: Path
) -> None:
    before = stored(payments)
    found = taken_in(payments, owner, tmp_path, BAD)
    assert (found.status, found.failure_code, found.rows_refused) == ("refused", "rows_refused", 5)
    named = {(one["line"], one["column"], one["rule"]) for one in found.first_errors}
    assert named == {
        (2, "transaction_id", "id_not_stored"),
        (3, "label", "label_unknown"),
        (4, "known_at", "time_format"),
        (5, "known_at", "label_known_before_payment"),
        (6, "kind", "label_kind"),
    }
    assert stored(payments) == before
    with bank_scope(payments.pk):
        assert not LabelEvent.objects.exists()


def test_the_good_rows_alone_are_taken_when_asked_for(
    payments: Bank, owner: Actor, tmp_path: Path
) -> None:
    refused = taken_in(payments, owner, tmp_path, BAD)
    label_files.take_good_rows(bank=payments, file_id=refused.pk, actor=owner)
    label_files.take_in(bank=payments, file_id=refused.pk)
    with bank_scope(payments.pk):
        refused.refresh_from_db()
    assert (refused.status, refused.rows_said, refused.rows_refused) == ("done", 1, 5)
    assert stored(payments)[0][1] == 1


def test_what_became_known_last_counts_and_all_of_it_stays_as_history(
    payments: Bank, owner: Actor, tmp_path: Path
) -> None:
    taken_in(payments, owner, tmp_path, HEADER + "p-1,fraud,2026-03-01T00:00Z,chargeback\n")
    taken_in(payments, owner, tmp_path, HEADER + "p-1,genuine,2026-02-01T00:00Z,correction\n")
    assert stored(payments)[0][1] == 1, "known earlier: kept, but it does not count"
    taken_in(payments, owner, tmp_path, HEADER + "p-1,,2026-04-01T00:00Z,correction\n")
    assert stored(payments)[0][1:] == (None, None), "taken back"
    with bank_scope(payments.pk):
        assert LabelEvent.objects.count() == 3


def test_an_analyst_s_later_word_stands(payments: Bank, owner: Actor, tmp_path: Path) -> None:
    with bank_scope(payments.pk):
        key = Transaction.objects.get(external_id="p-2").pk
    labels.label_transaction(
        bank=payments, actor=owner, transaction_id=key, value=0, reason="customer called"
    )
    taken_in(payments, owner, tmp_path, HEADER + "p-2,fraud,2026-03-01T00:00Z,chargeback\n")
    assert stored(payments)[1][1] == 0


def test_a_file_without_its_columns_is_refused_by_name(
    payments: Bank, owner: Actor, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="known_at"):
        taken_in(payments, owner, tmp_path, "transaction_id,label\np-1,1\n")
    with bank_scope(payments.pk):
        assert not LabelFile.objects.exists()


def test_parquet_comes_in_by_the_command(payments: Bank, tmp_path: Path) -> None:
    path = tmp_path / "late.parquet"
    known = [datetime(2026, 3, 1, tzinfo=UTC)]
    pl.DataFrame({"transaction_id": ["p-2"], "label": [1], "known_at": known}).write_parquet(path)
    call_command("import_labels", str(path), bank="sakura", verbosity=0)
    assert stored(payments)[1][1:] == (1, known[0])
    with pytest.raises(CommandError, match="no bank"):
        call_command("import_labels", str(path), bank="atlantis")


def test_the_page_takes_a_file_and_shows_its_errors(
    payments: Bank, sign_in: Callable[[str], Client]
) -> None:
    client = sign_in("yui")
    sent = client.post(
        "/bank/sakura/labels/upload/", {"file": SimpleUploadedFile("bad.csv", BAD.encode())}
    )
    with bank_scope(payments.pk):
        found = LabelFile.objects.get()
    assert sent.headers["Location"] == f"/bank/sakura/labels/{found.pk}/"
    label_files.take_in(bank=payments, file_id=found.pk)
    page = client.get(sent.headers["Location"]).content.decode()
    assert "No transaction with this id is stored" in page
    assert "Take in the good rows" in page
    everything = client.get(f"/bank/sakura/labels/{found.pk}/errors/").getvalue().decode()
    assert "rumour" in everything
    assert "bad.csv" in client.get("/bank/sakura/labels/").content.decode()
