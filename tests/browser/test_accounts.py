"""People's pages as they see them: two languages, two appearances, small, without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from consortium.accounts import audit
from tests import make

from .conftest import CheckPage, PageOf

pytestmark = [pytest.mark.django_db(transaction=True)]
LOOKS = [("en", "light"), ("ja", "light"), ("en", "dark"), ("ja", "dark")]
PAGES = {
    "profile": "/profile/",
    "people": "/bank/sakura/people/",
    "audit": "/bank/sakura/audit/",
    "second-factor": "/accounts/2fa/",
    "password": "/accounts/password/change/",
    "not-found": "/bank/fuji/people/",
}


@pytest.fixture(autouse=True)
def _everyone(transactional_db: None) -> None:
    for who in make.CAST:
        make.person(who)
    make.token("haru", ("read", "score"))
    for verb in ("bank.joined", "roster.signed", "alerts.exported"):
        audit.record(actor=make.actor("haru"), verb=verb, bank=make.bank(), version=2)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_every_page_is_accessible(
    page_of: PageOf, check_page: CheckPage, language: str, scheme: str
) -> None:
    page = page_of("haru", language=language, scheme=scheme)
    for name, address in PAGES.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.console_errors.clear() if name == "not-found" else None  # type: ignore[attr-defined]
        check_page(page, f"{name}-{language}-{scheme}")
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("data-bs-theme") == scheme
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_the_entrance_is_accessible(
    page_of: PageOf, check_page: CheckPage, language: str, scheme: str
) -> None:
    page = page_of(None, language=language, scheme=scheme)
    page.goto("/")
    check_page(page, f"sign-in-{language}-{scheme}")
    page.goto("/accounts/password/reset/")
    check_page(page, f"password-reset-{language}-{scheme}")


@pytest.mark.parametrize("width", [360, 1920])
def test_pages_fit_small_and_large_screens(
    page_of: PageOf, check_page: CheckPage, width: int
) -> None:
    page = page_of("haru", width=width)
    for name, address in PAGES.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.console_errors.clear() if name == "not-found" else None  # type: ignore[attr-defined]
        check_page(page, f"{name}-{width}")


def test_a_colleague_is_invited_and_comes_in(page_of: PageOf, check_page: CheckPage) -> None:
    page = page_of("haru")
    page.goto("/bank/sakura/people/")
    page.get_by_label("Name", exact=False).last.fill("Nao Kubo")
    page.get_by_label("E-mail address").fill("nao@sakura.example")
    page.get_by_label("Role", exact=True).select_option("analyst")
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("One-time link").input_value()
    check_page(page, "people-invited")

    guest = page_of(None, language="ja")
    guest.goto(link)
    check_page(guest, "invitation-ja")
    guest.locator("#id_password").fill(make.PASSWORD)
    guest.locator("#id_again").fill(make.PASSWORD)
    guest.locator("main button").click()
    expect(guest).to_have_url(re.compile(r"/(profile|bank)/"))
    assert guest.locator("html").get_attribute("lang") == "ja"

    again = page_of(None)
    again.goto(link)
    expect(again.get_by_text("was used already")).to_be_visible()


def test_a_token_is_shown_once(page_of: PageOf, check_page: CheckPage) -> None:
    page = page_of("haru")
    page.goto("/profile/")
    page.locator("#id_name").last.fill("nightly upload")
    page.get_by_role("button", name="Make token").click()
    secret = page.get_by_label("Token", exact=True).input_value()
    assert secret.startswith("cst_")
    check_page(page, "token-made")
    page.goto("/profile/")
    assert secret not in page.content()


def test_the_chain_is_verified_on_the_page(page_of: PageOf, check_page: CheckPage) -> None:
    page = page_of("haru")
    page.goto("/bank/sakura/audit/")
    expect(page.get_by_text("The chain holds")).to_be_visible()


def test_everything_works_without_scripts(page_of: PageOf) -> None:
    page = page_of("haru", scripts=False)
    page.goto("/bank/sakura/audit/")
    page.get_by_role("link", name="Verify the whole chain").click()
    expect(page.get_by_text("The chain holds")).to_be_visible()
    page.get_by_role("link", name="People", exact=True).click()
    row = page.get_by_role("row", name="Aiko Mori")
    row.locator("summary").click()
    row.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Deactivated: no role")).to_be_visible()
    page.locator("summary", has_text="Haru Ito").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_keyboard_reaches_the_page_past_the_frame(page_of: PageOf) -> None:
    page: Page = page_of("haru")
    page.goto("/profile/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
