from __future__ import annotations

import pytest

from tests import make

pytestmark = pytest.mark.django_db
SAID = {"name": "Haru Itō", "language": "ja", "zone": "Europe/Paris"}


def test_a_person_changes_their_own_profile(sign_in) -> None:
    client = sign_in("haru")
    client.post("/profile/", SAID)
    haru = make.person("haru")
    assert (haru.name, haru.language, haru.zone) == ("Haru Itō", "ja", "Europe/Paris")


@pytest.mark.parametrize(
    "change", [{"zone": "Mars/Olympus"}, {"language": "tlh"}, {"name": ""}, {"name": "x" * 121}]
)
def test_what_does_not_exist_is_refused(sign_in, change: dict[str, str]) -> None:
    client = sign_in("haru")
    assert client.post("/profile/", {**SAID, **change}).status_code == 422
    assert make.person("haru").name == "Haru Ito"


def test_a_name_is_shown_as_text(sign_in) -> None:
    client = sign_in("haru")
    client.post("/profile/", {**SAID, "name": "<script>alert(1)</script>"})
    page = client.get("/profile/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_secret_is_shown_in_one_answer_only(sign_in) -> None:
    client = sign_in("haru")
    asked = {
        "name": "upload",
        "place": make.membership("haru").pk,
        "scopes": ["read"],
        "days": "30",
    }
    made = client.post("/profile/tokens/", asked)
    assert made.status_code == 201
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert secret not in client.get("/profile/").content.decode()


def test_times_are_in_the_reader_s_zone(sign_in) -> None:
    client = sign_in("haru")
    make.token("haru")
    client.post("/profile/", SAID)
    client.post("/language/", {"language": "en"})
    from consortium.accounts.models import ApiToken

    ApiToken.objects.update(last_used_at="2026-07-01T22:30:00Z")
    assert "2 Jul 2026 00:30 CEST" in client.get("/profile/").content.decode()
