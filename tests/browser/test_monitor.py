"""The monitor's page in Chromium: charts drawn, nothing hidden from a screen reader."""

from __future__ import annotations

import pytest

from tests import make
from tests.banks import monitored
from tests.browser.conftest import CheckPage, PageOf

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 1280), ("ja", "dark", 360)]
)
def test_drift_is_drawn_and_its_training_can_be_declined(
    page_of: PageOf, check_page: CheckPage, language: str, scheme: str, width: int
) -> None:
    bank = make.bank("sakura")
    make.person("yui")
    monitored.with_monitor(bank)
    page = page_of("yui", language=language, scheme=scheme, width=width)
    page.goto("/bank/sakura/monitor/")
    assert page.locator("[data-chart] svg").count() == 4
    check_page(page, f"monitor-{language}-{scheme}")
    page.locator("details.confirm").nth(1).locator("summary").click()
    page.locator("#no-note").fill("holiday week")
    page.locator("details.confirm").nth(1).locator("button").click()
    page.wait_for_load_state()
    assert page.locator("#proposal-title").count() == 0
