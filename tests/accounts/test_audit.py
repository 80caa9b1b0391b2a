from __future__ import annotations

import csv
import io

import pytest
from django.db import connection

from consortium.accounts import audit, selectors
from consortium.accounts.models import AuditEntry
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain() -> list[AuditEntry]:
    haru = make.actor("haru")
    return [
        audit.record(actor=haru, verb=verb, bank=haru.bank, step=step)
        for step, verb in enumerate(("one", "two", "three", "four"))
    ]


def test_a_chain_as_written_holds(chain) -> None:
    report = selectors.verify_chain(make.bank())
    assert (report.holds, report.entries, report.head) == (True, 4, chain[-1].hash)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_auditentry SET actor = 'Haru Itp' WHERE sequence = 2",
        "UPDATE accounts_auditentry SET verb = 'twp' WHERE sequence = 2",
        "UPDATE accounts_auditentry SET target = 'x' WHERE sequence = 2",
        "UPDATE accounts_auditentry SET facts = '{\"step\": 9}' WHERE sequence = 2",
        "UPDATE accounts_auditentry SET at = at + interval '1 microsecond' WHERE sequence = 2",
        "UPDATE accounts_auditentry SET hash = replace(hash, left(hash, 1), 'f') || '' "
        "WHERE sequence = 2",
        "DELETE FROM accounts_auditentry WHERE sequence = 2",
    ],
)
def test_a_change_of_one_byte_is_said_loudly(sign_in, chain, change: str) -> None:
    if "replace(hash" in change and chain[1].hash.startswith("f"):
        change = change.replace("'f'", "'e'")
    with connection.cursor() as cursor:
        cursor.execute(change)
    assert not selectors.verify_chain(make.bank()).holds
    page = sign_in("haru").get("/bank/sakura/audit/chain/").content.decode()
    assert 'role="alert"' in page
    assert "The chain is broken at entry" in page


def test_rewriting_the_rest_of_the_chain_changes_its_head(chain) -> None:
    """Whoever rewrites everything still cannot keep the hash that others have written down."""
    known_head, entry = chain[-1].hash, chain[1]
    entry.verb = "another story"
    entry.hash = audit.digest(entry)
    entry.save()
    previous = entry.hash
    for later in chain[2:]:
        later.previous_hash = previous
        later.hash = previous = audit.digest(later)
        later.save()
    report = selectors.verify_chain(make.bank())
    assert report.holds
    assert report.head != known_head


def test_each_place_has_a_chain_of_its_own(chain) -> None:
    fuji, mio = make.actor("fumi"), make.actor("mio")
    first = audit.record(actor=fuji, verb="one", bank=fuji.bank)
    centre = audit.record(actor=mio, verb="one")
    assert (first.sequence, centre.sequence, centre.chain) == (1, 1, "centre")
    assert [entry.verb for entry in selectors.audit_entries(fuji.bank)] == ["one"]


def test_the_trail_is_read_page_by_page(sign_in) -> None:
    haru = make.actor("haru")
    for number in range(selectors.PAGE + 5):
        audit.record(actor=haru, verb=f"verb.{number}", bank=haru.bank)
    client = sign_in("haru")
    first = client.get("/bank/sakura/audit/")
    assert f"verb.{selectors.PAGE + 4}" in first.content.decode()
    second = client.get(first.context["next_url"])
    assert [entry.verb for entry in second.context["entries"]] == [
        f"verb.{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert second.context["next_url"] == ""


@pytest.mark.parametrize("before", ["-1", "x", "9" * 30, "1;drop"])
def test_a_strange_page_mark_shows_no_error(sign_in, chain, before: str) -> None:
    page = sign_in("haru").get("/bank/sakura/audit/", {"before": before})
    assert page.status_code == 200


def test_the_trail_is_taken_along_safely(sign_in) -> None:
    haru = make.actor("haru")
    audit.record(actor=haru, verb="noted", target='=HYPERLINK("x")', bank=haru.bank)
    file = sign_in("haru").get("/bank/sakura/audit.csv").content.decode()
    assert file.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(file.removeprefix("\ufeff"))))
    assert rows[0]["target"] == '\'=HYPERLINK("x")'
    assert [row["verb"] for row in rows] == ["noted", "audit.exported"]


def test_programs_read_and_verify_the_trail(program, chain) -> None:
    client = program("sora")
    page = client.get("/api/v1/banks/sakura/audit", {"before": 3}).json()
    assert [entry["verb"] for entry in page["entries"]] == ["two", "one"]
    assert client.get("/api/v1/banks/sakura/audit/chain").json()["holds"] is True
