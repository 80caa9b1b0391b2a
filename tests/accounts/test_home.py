from __future__ import annotations

import pytest
from django.test import Client

from consortium.accounts.models import Membership, Role
from tests import make

pytestmark = pytest.mark.django_db


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


def test_one_place_opens_at_once(sign_in) -> None:
    response = sign_in("haru").get("/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/bank/sakura/")


def test_several_places_are_offered(sign_in) -> None:
    client = sign_in("haru")
    Membership.objects.create(user=make.person("haru"), bank=make.bank("fuji"), role=Role.AUDITOR)
    page = client.get("/")
    assert page.status_code == 200
    assert b"Sakura Bank" in page.content
    assert b"Fuji Bank" in page.content


def test_someone_without_a_place_is_told_what_to_do(sign_in) -> None:
    client = sign_in("haru")
    Membership.objects.all().delete()
    assert "one-time link" in client.get("/").content.decode()


def test_the_chosen_language_stays_with_the_person(sign_in) -> None:
    client = sign_in("haru")
    client.post("/language/", {"language": "ja", "next": "/profile/"})
    assert make.person("haru").language == "ja"
    assert '<html lang="ja"' in client.get("/profile/").content.decode()


def test_an_unknown_language_changes_nothing(sign_in) -> None:
    client = sign_in("haru")
    client.post("/language/", {"language": "xx"})
    assert make.person("haru").language == ""


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:0"])
def test_switching_never_leads_elsewhere(client: Client, elsewhere: str) -> None:
    response = client.post("/appearance/", {"theme": "dark", "next": elsewhere})
    assert response.headers["Location"] == "/"


def test_the_chosen_appearance_is_in_the_page(client: Client) -> None:
    client.post("/appearance/", {"theme": "dark"})
    assert 'data-bs-theme="dark"' in client.get("/accounts/login/").content.decode()
