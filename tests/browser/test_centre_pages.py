"""The centre's pages as the operator and the auditor see them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from aggregation.models import PublishedSum, TrainingRun
from banks.services.rounds.standard import standard_task
from tests import make
from tests.aggregation.conftest import founded, invited, joined, with_key
from tests.aggregation.nodes import play
from tests.browser.conftest import CheckPage, PageOf

NAMES = [
    ("Sakura Bank", "さくら銀行"),
    ("Fuji Bank", "富士銀行"),
    ("Kaede Bank", "楓銀行"),
    ("Matsu Bank", "松銀行"),
    ("Ume Bank", "梅銀行"),
]


@pytest.fixture
def story(transactional_db: None, settings: Any, tmp_path: Any) -> Any:
    """Five members: a run that published a curve, one that waits for two banks, an invited bank."""
    settings.DATA_DIR = tmp_path
    settings.ALLOW_SMALL_KEYS = True
    make.person("mio")
    make.person("jun")
    consortium = with_key(founded(5, name="Payments", name_ja="決済の不正"))
    for node, (name, name_ja) in zip(consortium.nodes, NAMES, strict=True):
        bank = consortium.bank(node)
        bank.name, bank.name_ja = name, name_ja
        bank.save()
    consortium.nodes[1].accepts = False
    consortium.start(window="until 2026-11-20")
    play(consortium.nodes)
    PublishedSum.objects.update(values=histogram())
    invited("Hinoki Bank")
    joined("Kiri Bank")
    consortium.start(window="until 2026-11-21")
    play(consortium.nodes[:3], only={"submit"})
    return consortium


def histogram() -> list[int]:
    """Genuine scores low, frauds mostly high, on the banks' grid."""
    genuine = [int(9000 * 0.97 ** abs(i - 90)) for i in range(512)]
    fraud = [int(24 * 0.985 ** abs(i - 330)) for i in range(512)]
    return genuine + fraud


PAGES = ["", "banks/", "tasks/", "runs/", "performance/", "log/", "invite/", "tasks/new/"]


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ja", "dark")])
def test_every_page_is_clean(
    story: Any, page_of: PageOf, check_page: CheckPage, language: str, scheme: str
) -> None:
    page = page_of("mio", language=language, scheme=scheme)
    run = TrainingRun.objects.order_by("-started_at").first()
    first = TrainingRun.objects.order_by("started_at").first()
    bank = story.bank(story.nodes[0])
    details = [
        f"tasks/{story.task.pk}/",
        f"runs/{run.pk}/",
        f"runs/{first.pk}/",
        f"banks/{bank.slug}/",
    ]
    names = ["task", "run-live", "run-done", "bank"]
    for path in PAGES:
        page.goto(f"/centre/{path}")
        check_page(
            page, f"centre-{path.strip('/').replace('/', '-') or 'home'}-{language}-{scheme}"
        )
    for path, name in zip(details, names, strict=True):
        page.goto(f"/centre/{path}")
        check_page(page, f"centre-{name}-{language}-{scheme}")


def test_the_empty_centre_leads_to_the_first_invitation(
    transactional_db: None, page_of: PageOf, check_page: CheckPage
) -> None:
    page = page_of("mio")
    page.goto("/centre/")
    check_page(page, "centre-empty-home")
    page.get_by_role("link", name="Invite a bank").click()
    page.get_by_label("Name", exact=True).fill("Kaede Bank")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("textbox", name="One-time link")).to_have_value(re.compile("/join/"))
    check_page(page, "centre-invited")
    for path in ["tasks/", "runs/", "performance/", "log/"]:
        page.goto(f"/centre/{path}")
        check_page(page, f"centre-empty-{path.strip('/')}")


def test_the_slider_recomputes_the_matrix_as_the_server_does(story: Any, page_of: PageOf) -> None:
    page = page_of("jun")
    page.goto("/centre/performance/?cut=300")
    told = (
        page.locator(".matrix").inner_text(),
        page.locator("[data-out=precision-interval]").inner_text(),
    )
    page.goto("/centre/performance/?cut=100")
    assert page.locator(".matrix").inner_text() != told[0]
    page.locator("#cut").evaluate(
        "slider => { slider.value = 300; slider.dispatchEvent(new Event('input')); }"
    )
    seen = (
        page.locator(".matrix").inner_text(),
        page.locator("[data-out=precision-interval]").inner_text(),
    )
    assert seen == told


def test_a_live_run_moves_without_a_reload(story: Any, page_of: PageOf) -> None:
    page = page_of("mio")
    run = TrainingRun.objects.order_by("-started_at").first()
    page.goto(f"/centre/runs/{run.pk}/")
    expect(page.get_by_text("3 of 5").first).to_be_visible()
    play(story.nodes[3:4], only={"submit"})
    expect(page.get_by_text("4 of 5").first).to_be_visible(timeout=15_000)


def test_a_round_is_given_up_from_its_page(
    story: Any, page_of: PageOf, check_page: CheckPage
) -> None:
    page = page_of("mio")
    run = TrainingRun.objects.order_by("-started_at").first()
    page.goto(f"/centre/runs/{run.pk}/")
    page.locator("summary", has_text="Give up round 0").click()
    page.locator("#why-give-up").fill("two nodes are being moved")
    page.get_by_role("button", name="Give this round up").click()
    expect(
        page.get_by_text("The operator gave the round up: two nodes are being moved")
    ).to_be_visible()
    check_page(page, "centre-run-given-up")
    page.locator("summary", has_text="Stop the run").click()
    page.get_by_role("button", name="Stop the run").click()
    expect(page.get_by_text("The run failed")).to_be_visible()
    check_page(page, "centre-run-failed")


def test_a_task_is_made_from_a_pasted_definition(
    story: Any, page_of: PageOf, check_page: CheckPage
) -> None:
    page = page_of("mio")
    page.goto("/centre/tasks/new/")
    page.get_by_label("Name", exact=True).fill("Transfers")
    page.get_by_label("Definition (JSON)").fill('{"model": 1.5}')
    page.get_by_role("button", name="Make the task").click()
    expect(page.get_by_text("without floats").first).to_be_visible()
    page.console_errors.clear()  # the browser itself notes the status 422
    check_page(page, "centre-task-refused")
    page.get_by_label("Definition (JSON)").fill(json.dumps(standard_task()))
    page.get_by_role("button", name="Make the task").click()
    expect(page.get_by_role("heading", name="Transfers")).to_be_visible()
    expect(page.get_by_text("Propose the founders")).to_be_visible()
    check_page(page, "centre-task-new")


def test_the_log_is_verified_on_its_page(
    story: Any, page_of: PageOf, check_page: CheckPage
) -> None:
    page = page_of("jun", width=390)
    page.goto("/centre/log/")
    page.get_by_role("link", name="Verify the whole chain now").click()
    expect(page.get_by_text("The log holds")).to_be_visible()
    check_page(page, "centre-log-verified-narrow")
    page.goto("/centre/")
    check_page(page, "centre-home-narrow")
