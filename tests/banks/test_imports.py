"""A bank brings a file: all of it, or nothing and a list of what is wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from banks.ml.schema import Mapping
from banks.models import Import, ImportStatus, Transaction
from banks.services import imports
from banks.services.imports.files import data_path
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused

pytestmark = pytest.mark.django_db

MAPPING = Mapping(
    columns={
        "id": "id",
        "time": "time",
        "account": "account",
        "amount": "amount",
        "label": "fraud",
    },
    zone="Asia/Tokyo",
    amount_digits=0,
)
HEADER = "id,time,account,amount,fraud"
FIRST = "t1,2024-05-31T14:05:00,00123,1200,0"
SECOND = "t2,2024-05-31T14:06:00,00123,8,1"
BAD = "t3,yesterday,00123,-8,1"


def upload(*rows: str, name: str = "may.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([HEADER, *rows]).encode())


def bring(bank: Bank, owner, *rows: str, mapping: Mapping = MAPPING, **choices) -> Import:
    """Upload, confirm and read a file; the import as it ended."""
    started = imports.start_import(
        bank=bank, file=upload(*rows), mapping=mapping, actor=owner, **choices
    )
    imports.run_import(bank=bank, import_id=started.pk)
    return again(bank, started)


def again(bank: Bank, imported: Import) -> Import:
    with bank_scope(bank.pk):
        return Import.objects.get(pk=imported.pk)


def stored(bank: Bank) -> list[str]:
    with bank_scope(bank.pk):
        return list(
            Transaction.objects.order_by("external_id").values_list("external_id", flat=True)
        )


def test_good_rows_become_this_banks_transactions(bank, other_bank, owner):
    done = bring(bank, owner, FIRST, SECOND)
    assert (done.status, done.rows_read, done.rows_imported, done.progress) == ("done", 2, 2, 1.0)
    with bank_scope(bank.pk):
        row = Transaction.objects.get(external_id="t1")
    assert (row.account, row.amount, row.currency, row.label) == ("00123", 1200, "JPY", 0)
    assert row.time.isoformat() == "2024-05-31T05:05:00+00:00"
    assert (row.source_id, row.label_known_at, row.extra) == (done.pk, None, None)
    assert stored(other_bank) == []
    assert not data_path(bank, done.pk).exists()


def test_one_bad_row_means_that_nothing_is_imported(bank, owner):
    ended = bring(bank, owner, FIRST, BAD, SECOND)
    assert (ended.status, ended.failure_code) == ("refused", "rows_refused")
    assert (ended.rows_read, ended.rows_refused, ended.rows_imported) == (3, 1, 0)
    assert stored(bank) == []
    assert ended.first_errors == [
        {"line": 3, "column": "time", "value": "yesterday", "rule": "time_format"},
        {"line": 3, "column": "amount", "value": "-8", "rule": "amount_negative"},
    ]


def test_all_errors_are_a_file_that_no_spreadsheet_executes(bank, owner):
    rows = [f"t{n},2024-05-31T14:05:00,a,=1+1,0" for n in range(60)]
    ended = bring(bank, owner, *rows)
    with Path(ended.errors_path).open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    assert (len(listed), len(ended.first_errors), ended.rows_refused) == (60, 50, 60)
    assert (listed[59]["line"], listed[59]["value"]) == ("61", "'=1+1")
    assert "plain number" in listed[59]["explanation"]


def test_good_rows_alone_are_imported_when_the_user_says_so(bank, owner):
    refused = bring(bank, owner, FIRST, BAD, SECOND)
    imports.import_good_rows(bank=bank, import_id=refused.pk, actor=owner)
    imports.run_import(bank=bank, import_id=refused.pk)
    done = again(bank, refused)
    assert (done.status, done.rows_imported, done.rows_refused) == ("done", 2, 1)
    assert (done.failure_code, done.failure) == ("", "")
    assert stored(bank) == ["t1", "t2"]


def test_a_repeated_id_refuses_every_row_that_has_it(bank, owner):
    ended = bring(bank, owner, FIRST, SECOND, FIRST.replace("1200", "7"))
    assert [(e["line"], e["value"], e["rule"]) for e in ended.first_errors] == [
        (2, "t1", "id_duplicate"),
        (4, "t1", "id_duplicate"),
    ]
    assert stored(bank) == []


def test_the_same_file_twice_changes_nothing(bank, owner):
    first = bring(bank, owner, FIRST, SECOND)
    second = bring(bank, owner, FIRST, SECOND)
    assert second == first
    with bank_scope(bank.pk):
        assert Import.objects.count() == 1
    assert stored(bank) == ["t1", "t2"]


def test_the_same_file_confirmed_twice_before_reading_is_stored_once(bank, owner):
    both = [
        imports.start_import(bank=bank, file=upload(FIRST), mapping=MAPPING, actor=owner)
        for _ in range(2)
    ]
    for started in both:
        imports.run_import(bank=bank, import_id=started.pk)
    ended = [again(bank, started) for started in both]
    assert [(e.status, e.failure_code) for e in ended] == [("done", ""), ("refused", "same_file")]
    assert stored(bank) == ["t1"]


def test_two_banks_may_bring_the_same_file(bank, other_bank, owner):
    assert bring(bank, owner, FIRST).status == bring(other_bank, owner, FIRST).status == "done"
    assert stored(bank) == stored(other_bank) == ["t1"]


def test_rows_stored_before_are_skipped_and_counted(bank, owner):
    bring(bank, owner, FIRST)
    done = bring(bank, owner, FIRST, SECOND)
    assert (done.rows_imported, done.rows_already_there) == (1, 1)


def test_a_stored_id_with_other_content_is_an_error(bank, owner):
    bring(bank, owner, FIRST)
    ended = bring(bank, owner, FIRST.replace("1200", "1201"), SECOND)
    assert [(e["line"], e["rule"]) for e in ended.first_errors] == [(2, "id_conflict")]
    assert stored(bank) == ["t1"]


def test_a_label_that_analysts_changed_survives_the_file_and_is_pointed_out(bank, owner):
    bring(bank, owner, FIRST)
    with bank_scope(bank.pk):
        Transaction.objects.update(label=1)
    done = bring(bank, owner, FIRST, SECOND)
    assert (done.status, done.rows_already_there) == ("done", 1)
    assert done.warnings[-1] == {"code": "other_labels", "params": {"count": 1}}
    with bank_scope(bank.pk):
        assert Transaction.objects.get(external_id="t1").label == 1


def test_a_file_with_one_class_is_imported_with_a_warning(bank, owner):
    assert bring(bank, owner, FIRST).warnings == [{"code": "no_fraud", "params": {}}]


def test_rows_of_another_bank_are_refused(bank, owner):
    mapping = Mapping(
        columns=MAPPING.columns | {"bank": "bank"}, zone="Asia/Tokyo", amount_digits=0
    )
    file = SimpleUploadedFile("x.csv", f"{HEADER},bank\n{FIRST},fuji\n{SECOND},sakura\n".encode())
    started = imports.start_import(bank=bank, file=file, mapping=mapping, actor=owner)
    imports.run_import(bank=bank, import_id=started.pk)
    ended = again(bank, started)
    assert [(e["line"], e["rule"]) for e in ended.first_errors] == [(2, "bank_foreign")]
    assert stored(bank) == []


def test_an_import_of_another_bank_does_not_exist(bank, other_bank, owner):
    refused = bring(bank, owner, BAD)
    for action in (imports.import_good_rows, imports.discard_import):
        with pytest.raises(Refused) as refusal:
            action(bank=other_bank, import_id=refused.pk, actor=owner)
        assert refusal.value.code == "no_import"
    imports.run_import(bank=other_bank, import_id=refused.pk)
    assert again(bank, refused).status == ImportStatus.REFUSED


def test_a_file_of_the_wrong_kind_leaves_no_trace(bank, owner, tmp_path):
    with pytest.raises(Refused) as refusal:
        imports.receive_file(
            bank=bank, file=SimpleUploadedFile("x.csv", b"\x89PNG\r\n\x1a\n"), actor=owner
        )
    assert refusal.value.code == "file_kind"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with bank_scope(bank.pk):
        assert Import.objects.count() == 0


def test_a_mapping_with_a_column_the_file_lacks_is_refused_at_once(bank, owner, tmp_path):
    mapping = Mapping(columns=MAPPING.columns | {"counterparty": "shop"})
    with pytest.raises(Refused) as refusal:
        imports.start_import(bank=bank, file=upload(FIRST), mapping=mapping, actor=owner)
    assert '"shop"' in str(refusal.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_quotes_that_break_in_the_middle_are_told_in_a_sentence(bank, owner):
    ended = bring(bank, owner, FIRST, '"t2"x,1,2,3,4')
    assert (ended.status, ended.failure_code) == ("refused", "quotes")
    assert ended.failure % ended.failure_params == (
        "The quotation marks of the row starting on line 3 do not match."
    )
    assert stored(bank) == []


def test_a_header_without_rows_is_refused(bank, owner):
    assert bring(bank, owner).failure_code == "no_rows"


def test_a_file_name_is_only_shown_never_used(bank, owner, tmp_path):
    file = upload(BAD, name="x.csv")
    file._name = "../../etc/pass\nwd" + "x" * 300
    started = imports.receive_file(bank=bank, file=file, actor=owner)
    assert started.file_name.startswith("passwd")
    assert len(started.file_name) == 200
    assert Path(started.file_path).parent == tmp_path / "banks" / bank.slug / "imports"


def test_reading_begins_again_after_a_worker_died(bank, owner):
    started = imports.start_import(bank=bank, file=upload(FIRST), mapping=MAPPING, actor=owner)
    with bank_scope(bank.pk):
        Import.objects.update(status=ImportStatus.CHECKING, rows_read=17)
    imports.run_import(bank=bank, import_id=started.pk)
    assert again(bank, started).rows_imported == 1


def test_reading_twice_stores_once(bank, owner):
    done = bring(bank, owner, FIRST)
    imports.run_import(bank=bank, import_id=done.pk)
    assert again(bank, done).rows_imported == 1
    assert stored(bank) == ["t1"]


def test_a_fault_of_the_program_stores_nothing_and_is_told(bank, owner, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("banks.services.imports.staging.Staging.store", broken)
    started = imports.start_import(bank=bank, file=upload(FIRST), mapping=MAPPING, actor=owner)
    with pytest.raises(RuntimeError):
        imports.run_import(bank=bank, import_id=started.pk)
    ended = again(bank, started)
    assert (ended.status, ended.failure_code) == ("failed", "import_broke")
    assert stored(bank) == []


def test_every_step_leaves_an_audit_entry_without_values(bank, owner):
    bring(bank, owner, FIRST, SECOND)
    entries = AuditEntry.objects.filter(bank=bank).order_by("sequence")
    assert [entry.verb for entry in entries] == [
        "import.received",
        "import.confirmed",
        "import.finished",
    ]
    assert "00123" not in str([entry.facts for entry in entries])


def test_discarding_deletes_the_file_and_its_errors(bank, owner):
    refused = bring(bank, owner, BAD)
    imports.discard_import(bank=bank, import_id=refused.pk, actor=owner)
    assert not Path(refused.file_path).exists()
    assert not Path(refused.errors_path).exists()
    with bank_scope(bank.pk):
        assert Import.objects.count() == 0


def test_ready_features_are_stored_in_the_order_of_the_mapping(bank, owner):
    mapping = Mapping(
        columns={"time": "Time", "amount": "Amount", "label": "Class"},
        extra=("V2", "V1"),
        kind="ready",
        time_unit="s",
    )
    file = SimpleUploadedFile("cards.csv", b"Time,V1,V2,Amount,Class\n0,1.5,-2,9.99,0\n60,,3,1,1\n")
    started = imports.start_import(bank=bank, file=file, mapping=mapping, actor=owner)
    imports.run_import(bank=bank, import_id=started.pk)
    with bank_scope(bank.pk):
        first, second = Transaction.objects.order_by("time")
    assert (first.extra, second.extra) == ([-2.0, 1.5], [3.0, None])
    assert (first.amount, first.account, first.time.year) == (999, "", 1970)


def test_a_preview_shows_columns_rows_and_errors_and_stores_nothing(bank, owner):
    received = imports.receive_file(bank=bank, file=upload(FIRST, BAD), actor=owner)
    path = Path(received.file_path)
    unmapped = imports.preview(path=path)
    assert unmapped.columns == tuple(HEADER.split(","))
    assert unmapped.sample[0]["account"] == "00123"
    assert unmapped.suggested["columns"]["account"] == "account"
    assert unmapped.rows == unmapped.errors == []
    mapped = imports.preview(path=path, mapping=MAPPING)
    assert [row["id"] for row in mapped.rows] == ["t1"]
    assert {error["rule"] for error in mapped.errors} == {"time_format", "amount_negative"}
    assert stored(bank) == []


def test_parquet_goes_the_same_way(bank, owner, tmp_path):
    path = tmp_path / "may.parquet"
    pl.DataFrame(
        [row.split(",") for row in (FIRST, SECOND)], HEADER.split(","), orient="row"
    ).write_parquet(path)
    started = imports.start_import(bank=bank, file=path, mapping=MAPPING, actor=owner)
    imports.run_import(bank=bank, import_id=started.pk)
    assert again(bank, started).rows_imported == 2
    assert path.exists()


def test_a_saved_mapping_is_replaced_by_its_name(bank, owner):
    for _ in range(2):
        saved = imports.save_mapping(bank=bank, name="cards", mapping=MAPPING, actor=owner)
    assert Mapping.from_json(saved.mapping) == MAPPING


@pytest.mark.django_db(transaction=True)
def test_a_file_someone_else_is_reading_is_left_alone(bank, owner):
    started = imports.start_import(bank=bank, file=upload(FIRST), mapping=MAPPING, actor=owner)
    key = [f"import:{started.pk}"]
    elsewhere = connection.copy()
    try:
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", key)
            imports.run_import(bank=bank, import_id=started.pk)
            assert again(bank, started).status == ImportStatus.WAITING
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)
    finally:
        elsewhere.close()
    imports.run_import(bank=bank, import_id=started.pk)
    assert again(bank, started).status == ImportStatus.DONE
