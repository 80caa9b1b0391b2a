"""Coming in, on both sides: every state of the path is clean in both languages and schemes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from aggregation.models import BankInvitation
from banks import keys
from banks.models import AccessEntry, ProtocolLease, TrustedRoster
from consortium.accounts import audit
from consortium.accounts.actors import system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.aggregation.conftest import compared, founded, invited, joined
from tests.browser.conftest import CheckPage, PageOf
from tests.cast import first_roster, player

LOOKS = [("en", "light", 1280), ("ja", "dark", 360)]
looks = pytest.mark.parametrize(("language", "scheme", "width"), LOOKS)


@pytest.fixture(autouse=True)
def _own_folder(transactional_db: None, settings: Any, tmp_path: Any, live_server: Any) -> None:
    settings.DATA_DIR = tmp_path
    settings.ALLOW_SMALL_KEYS = True
    settings.COORDINATOR_URL = live_server.url


@looks
def test_the_centre_s_path(
    page_of: PageOf, check_page: CheckPage, language: str, scheme: str, width: int
) -> None:
    founded(3, name="Payments", name_ja="決済の不正")
    late, _text = invited("Hinoki Bank")
    BankInvitation.objects.filter(bank=late.bank).update(expires_at="2026-01-01T00:00:00Z")
    waiting, second = joined("Kiri Bank"), compared(joined("Sugi Bank"))
    page = page_of("mio", language=language, scheme=scheme, width=width)
    for node in (late, waiting, second):
        slug = Bank.objects.get(pk=node.bank).slug
        page.goto(f"/centre/banks/{slug}/")
        check_page(page, f"admission-{slug}-{language}-{scheme}")


@looks
def test_the_bank_s_path(
    page_of: PageOf, check_page: CheckPage, language: str, scheme: str, width: int
) -> None:
    bank = make.bank()
    page = page_of("haru", language=language, scheme=scheme, width=width)
    page.goto("/bank/sakura/joining/")
    check_page(page, f"joining-begins-{language}-{scheme}")
    keys.make(bank.slug)
    page.goto("/bank/sakura/joining/")
    page.locator(".path-now form button").click()
    check_page(page, f"joining-refused-{language}-{scheme}")  # the centre knows no such keys
    with bank_scope(bank.pk):
        duty = {"duty": "sign_roster", "task": None, "number": 1}
        ProtocolLease.objects.create(bank=bank, for_people=[duty])
    page.goto("/bank/sakura/joining/")
    check_page(page, f"joining-{language}-{scheme}")


@looks
def test_who_agreed_and_who_looked(
    page_of: PageOf, check_page: CheckPage, language: str, scheme: str, width: int
) -> None:
    bank = make.bank()
    keys.make(bank.slug)
    with bank_scope(bank.pk):
        AccessEntry.objects.create(bank=bank, actor="Aiko Mori", what="alert", target="a-1")
        members = sorted((player(f"Bank {n}") for n in range(3)), key=lambda one: one.bank)
        signed = first_roster(members).to_wire()
        facts = {"bank": bank, "task": uuid.uuid4(), "version": 1, "hash": "0" * 64}
        TrustedRoster.objects.create(signed=signed, **facts)
    page = page_of("haru", language=language, scheme=scheme, width=width)
    for name in ("votes", "access"):
        page.goto(f"/bank/sakura/privacy/{name}/")
        check_page(page, f"privacy-{name}-{language}-{scheme}")
    for verb in ("roster.trusted", "share.destroyed"):
        audit.record(actor=system("worker", bank=bank), verb=verb, bank=bank)
    page.goto("/notifications/")
    check_page(page, f"notifications-{language}-{scheme}")
