"""The pages of cases as people use them: by role, with bad input, with what was typed kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from banks.models import Alert, Case, ContactAttempt, FreezeRequest
from banks.services import cases
from banks.services.cases import freezes
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks.cases.conftest import submitted
from tests.banks.test_alerts import an_alert

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"
SignIn = Callable[[str], Client]


@pytest.fixture
def sign_in() -> SignIn:
    def signed_in(who: str) -> Client:
        client = Client()
        client.force_login(make.person(who))
        return client

    return signed_in


def url(name: str, *args: Any) -> str:
    return reverse(f"banks:{name}", args=["sakura", *args])


def text(answer: Any) -> str:
    return str(answer.content.decode())


class TestTheList:
    def test_without_cases_it_says_how_one_comes_to_be(self, bank: Bank, sign_in: SignIn) -> None:
        said = text(sign_in("aiko").get(url("cases")))
        assert "No case yet" in said
        assert 'href="/bank/sakura/cases/open/"' in said

    def test_its_tabs_count_and_its_filters_narrow(
        self, bank: Bank, analyst: Actor, case: Case, sign_in: SignIn
    ) -> None:
        late = cases.open_case(bank=bank, actor=analyst, account="acc-77")
        with bank_scope(bank.pk):
            Case.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=1))
        aiko = sign_in("aiko")
        shown = {
            query: [str(one) for one in aiko.get(url("cases") + query).context["found"].cases]
            for query in ("", "?view=mine", "?due=overdue", "?typology=mule", "?q=acc-77", "?q=C-1")
        }
        assert shown == {
            "": ["C-2", "C-1"],
            "?view=mine": ["C-1"],
            "?due=overdue": ["C-2"],
            "?typology=mule": ["C-1"],
            "?q=acc-77": ["C-2"],
            "?q=C-1": ["C-1"],
        }
        assert aiko.get(url("cases")).context["counts"] == {
            **{"open": 2, "mine": 1, "waiting": 0, "closed": 0, "overdue": 1, "freezes": 0}
        }

    def test_it_goes_on_where_the_page_before_ended(
        self, bank: Bank, analyst: Actor, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("banks.selectors.cases.listing.listed.__kwdefaults__", {"most": 2})
        for number in range(5):
            cases.open_case(bank=bank, actor=analyst, account=f"acc-{number}")
        aiko, address, seen = sign_in("aiko"), url("cases"), []
        while address:
            page = aiko.get(address).context
            seen += [str(one) for one in page["found"].cases]
            address = url("cases") + page["next_url"] if page["next_url"] else ""
        assert seen == [f"C-{n}" for n in range(1, 6)]

    def test_the_table_is_safe_and_its_export_audited(
        self, bank: Bank, analyst: Actor, sign_in: SignIn
    ) -> None:
        cases.open_case(bank=bank, actor=analyst, account="=1+1")
        answer = sign_in("sora").get(url("export-cases"))
        assert answer.content.startswith(b"\xef\xbb\xbf")
        assert "'=1+1" in text(answer)
        assert AuditEntry.objects.filter(verb="table.exported", facts__what="cases").exists()

    def test_who_may_not_read_cases_is_refused(self, bank: Bank, sign_in: SignIn) -> None:
        assert sign_in("yui").get(url("cases")).status_code == 403
        assert sign_in("kenta").get(url("cases")).status_code == 404


class TestOpening:
    def test_from_an_alert_with_the_others_of_its_account(
        self, bank: Bank, alerts: list[Alert], sign_in: SignIn
    ) -> None:
        aiko = sign_in("aiko")
        page = aiko.get(url("alert", alerts[0].pk))
        assert url("open-case") + f"?alert={alerts[0].pk}" in text(page)
        form = aiko.get(url("open-case") + f"?alert={alerts[0].pk}")
        assert [one.alert for one in form.context["suggestions"]] == [alerts[2], alerts[1]]
        chosen = {"alert": [alerts[0].pk, alerts[2].pk], "typology": "ore_ore", "account": ""}
        aiko.post(url("open-case"), chosen)
        with bank_scope(bank.pk):
            case = Case.objects.get()
            assert case.amount_at_risk == 40_000
        assert f"Case {case}" in text(aiko.get(url("alert", alerts[2].pk)))

    def test_another_bank_s_alert_is_not_there(
        self, bank: Bank, other_bank: Bank, case: Case, sign_in: SignIn
    ) -> None:
        with bank_scope(other_bank.pk):
            theirs = an_alert(other_bank)
        aiko = sign_in("aiko")
        for address in (url("open-case"), url("case-link", case.pk)):
            assert aiko.post(address, {"alert": theirs.pk}).status_code == 404

    def test_nothing_chosen_is_said_at_its_field(self, bank: Bank, sign_in: SignIn) -> None:
        answer = sign_in("aiko").post(url("open-case"), {})
        assert answer.status_code == 422
        assert "name the account" in text(answer)


class TestACase:
    def test_markup_from_strangers_is_text_on_page_and_paper(
        self, bank: Bank, analyst: Actor, sign_in: SignIn
    ) -> None:
        with bank_scope(bank.pk):
            alert = an_alert(bank)
            alert.transaction.counterparty = SCRIPT
            alert.transaction.save()
        case = cases.open_case(bank=bank, actor=analyst, alert_ids=[alert.pk], typology="mule")
        cases.add_note(bank=bank, actor=analyst, case_id=case.pk, text=SCRIPT)
        aiko = sign_in("aiko")
        for address in (
            url("case", case.pk),
            url("cases"),
            url("open-case") + f"?alert={alert.pk}",
        ):
            assert SCRIPT not in text(aiko.get(address))
        assert "&lt;script&gt;" in text(aiko.get(url("case", case.pk)))
        assert SCRIPT in words(aiko.get(url("case-file", case.pk)).content)

    def test_a_note_that_is_too_long_stays_in_its_field(
        self, bank: Bank, case: Case, sign_in: SignIn
    ) -> None:
        answer = sign_in("aiko").post(url("case-note", case.pk), {"text": "long " * 2000})
        assert answer.status_code == 422
        assert "characters; at most 2000" in text(answer)
        assert "long long long" in text(answer)

    def test_what_was_typed_when_the_session_ended_is_there_again(
        self, bank: Bank, case: Case, sign_in: SignIn
    ) -> None:
        browser = Client()
        typed = {"act": "contact", "channel": "letter", "outcome": "lent", "note": "sold it in May"}
        answer = browser.post(url("case-contact", case.pk), typed)
        assert answer.headers["Location"].startswith("/accounts/login/")
        browser.force_login(make.person("aiko"))
        page = browser.get(url("case", case.pk))
        assert "You had been signed out" in text(page)
        assert "sold it in May" in text(page)
        assert "sold it in May" not in text(browser.get(url("case", case.pk)))
        with bank_scope(bank.pk):
            assert not ContactAttempt.objects.exists()

    def test_the_auditor_reads_and_changes_nothing(
        self, bank: Bank, case: Case, sign_in: SignIn
    ) -> None:
        sora = sign_in("sora")
        said = text(sora.get(url("case", case.pk)))
        assert "Take it out" not in said
        assert sora.post(url("case-note", case.pk), {"text": "x"}).status_code == 403

    def test_its_page_asks_the_database_at_most_25_times(
        self,
        bank: Bank,
        analyst: Actor,
        case: Case,
        sign_in: SignIn,
        django_assert_max_num_queries: Any,
    ) -> None:
        for outcome in ("no_answer", "no_answer", "lent"):
            cases.record_contact(
                bank=bank, actor=analyst, case_id=case.pk, channel="phone", outcome=outcome
            )
        freezes.draft(bank=bank, actor=analyst, case_id=case.pk)
        for who, page in (
            ("ren", url("case", case.pk)),
            ("ren", url("cases")),
        ):
            browser = sign_in(who)
            with django_assert_max_num_queries(25):
                browser.get(page)


class TestTheSecondPerson:
    def test_finds_it_under_my_work_and_closes_it(
        self, bank: Bank, analyst: Actor, case: Case, sign_in: SignIn
    ) -> None:
        submitted(bank, analyst, case)
        assert "One of these people can approve it" not in text(
            sign_in("sora").get(url("case", case.pk))
        )
        aiko = text(sign_in("aiko").get(url("case", case.pk)))
        assert "nobody else here may approve it" in aiko
        ren = sign_in("ren")
        assert "Close case C-1: fraud confirmed" in text(ren.get(url("work")))
        ren.post(url("case-approve", case.pk), {"note": "agreed"})
        assert "Amount saved" in text(ren.get(url("case", case.pk)))
        with bank_scope(bank.pk):
            assert Case.objects.get().status == "closed"

    def test_an_analyst_decides_nothing(
        self, bank: Bank, analyst: Actor, case: Case, sign_in: SignIn
    ) -> None:
        submitted(bank, analyst, case)
        assert sign_in("aiko").post(url("case-approve", case.pk), {}).status_code == 403

    def test_two_who_close_it_at_once(
        self, bank: Bank, analyst: Actor, case: Case, sign_in: SignIn
    ) -> None:
        submitted(bank, analyst, case)
        ren = sign_in("ren")
        assert ren.post(url("case-approve", case.pk), {}).status_code == 302
        second = ren.post(url("case-approve", case.pk), {})
        assert second.status_code == 409
        assert "The case is closed" in text(second)


class TestAFreezeRequest:
    def test_what_is_missing_is_marked_and_what_was_typed_is_kept(
        self, bank: Bank, case: Case, sign_in: SignIn
    ) -> None:
        aiko = sign_in("aiko")
        typed = {"account": "acc-1", "requester": "police", "reason": "named", "submit": "yes"}
        answer = aiko.post(url("new-freeze", case.pk), typed)
        assert answer.status_code == 422
        assert set(answer.context["forms"]["save"].errors) == {
            "__all__",
            "reference",
            "received_at",
        }
        with bank_scope(bank.pk):
            kept = FreezeRequest.objects.get()
        assert (kept.status, kept.reason) == ("drafted", "named")
        whole = {**typed, "reference": "K-7", "received_at": "2026-01-02T10:30"}
        assert aiko.post(url("freeze-save", kept.pk), whole).status_code == 302
        with bank_scope(bank.pk):
            assert FreezeRequest.objects.get().status == "submitted"
        assert "Freeze account acc-1, case C-1" in text(sign_in("ren").get(url("work")))

    def test_a_session_that_ends_keeps_the_form(
        self, bank: Bank, case: Case, sign_in: SignIn
    ) -> None:
        browser = Client()
        browser.post(url("new-freeze", case.pk), {"account": "acc-9", "reason": "a police letter"})
        browser.force_login(make.person("aiko"))
        assert "a police letter" in text(browser.get(url("new-freeze", case.pk)))

    def test_the_way_to_the_end_on_the_page(
        self, bank: Bank, analyst: Actor, case: Case, sign_in: SignIn
    ) -> None:
        received = timezone.now() - timedelta(hours=1)
        facts = {"requester": "own", "reason": "flows", "received_at": received}
        freeze = freezes.draft(bank=bank, actor=analyst, case_id=case.pk, **facts)
        freezes.submit(bank=bank, actor=analyst, freeze_id=freeze.pk)
        aiko, ren = sign_in("aiko"), sign_in("ren")
        assert "You wrote it" in text(aiko.get(url("freeze", freeze.pk)))
        ren.post(url("freeze-approve", freeze.pk), {"note": ""})
        late = {"carried_out_at": "2030-01-01T00:00", "balance": "480000", "reply": ""}
        refused = aiko.post(url("freeze-carry-out", freeze.pk), late)
        assert refused.status_code == 422
        assert "480000" in text(refused)
        now = timezone.localtime(timezone=ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%dT%H:%M:%S")
        aiko.post(url("freeze-carry-out", freeze.pk), {**late, "carried_out_at": now})
        assert "¥480,000" in text(aiko.get(url("freeze", freeze.pk)))
        assert ren.post(url("freeze-lift", freeze.pk), {"reason": "ruled"}).status_code == 302


def words(pdf: bytes) -> str:
    """All that a reader of the file reads, without its line ends."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return "".join("".join(pages).split("\n"))


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["Case file C-1", "mule account", "Follow the money", "no answer", "Page 1 of"]),
        ("ja", ["C-1", "応答なし", "口座の入出金を追う", "日本太郎さん髙橋", "480,000円"]),
    ],
)
def test_the_case_file_holds_everything_in_the_reader_s_language(
    bank: Bank, analyst: Actor, lead: Actor, case: Case, language: str, expected: list[str]
) -> None:
    cases.record_contact(
        bank=bank, actor=analyst, case_id=case.pk, channel="phone", outcome="no_answer"
    )
    cases.add_note(bank=bank, actor=analyst, case_id=case.pk, text="日本太郎さん髙橋 🙂")
    freeze = freezes.draft(
        bank=bank,
        actor=analyst,
        case_id=case.pk,
        requester="police",
        reference="K-2026-114",
        reason="flows",
        received_at=timezone.now() - timedelta(hours=1),
    )
    freezes.submit(bank=bank, actor=analyst, freeze_id=freeze.pk)
    freezes.approve(bank=bank, actor=lead, freeze_id=freeze.pk)
    freezes.carry_out(
        bank=bank,
        actor=analyst,
        freeze_id=freeze.pk,
        carried_out_at=timezone.now(),
        balance=480_000,
    )
    submitted(bank, analyst, case)
    cases.approve(bank=bank, actor=lead, case_id=case.pk)
    make.person("ren")
    browser = Client()
    browser.force_login(make.person("ren"))
    browser.cookies["django_language"] = language
    answer = browser.get(url("case-file", case.pk))
    assert answer["Content-Type"] == "application/pdf"
    said = words(answer.content)
    everywhere = ["t-1", "acc-1", "K-2026-114", "Ren Sato", "Aiko Mori", "The account was sold."]
    assert [word for word in [*everywhere, *expected] if word not in said] == []
    assert "〓" in said, "what the font lacks is marked"
    entry = AuditEntry.objects.get(verb="case.file_exported")
    assert len(entry.facts["sha256"]) == 64
