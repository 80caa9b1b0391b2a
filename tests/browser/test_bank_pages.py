"""A bank's pages as people use them: pictured, checked by axe, by keyboard, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from banks.ml.evaluation import GRID
from banks.models import Alert, Import, ImportStatus, ModelVersion, Transaction
from banks.selectors import performance
from banks.services import batch_scoring, datasets, training, versions
from banks.services.scorers import scorer_of
from consortium.accounts.models import Bank, User
from consortium.accounts.tenancy import bank_scope
from consortium.templatetags.figures import money, percent
from tests import make
from tests.banks import world
from tests.browser.conftest import CheckPage, PageOf

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bank(transactional_db: None, settings: LazySettings, tmp_path: Any) -> Bank:
    """Sakura with a year's start of transactions, three versions and open alerts."""
    settings.DATA_DIR = tmp_path
    bank = make.bank("sakura")
    world.with_history(bank, unlabelled_days=10)
    run = training.request_training(bank=bank, actor=make.actor("yui"))
    training.run_training(bank=bank, run_id=run.pk)
    recipe = world.recipe_of(bank)
    prepared = datasets.prepare(bank, recipe)
    with bank_scope(bank.pk):
        alone = ModelVersion.objects.get()
        new = versions.NewVersion(
            origin="consortium",
            family="mlp",
            artifact=bytes(alone.artifact),
            recipe=recipe,
            parameters=alone.parameters,
            scorer=scorer_of(alone),
        )
        versions.add_consortium_version(bank=bank, new=new, prepared=prepared)
        Transaction.objects.update(
            source=Import.objects.create(
                bank=bank, file_name="history.csv", status=ImportStatus.DONE, rows_imported=4000
            )
        )
    batch_scoring.score_waiting(bank=bank)
    return bank


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ja", "dark")])
def test_every_page_is_accessible(
    bank: Bank, page_of: PageOf, check_page: CheckPage, language: str, scheme: str
) -> None:
    with bank_scope(bank.pk):
        alert = Alert.objects.order_by("-expected_loss")[0]
    analyst = page_of("ren", language=language, scheme=scheme)
    for name, address in {
        "work": "",
        "alerts": "alerts/",
        "alert": f"alerts/{alert.pk}/",
        "transactions": "transactions/",
        "transaction": f"transactions/{alert.transaction_id}/",
        "performance": "performance/",
        "settings": "settings/",
    }.items():
        analyst.goto(f"/bank/sakura/{address}")
        check_page(analyst, f"bank-{name}-{language}-{scheme}")
    owner = page_of("yui", language=language, scheme=scheme)
    for name in ("data", "training", "models", "models/1"):
        owner.goto(f"/bank/sakura/{name}/")
        check_page(owner, f"bank-{name.replace('/', '-')}-{language}-{scheme}")
    owner.goto("/bank/sakura/training/")
    owner.get_by_role("rowheader").first.get_by_role("link").click()
    check_page(owner, f"bank-training-run-{language}-{scheme}")


def test_the_slider_shows_what_the_server_would(bank: Bank, page_of: PageOf) -> None:
    page = page_of("ren")
    page.goto("/bank/sakura/performance/")
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get(number=1)
        for cut in [0, 1, *range(90, GRID.bins, 30), GRID.bins]:
            page.locator("#cut").evaluate(
                "(slider, cut) => { slider.value = cut; slider.dispatchEvent(new Event('input')) }",
                cut,
            )
            figures = performance.figures_of(version, cut=cut)
            assert figures is not None
            assert shown(page) == expected(figures), cut


def shown(page: Page) -> dict[str, str]:
    counts = page.locator("#matrix .matrix-count").all_inner_texts()
    values = {
        name: page.locator(f"[data-figure={name}] .figure-value").inner_text()
        for name in ("precision", "recall", "f1", "caught", "missed")
    }
    interval = page.locator("[data-figure=recall] .figure-interval").inner_text()
    return {
        **values,
        "counts": " ".join(counts),
        "recall between": interval.removeprefix("95% interval").strip(),
        "threshold": page.locator("#threshold").inner_text(),
    }


def expected(figures: performance.Figures) -> dict[str, str]:
    found = figures.confusion
    between = found.recall_interval
    assert between is not None
    return {
        "precision": percent(found.precision),
        "recall": percent(found.recall),
        "f1": percent(found.f1),
        "caught": money(figures.value_caught),
        "missed": money(figures.value_missed),
        "counts": f"{found.tp} {found.fn} {found.fp} {found.tn}",
        "recall between": f"{between.low * 100:.1f}–{between.high * 100:.1f}%",
        "threshold": percent(figures.threshold, 2),
    }


def test_without_scripts_the_slider_asks_the_server(bank: Bank, page_of: PageOf) -> None:
    page = page_of("ren", scripts=False)
    page.goto("/bank/sakura/performance/?version=1&cut=300")
    with bank_scope(bank.pk):
        figures = performance.figures_of(ModelVersion.objects.get(number=1), cut=300)
    assert figures is not None
    assert shown(page) == expected(figures)


def test_three_alerts_are_decided_by_keyboard_alone(bank: Bank, page_of: PageOf) -> None:
    page = page_of("aiko")
    page.goto("/bank/sakura/alerts/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("o")
    for key, reason in (("1", "7"), ("2", "1"), ("3", "2")):
        expect(page.locator("#decision")).to_be_visible()
        before = page.url
        page.keyboard.press(key)
        page.keyboard.press(reason)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url, before=before: url != before)
    with bank_scope(bank.pk):
        decided = set(Alert.objects.filter(status="decided").values_list("disposition", flat=True))
    assert decided == {"fraud", "genuine", "cannot_tell"}


def test_several_alerts_are_decided_and_undone_from_the_queue_by_keyboard(
    bank: Bank, page_of: PageOf
) -> None:
    page = page_of("aiko")
    page.goto("/bank/sakura/alerts/")
    for key in ("j", "x", "j", "j", "X"):
        page.keyboard.press(key)
    expect(page.locator(".act-bar-count")).to_contain_text("3 alerts chosen")
    for key in ("2", "2", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#done")).to_contain_text("3 alerts decided: genuine.")
    page.keyboard.press("u")
    expect(page.locator("#done")).to_contain_text("3 alerts: undone.")
    with bank_scope(bank.pk):
        assert not Alert.objects.filter(status="decided").exists()


def test_the_question_mark_shows_the_keys_and_the_profile_switches_them_off(
    bank: Bank, page_of: PageOf
) -> None:
    page = page_of("aiko")
    page.goto("/bank/sakura/alerts/")
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    User.objects.filter(email="aiko@sakura.example").update(shortcuts=False)
    page.reload()
    page.keyboard.press("j")
    expect(page.locator("tr.chosen")).to_have_count(0)


def test_an_alert_names_its_reasons_in_the_readers_language(bank: Bank, page_of: PageOf) -> None:
    page = page_of("aiko", language="en")
    with bank_scope(bank.pk):
        alert = Alert.objects.order_by("-expected_loss")[0]
    page.goto(f"/bank/sakura/alerts/{alert.pk}/")
    expect(page.locator(".reasons")).to_have_count(2)
    expect(page.locator(".reasons").first).not_to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(".reasons").first).to_be_visible()
    reasons = page.locator(".reasons li").all_inner_texts()
    assert len(reasons) >= 5
    assert all(re.search(r"[a-z]+", text) for text in reasons), reasons
    assert not any("_" in text for text in reasons), reasons
