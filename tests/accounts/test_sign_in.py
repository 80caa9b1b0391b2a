"""Coming in: password, second factor, recovery codes, and how often one may try."""

from __future__ import annotations

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from consortium.accounts.models import User
from tests import make

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/"


def code_for(secret: str, *, earlier: int = 0) -> str:
    """The code an authenticator app shows now, or ``earlier`` periods ago."""
    now = next(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, now - earlier))


def give_second_factor(user: User) -> str:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return secret


def enter(client: Client, who: str = "haru", password: str = make.PASSWORD) -> str:
    """Send the sign-in form; where it leads ("" when it is shown again)."""
    response = client.post(SIGN_IN, {"login": make.person(who).email, "password": password})
    return response.headers.get("Location", "")


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_the_right_password_opens(client: Client) -> None:
    assert enter(client) == "/"
    assert is_in(client)


def test_a_wrong_password_does_not(client: Client) -> None:
    assert enter(client, password="plum rain over six bridges") == ""
    assert not is_in(client)


def test_the_answer_does_not_say_whether_an_address_is_known(client: Client) -> None:
    make.person("haru")
    pages = [
        client.post(SIGN_IN, {"login": email, "password": "wrong"}).context["form"].errors.as_text()
        for email in ("haru@sakura.example", "nobody@sakura.example")
    ]
    assert pages[0] == pages[1]


def test_a_deactivated_person_does_not_come_in(client: Client) -> None:
    make.person("haru")
    User.objects.update(is_active=False)
    enter(client)
    assert not is_in(client)


def test_nobody_signs_up_uninvited(client: Client) -> None:
    asked = {"email": "x@x.example", "password1": make.PASSWORD, "password2": make.PASSWORD}
    client.post("/accounts/signup/", asked)
    assert not User.objects.exists()


def test_a_second_factor_is_asked_for(client: Client) -> None:
    secret = give_second_factor(make.person("haru"))
    assert enter(client) == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not is_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert is_in(client)


def test_a_code_of_ten_minutes_ago_is_refused(client: Client) -> None:
    secret = give_second_factor(make.person("haru"))
    enter(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret, earlier=20)})
    assert not is_in(client)


def test_a_recovery_code_opens_once(client: Client) -> None:
    user = make.person("haru")
    give_second_factor(user)
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    for browser, opens in ((client, True), (Client(), False)):
        enter(browser)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_in(browser) is opens


def test_someone_sets_up_a_second_factor(client: Client) -> None:
    enter(client)
    address = "/accounts/2fa/totp/activate/"
    assert client.get(address).headers["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": make.PASSWORD, "next": address})
    page = client.get(address)
    secret = page.context["form"].secret
    assert get_adapter().build_totp_svg(page.context["totp_url"])
    client.post(address, {"code": code_for(secret)})
    kinds = set(Authenticator.objects.values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}


def test_a_program_s_token_needs_no_second_factor_but_its_making_did(client: Client) -> None:
    give_second_factor(make.person("haru"))
    enter(client)
    assert client.post("/profile/tokens/", {"name": "x"}).status_code == 302


def test_guessing_is_slowed_down(client: Client) -> None:
    for _ in range(12):
        enter(client, password="wrong")
    assert enter(client) != "/"
    assert not is_in(client)


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "\\\\evil.example", "https:evil", "javascript:0"],
)
def test_signing_in_never_leads_elsewhere(client: Client, elsewhere: str) -> None:
    said = {"login": make.person("haru").email, "password": make.PASSWORD, "next": elsewhere}
    assert client.post(SIGN_IN, said).headers["Location"] == "/"
