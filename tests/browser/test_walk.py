"""From an uploaded file to a decided alert and a new member, as the people would go: all of it
by real pages, a real worker, real HTTP between banks and centre; only the keys are short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from aggregation.models import KeyEpoch, RosterVersion, Task, TrainingRun
from banks.models import Alert, Import, LabelEvent, ModelVersion, Transaction
from banks.services.rounds.node import Node
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast, founding
from consortium.protocol.errors import Refused
from tests.banks import world
from tests.browser.conftest import CheckPage, PageOf
from tests.browser.files import ROLES, CoreSystem
from tests.browser.walking import Visitor, Walk
from tests.browser.working import working

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
FOUNDERS = [
    ("sakura", "Sakura Bank", "さくら銀行"),
    ("fuji", "Fuji Bank", "富士銀行"),
    ("kaede", "Kaede Bank", "楓銀行"),
]
NEWCOMER = ("hinoki-bank", "Hinoki Bank", "檜銀行")


@pytest.fixture
def founded(transactional_db: None, live_server: Any, settings: Any, tmp_path: Path) -> list[Bank]:
    """Three banks with a task, a signed roster and a key; the first one has no data yet."""
    settings.DATA_DIR = tmp_path
    settings.COORDINATOR_URL = live_server.url
    settings.KEY_BITS = 512
    settings.ALLOW_SMALL_KEYS = True
    cast.fill_centre()
    banks = [founding.join(*names, address=live_server.url) for names in FOUNDERS]
    for seed, bank in enumerate(banks[1:]):
        world.with_history(bank, rows=1500, seed=seed)
    founding.share_a_key(founding.agree(banks, rounds=2), banks)
    return banks


@pytest.fixture
def worker(founded: list[Bank]) -> Iterator[None]:
    with working([slug for slug, *_ in (*FOUNDERS, NEWCOMER)]):
        yield


class Story:
    """The walk's people, each with a browser of their own, signed in when first needed."""

    def __init__(self, walk: Walk, bank: Bank) -> None:
        self.walk, self.bank = walk, bank
        self.core = CoreSystem(bank, walk.language)
        self._people: dict[str, Visitor] = {}

    def __getitem__(self, email: str) -> Visitor:
        if email not in self._people:
            self._people[email] = self.walk.person(email, cast.PASSWORD)
        return self._people[email]

    @property
    def owner(self) -> Visitor:
        return self["models@sakura.example"]

    @property
    def lead(self) -> Visitor:
        return self["lead@sakura.example"]

    @property
    def analyst(self) -> Visitor:
        return self["analyst@sakura.example"]

    @property
    def operator(self) -> Visitor:
        return self["operator@centre.example"]

    def administrator(self, slug: str) -> Visitor:
        return self[f"admin@{slug}.example"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_from_a_file_to_a_decided_alert_and_a_new_member(
    founded: list[Bank], worker: None, page_of: PageOf, check_page: CheckPage, language: str
) -> None:
    story = Story(Walk(page_of, check_page, language), founded[0])
    the_model_owner_brings_data(story)
    trains_alone(story)
    the_banks_learn_together(story)
    the_lead_chooses_a_threshold(story)
    new_transactions_raise_alerts(story)
    the_analyst_decides(story)
    a_customer_calls(story)
    a_bank_is_invited_and_joins(story)
    its_number_is_compared(story)
    the_members_admit_it(story)
    it_is_suspended(story)
    assert not story.walk.faults, "\n".join(story.walk.faults)


def the_model_owner_brings_data(story: Story) -> None:
    """Point 2: a faulty file changes nothing and says why; the repaired one is imported."""
    owner = story.owner
    owner.go("/bank/sakura/data/")
    owner.picture("data-empty")
    upload(owner, "history.csv", story.core.faulty())
    owner.picture("data-columns")
    for role, heading in zip(ROLES, story.core.headings, strict=True):
        owner.page.locator(f"#id_role_{role}").select_option(heading)
    owner.press("Look at the rows")
    owner.picture("data-preview")
    owner.page.locator("#id_save_as").fill("core")
    owner.press("Import")
    owner.until(lambda: owner.sees("Nothing was imported"), "the refusal")
    rows = owner.page.locator("main table tbody tr").all_inner_texts()
    assert [re.split(r"\s+", row)[0] for row in rows] == ["5", "12", "22"], rows
    assert "NaN" in rows[0]
    assert "yesterday" in rows[1]
    owner.picture("data-refused")
    with bank_scope(story.bank.pk):
        assert not Transaction.objects.exists()
    owner.confirm("Delete the file", "Delete the file")
    bring(owner, "history.csv", story.core.history())
    owner.picture("data-imported")
    with bank_scope(story.bank.pk):
        assert Transaction.objects.count() == 3000


def upload(owner: Visitor, name: str, content: bytes) -> None:
    owner.go("/bank/sakura/data/")
    owner.page.locator("#id_file").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    owner.press("Upload and look")


def bring(owner: Visitor, name: str, content: bytes) -> None:
    """Upload, take the mapping that was saved, import."""
    upload(owner, name, content)
    owner.page.locator("#saved").select_option("core")
    owner.press("Use it")
    owner.press("Import")
    owner.until(lambda: owner.sees("To the training"), "the import")


def trains_alone(story: Story) -> None:
    """Point 3: a run with progress, a time and a result."""
    owner = story.owner
    owner.go("/bank/sakura/training/")
    owner.picture("training-empty")
    owner.press("Train alone now")
    expect(owner.page.locator("[role=progressbar], progress").first).to_be_visible()
    owner.picture("training-running")
    owner.until(lambda: owner.sees("How well it works"), "the result")
    owner.picture("training-done")
    owner.follow("How well it works")
    owner.picture("performance-alone")


def the_banks_learn_together(story: Story) -> None:
    """Point 4: run now, and watch the rounds move."""
    operator = story.operator
    operator.go("/centre/")
    operator.picture("centre-ready")
    operator.go(f"/centre/tasks/{Task.objects.get().pk}/")
    operator.picture("centre-task")
    operator.press("Run now")
    operator.picture("run-started")
    run = TrainingRun.objects.get()
    operator.until(lambda: run.rounds.filter(state="opened").count() > 1, "two rounds")
    operator.picture("run-half")
    operator.until(lambda: not going(run), "the run's end")
    assert run.state == TrainingRun.State.DONE, run.reason
    operator.go(f"/centre/runs/{run.pk}/")
    operator.picture("run-done")
    operator.go("/centre/performance/")
    operator.picture("centre-performance")
    operator.go("/centre/log/")
    operator.picture("centre-log")
    owner = story.owner
    owner.until(lambda: origins(story.bank) == {"alone", "consortium", "ensemble"}, "the models")
    owner.go("/bank/sakura/training/")
    owner.picture("training-both")
    owner.go("/bank/sakura/models/")
    owner.picture("models")


def going(run: TrainingRun) -> bool:
    run.refresh_from_db()
    return run.state == TrainingRun.State.RUNNING


def origins(bank: Bank) -> set[str]:
    with bank_scope(bank.pk):
        return set(ModelVersion.objects.values_list("origin", flat=True))


def the_lead_chooses_a_threshold(story: Story) -> None:
    """Point 5: the slider moves; the lead proposes, the model owner approves."""
    lead, owner = story.lead, story.owner
    lead.go("/bank/sakura/performance/")
    lead.picture("performance-three")
    before = lead.page.locator("#threshold").inner_text()
    lead.page.locator("#cut").focus()
    for _ in range(20):
        lead.page.keyboard.press("ArrowLeft")
    expect(lead.page.locator("#threshold")).not_to_have_text(before)
    chosen = lead.page.locator("#threshold").inner_text()
    lead.page.locator("#id_reason").fill("重視" if lead.walk.language == "ja" else "catch more")
    lead.press("Propose")
    owner.go("/bank/sakura/performance/changes/")
    owner.confirm("Approve", "Approve")
    expect(owner.page.get_by_role("cell", name=chosen).first).to_be_visible()
    owner.picture("threshold-in-force")


def new_transactions_raise_alerts(story: Story) -> None:
    """Point 6: what comes in is scored; above the threshold it becomes an alert."""
    bring(story.owner, "today.csv", story.core.today())
    with bank_scope(story.bank.pk):
        story.owner.until(
            lambda: not Import.objects.filter(status="done", scored_at=None).exists(), "scores"
        )
    story.owner.page.reload()
    story.owner.picture("data-scored")
    analyst = story.analyst
    analyst.go("/bank/sakura/")
    analyst.picture("work")
    analyst.go("/bank/sakura/alerts/")
    analyst.picture("alerts")


def the_analyst_decides(story: Story) -> None:
    """One is fraud, by keyboard alone; another is genuine, with a comment before."""
    analyst = story.analyst
    analyst.page.keyboard.press("j")
    analyst.page.keyboard.press("o")
    expect(analyst.page.locator("#decision")).to_be_visible()
    analyst.picture("alert")
    decide(analyst, "1")
    analyst.picture("alert-decided")
    expect(analyst.button("Put it back")).to_be_visible()
    analyst.page.locator("#comment").fill(
        "電話で確認中" if story.walk.language == "ja" else "Called."
    )
    analyst.press("Add")
    expect(analyst.page.locator("ol.list-unstyled").first).to_be_visible()
    analyst.picture("alert-commented")
    decide(analyst, "2")
    analyst.go("/bank/sakura/alerts/?view=decided")
    analyst.picture("alerts-decided")
    with bank_scope(story.bank.pk):
        decided = Alert.objects.filter(status="decided")
        assert set(decided.values_list("disposition", flat=True)) == {"fraud", "genuine"}


def decide(analyst: Visitor, key: str) -> None:
    """A digit says what it was, another its reason, Enter saves and takes the next alert."""
    before = analyst.page.url
    analyst.page.keyboard.press(key)
    analyst.page.keyboard.press("1")
    analyst.page.keyboard.press("Enter")
    analyst.page.wait_for_url(lambda url: url != before)


def a_customer_calls(story: Story) -> None:
    """A transaction that never alerted is found and labelled."""
    with bank_scope(story.bank.pk):
        quiet = Transaction.objects.filter(external_id__startswith="new-", alerts=None).first()
    assert quiet
    analyst = story.analyst
    analyst.go("/bank/sakura/transactions/")
    analyst.picture("transactions")
    analyst.page.locator("#id_id").fill(quiet.external_id)
    analyst.press("Search")
    analyst.picture("transactions-found")
    analyst.page.get_by_role("link", name=quiet.external_id).click()
    analyst.page.locator("input[name=value][value='1']").check()
    analyst.page.locator("#id_reason").fill(
        "本人から連絡" if story.walk.language == "ja" else "The customer called."
    )
    analyst.press("Save the label")
    expect(analyst.page.locator("input[name=value][value='1']")).to_be_checked()
    analyst.picture("transaction-labelled")
    with bank_scope(story.bank.pk):
        assert LabelEvent.objects.filter(transaction=quiet, value=1).exists()


def a_bank_is_invited_and_joins(story: Story) -> None:
    """Point 7: one link, used once; keys made by the bank; both sides read the same fingerprint."""
    slug, name, name_ja = NEWCOMER
    operator = story.operator
    operator.go("/centre/invite/")
    operator.picture("invite")
    operator.page.locator("#id_name").fill(name)
    operator.page.locator("#id_name_ja").fill(name_ja)
    operator.press("Make the link")
    operator.picture("invited")
    link = operator.page.locator("#link").input_value()
    newcomer = story.walk.person()
    newcomer.go(link)
    newcomer.page.locator("#id_admin_name").fill("Nao Kubo")
    newcomer.page.locator("#id_admin_email").fill(f"admin@{slug}.example")
    newcomer.page.locator("#id_admin_password").fill(cast.PASSWORD)
    newcomer.picture("join")
    newcomer.press("Make the keys and join")
    newcomer.page.wait_for_url(re.compile("/login/"))
    newcomer.picture("joined")
    again = story.walk.person()
    again.go(link)
    for field, text in (("name", "Other"), ("email", "o@x.example"), ("password", cast.PASSWORD)):
        again.page.locator(f"#id_admin_{field}").fill(text)
    again.press("Make the keys and join")
    expect(again.page.get_by_text(again.say("This link was used already.")).first).to_be_visible()
    again.page.console_errors.clear()  # type: ignore[attr-defined]  # the 422 itself
    again.picture("join-again")
    administrator = story.administrator(slug)
    administrator.go(f"/bank/{slug}/joining/")
    administrator.picture("newcomer")
    administrator.press("Test the connection")
    expect(administrator.page.locator(".hops > li")).to_have_count(7)
    administrator.picture("newcomer-connected")
    administrator.go(f"/bank/{slug}/consortium/")
    operator.go(f"/centre/banks/{slug}/")
    operator.picture("bank-joined")
    told = operator.page.locator("dd code").first.inner_text()
    assert administrator.page.locator("dd code").first.inner_text() == told


def its_number_is_compared(story: Story) -> None:
    """One operator types what the bank reads out; only another one may propose it."""
    slug = NEWCOMER[0]
    administrator, operator = story.administrator(slug), story.operator
    administrator.go(f"/bank/{slug}/joining/")
    number = administrator.page.locator("p.check-number").inner_text()
    operator.go(f"/centre/banks/{slug}/")
    operator.page.locator("#said").fill(number.replace(" ", "")[:-1] + "x")
    operator.press("Compare the number")
    expect(operator.page.locator("#differs")).to_be_visible()
    operator.page.console_errors.clear()  # type: ignore[attr-defined]  # the 422 itself
    operator.picture("number-differs")
    operator.page.locator("#said").fill(number)
    operator.press("Compare the number")
    operator.picture("number-compared")


def the_members_admit_it(story: Story) -> None:
    """A second operator proposes, a majority signs; a new key is dealt and witnessed."""
    task = Task.objects.get()
    operator = story["operator2@centre.example"]
    operator.go(f"/centre/banks/{NEWCOMER[0]}/")
    operator.picture("bank-to-propose")
    operator.page.locator(".path-now form button").click()
    operator.picture("roster-proposed")
    for slug in ("sakura", "fuji"):
        member = story.administrator(slug)
        member.go(f"/bank/{slug}/consortium/")
        member.until(
            lambda m=member: m.button("Sign this roster").is_visible(), "duty", reload=True
        )
        if slug == "sakura":
            member.picture("roster-to-sign")
        member.page.locator("[name=compared]").check()
        member.press("Sign this roster")
    assert RosterVersion.objects.get(task=task, state="active").version == 2
    hold_the_ceremony(story, task)


def hold_the_ceremony(story: Story, task: Task) -> None:
    """The centre asks the member whose identity comes first; two founders witness."""
    first = Bank.objects.order_by("pk")[0].slug
    dealer = story.administrator(first)
    dealer.go(f"/bank/{first}/consortium/")
    dealer.until(
        lambda: dealer.button("Hold the key ceremony here").is_visible(), "ceremony", reload=True
    )
    dealer.picture("ceremony")
    dealer.press("Hold the key ceremony here")
    dealer.picture("ceremony-begun")
    for slug in [slug for slug, *_ in FOUNDERS if slug != first][:2]:
        witness = story.administrator(slug)
        witness.go(f"/bank/{slug}/consortium/")
        wanted = witness.button("I witnessed it: check and sign")
        witness.until(wanted.is_visible, "witness", reload=True)
        witness.picture("witness")
        witness.press("I witnessed it: check and sign")
    assert KeyEpoch.objects.filter(roster__task=task, roster__version=2, state="active").exists()
    story.operator.go(f"/centre/tasks/{task.pk}/")
    story.operator.picture("task-of-four")
    story.operator.go(f"/centre/banks/{NEWCOMER[0]}/")
    story.operator.picture("bank-admitted")
    member = story.administrator("sakura")
    member.go("/bank/sakura/privacy/")
    member.picture("privacy")


def it_is_suspended(story: Story) -> None:
    """Its next request is refused, and its people can read why."""
    slug = NEWCOMER[0]
    operator = story.operator
    operator.go(f"/centre/banks/{slug}/")
    reason = "契約の確認" if story.walk.language == "ja" else "contract under review"
    operator.confirm("Suspend", "Suspend this bank", reason=reason)
    operator.picture("suspended")
    bank = Bank.objects.get(slug=slug)
    with pytest.raises(Refused):
        Node(bank).centre.get("next")
    administrator = story.administrator(slug)
    administrator.go(f"/bank/{slug}/consortium/")
    administrator.until(lambda: administrator.sees("Last trouble"), "trouble", reload=True)
    assert administrator.sees("This bank is suspended; ask the operator.")
    administrator.picture("newcomer-suspended")
    operator.go("/centre/")
    operator.picture("centre-home")
