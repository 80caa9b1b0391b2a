"""The main job of a case, from an alert to the file in hand: both languages, both appearances."""

from __future__ import annotations

import io

import pytest
from django.utils import timezone, translation
from playwright.sync_api import Page
from pypdf import PdfReader

from banks.models import Alert, FreezeRequest
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks.test_alerts import an_alert
from tests.browser.conftest import CheckPage, PageOf

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bank(transactional_db: None) -> Bank:
    """Sakura with three alerts of one account, the first decided as a mule's."""
    bank = make.bank("sakura")
    with bank_scope(bank.pk):
        first, *_others = [an_alert(bank, number) for number in (1, 2, 3)]
        Alert.objects.filter(pk=first.pk).update(
            status="decided", disposition="fraud", reason_code="mule", decided_at=timezone.now()
        )
    return bank


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 1280), ("ja", "dark", 360)]
)
def test_from_an_alert_to_the_case_file(
    bank: Bank, page_of: PageOf, check_page: CheckPage, language: str, scheme: str, width: int
) -> None:
    look = {"language": language, "scheme": scheme, "width": width}
    aiko, ren = page_of("aiko", **look), page_of("ren", **look)

    def say(sentence: str) -> str:
        with translation.override(language):
            return translation.gettext(sentence)

    def press(page: Page, sentence: str) -> None:
        page.locator("main").get_by_role("button", name=say(sentence)).first.click()
        page.wait_for_load_state()

    def follow(page: Page, sentence: str) -> None:
        page.locator("main").get_by_role("link", name=say(sentence)).first.click()
        page.wait_for_load_state()

    def pictured(page: Page, name: str) -> None:
        check_page(page, f"cases-{name}-{language}-{scheme}-{width}")

    aiko.goto("/bank/sakura/cases/")
    pictured(aiko, "empty")
    with bank_scope(bank.pk):
        alert = Alert.objects.get(reason_code="mule")
    aiko.goto(f"/bank/sakura/alerts/{alert.pk}/")
    follow(aiko, "Open a case")
    pictured(aiko, "open")
    press(aiko, "Open the case")
    press(aiko, "Take this case")
    aiko.locator("#step-flow").fill("acc-1 → shop-1")
    aiko.locator("#step-flow").press("Enter")
    aiko.wait_for_url("**#checklist")
    pictured(aiko, "case")
    follow(aiko, "New freeze request")
    aiko.locator("[name=requester]").select_option("own")
    aiko.locator("[name=reason]").fill("flows")
    press(aiko, "Submit for approval")
    pictured(aiko, "freeze-submitted")
    ren.goto("/bank/sakura/")
    ren.locator("#approvals + ul a").first.click()
    pictured(ren, "freeze")
    press(ren, "Approve the freeze")
    with bank_scope(bank.pk):
        assert FreezeRequest.objects.get().status == "approved"
    ren.goto("/bank/sakura/cases/")
    pictured(ren, "list")
    ren.keyboard.press("/")
    ren.keyboard.type("acc-1")
    ren.keyboard.press("Enter")
    ren.wait_for_url("**/search/?q=acc-1")
    pictured(ren, "search")
    follow(ren, "C-1")
    address = ren.get_by_role("link", name="PDF").get_attribute("href")
    file = PdfReader(io.BytesIO(ren.request.get(str(address)).body()))
    words = "".join(page.extract_text() for page in file.pages)
    assert "acc-1" in words
    assert say("Freeze requests") in words
