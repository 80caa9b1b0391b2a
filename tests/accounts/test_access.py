"""Who may open what: every page and call of people, for every one of the cast."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from rest_framework.test import APIClient

from consortium.accounts.models import Bank
from tests import make

pytestmark = pytest.mark.django_db
INSIDE = {"aiko": 403, "ren": 403, "yui": 403, "haru": 200, "sora": 200}
BANK_PAGES = ["people/", "audit/", "audit/chain/", "audit.csv"]
BANK_CALLS = ["people", "invitations", "audit", "audit/chain"]


@pytest.mark.parametrize("page", BANK_PAGES)
@pytest.mark.parametrize(
    ("who", "answer"), [*INSIDE.items(), ("kenta", 404), ("fumi", 404), ("mio", 404), ("jun", 404)]
)
def test_pages_of_a_bank(sign_in, who: str, answer: int, page: str) -> None:
    make.bank("sakura")
    assert sign_in(who).get(f"/bank/sakura/{page}").status_code == answer


@pytest.mark.parametrize("page", BANK_PAGES)
@pytest.mark.parametrize(
    ("who", "answer"), [("mio", 200), ("jun", 200), ("haru", 404), ("sora", 404), ("aiko", 404)]
)
def test_pages_of_the_centre(sign_in, who: str, answer: int, page: str) -> None:
    assert sign_in(who).get(f"/centre/{page}").status_code == answer


@pytest.mark.parametrize("call", BANK_CALLS)
@pytest.mark.parametrize(("who", "answer"), [*INSIDE.items(), ("fumi", 404), ("mio", 404)])
def test_calls_of_a_bank(program, who: str, answer: int, call: str) -> None:
    make.bank("sakura")
    assert program(who).get(f"/api/v1/banks/sakura/{call}").status_code == answer


@pytest.mark.parametrize("call", BANK_CALLS)
@pytest.mark.parametrize(("who", "answer"), [("mio", 200), ("jun", 200), ("haru", 404)])
def test_calls_of_the_centre(program, who: str, answer: int, call: str) -> None:
    assert program(who).get(f"/api/v1/centre/{call}").status_code == answer


def test_a_stranger_gets_the_same_answer_as_for_a_bank_that_does_not_exist(sign_in) -> None:
    client = sign_in("kenta")
    make.bank("sakura")
    there, nowhere = (client.get(f"/bank/{slug}/people/") for slug in ("sakura", "atlantis"))
    assert there.status_code == nowhere.status_code == 404
    once = re.compile(r'(csrfmiddlewaretoken" value|X-CSRFToken"): ?"\w+"|value="\w{64}"')
    said = [once.sub("", page.content.decode()) for page in (there, nowhere)]
    assert said[0] == said[1].replace("atlantis", "sakura")


@pytest.mark.parametrize("page", ["/bank/sakura/people/", "/centre/audit/", "/profile/"])
def test_the_anonymous_are_sent_to_sign_in(client: Client, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 302
    assert response.headers["Location"] == f"/accounts/login/?next={page}"


@pytest.mark.parametrize("call", ["me", "tokens", "banks/sakura/people", "centre/audit"])
def test_programs_without_a_token_are_told_how(client: Client, call: str) -> None:
    response = client.get(f"/api/v1/{call}")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("who", ["sora", "jun"])
def test_an_auditor_changes_nothing(sign_in, who: str) -> None:
    client = sign_in(who)
    base = "/centre" if who == "jun" else "/bank/sakura"
    invite = {"name": "New", "email": "new@sakura.example", "role": "auditor"}
    assert client.post(f"{base}/people/", invite).status_code == 403
    assert b"Invite a colleague" not in client.get(f"{base}/people/").content


def test_an_auditor_s_token_changes_nothing(program) -> None:
    colleague = make.membership("aiko")
    response = program("sora", "read", "write").patch(
        f"/api/v1/banks/sakura/people/{colleague.pk}", {"role": "lead"}, format="json"
    )
    assert response.status_code == 403


def test_a_deactivated_person_s_session_ends(sign_in) -> None:
    client = sign_in("haru")
    person = make.person("haru")
    person.is_active = False
    person.save()
    assert client.get("/bank/sakura/people/").status_code == 302


def test_the_rail_shows_what_may_be_opened_and_nothing_else(sign_in) -> None:
    for who in ("haru", "aiko"):
        client = sign_in(who)
        page = client.get("/profile/")
        for link in page.context["entries"]:
            assert client.get(link.url).status_code == 200
    names = {str(link.label) for link in sign_in("aiko").get("/profile/").context["entries"]}
    assert "People" not in names


def test_a_page_says_nothing_of_another_bank(sign_in, program) -> None:
    make.person("kenta")
    Bank.objects.filter(slug="fuji").update(name="Canary Bank", name_ja="カナリア銀行")
    browser, machine = sign_in("haru"), program("haru")
    pages = [browser.get(f"/bank/sakura/{page}") for page in BANK_PAGES]
    calls = [machine.get(f"/api/v1/banks/sakura/{call}") for call in [*BANK_CALLS]]
    for answer in [*pages, *calls, machine.get("/api/v1/me"), browser.get("/profile/")]:
        for canary in ("Canary", "カナリア", "kenta", "Kenta"):
            assert canary not in answer.content.decode()


def test_errors_of_the_api_have_one_shape(program) -> None:
    client: APIClient = program("haru", "write")
    answers = [
        client.get("/api/v1/me"),
        client.post("/api/v1/banks/sakura/invitations", {}, format="json"),
        client.post("/api/v1/banks/fuji/invitations", {}, format="json"),
        client.delete("/api/v1/tokens/00000000-0000-0000-0000-000000000000"),
    ]
    assert [answer.status_code for answer in answers] == [403, 400, 404, 404]
    for answer in answers:
        assert set(answer.json()) == {"code", "message", "fields"}
