from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from consortium.accounts.models import AuditEntry, Invitation, Membership, User
from consortium.accounts.services import invitations
from consortium.protocol.errors import Refused
from tests import make

pytestmark = pytest.mark.django_db
NEW = {"email": "nao@sakura.example", "name": "Nao Kubo", "role": "analyst"}
ANSWER = {
    "name": "Nao Kubo",
    "language": "ja",
    "password": make.PASSWORD,
    "again": make.PASSWORD,
}


@pytest.fixture
def token() -> str:
    return invitations.invite(actor=make.actor("haru"), **NEW)[1]


def test_an_invitation_makes_a_person_with_a_role(client: Client, token: str) -> None:
    response = client.post(f"/invitation/{token}/", ANSWER)
    assert response.status_code == 302
    nao = User.objects.get(email=NEW["email"])
    assert nao.check_password(make.PASSWORD)
    assert (nao.language, nao.memberships.get().role) == ("ja", "analyst")
    assert client.get("/bank/sakura/people/").status_code == 403  # signed in, not an administrator
    assert AuditEntry.objects.latest("sequence").verb == "person.joined"


def test_a_link_works_once(client: Client, token: str) -> None:
    client.post(f"/invitation/{token}/", ANSWER)
    again = Client().post(f"/invitation/{token}/", {**ANSWER, "name": "Mallory"})
    assert again.status_code == 422
    assert "used already" in again.content.decode()
    assert not User.objects.filter(name="Mallory").exists()


def test_two_at_once_make_one_person(token: str) -> None:
    """Both have read the open invitation; the conditional update lets one through."""
    found = invitations.find(token=token)
    invitations._use(found)
    with pytest.raises(Refused, match="used already"):
        invitations._use(found)


def test_an_expired_link_is_refused(client: Client, token: str) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(f"/invitation/{token}/").status_code == 422
    assert client.post(f"/invitation/{token}/", ANSWER).status_code == 422
    assert not User.objects.filter(email=NEW["email"]).exists()


def test_a_withdrawn_link_is_refused(sign_in, client: Client, token: str) -> None:
    invitation = Invitation.objects.get()
    sign_in("haru").post(f"/bank/sakura/people/invitations/{invitation.pk}/withdraw/")
    assert client.get(f"/invitation/{token}/").status_code == 422


def test_another_bank_s_administrator_withdraws_nothing(sign_in, token: str) -> None:
    invitation = Invitation.objects.get()
    answer = sign_in("fumi").post(f"/bank/fuji/people/invitations/{invitation.pk}/withdraw/")
    assert answer.status_code == 422
    assert Invitation.objects.exists()


def test_only_the_hash_of_a_link_is_kept(token: str) -> None:
    stored = " ".join(str(value) for value in Invitation.objects.values_list().get())
    assert token not in stored


def test_a_new_invitation_replaces_the_one_before(client: Client, token: str) -> None:
    _, second = invitations.invite(actor=make.actor("haru"), **NEW)
    assert client.get(f"/invitation/{token}/").status_code == 422
    assert client.get(f"/invitation/{second}/").status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"again": "something else entirely"}, "differ"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "password1234", "again": "password1234"}, "too common"),
        ({"name": ""}, "required"),
    ],
)
def test_what_cannot_be_accepted_is_said_at_its_field(
    client: Client, token: str, change: dict[str, str], said: str
) -> None:
    page = client.post(f"/invitation/{token}/", {**ANSWER, **change})
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not User.objects.filter(email=NEW["email"]).exists()


@pytest.mark.parametrize("role", ["operator", "king", ""])
def test_a_place_gives_only_its_own_roles(role: str) -> None:
    with pytest.raises(Refused) as refused:
        invitations.invite(actor=make.actor("haru"), **{**NEW, "role": role})
    assert refused.value.field == "role"


def test_whoever_works_here_is_not_invited_again(sign_in) -> None:
    colleague = make.person("aiko")
    page = sign_in("haru").post(
        "/bank/sakura/people/", {"name": "Aiko", "email": colleague.email, "role": "lead"}
    )
    assert page.status_code == 422
    assert "already works here" in page.content.decode()


def test_someone_of_another_place_joins_with_their_account(sign_in) -> None:
    kenta = make.person("kenta")
    _, token = invitations.invite(
        actor=make.actor("haru"), email=kenta.email, name="Kenta", role="auditor"
    )
    stranger = Client().post(f"/invitation/{token}/", ANSWER)
    assert "has an account here" in stranger.content.decode()
    assert kenta.check_password(make.PASSWORD)
    other = sign_in("fumi").post(f"/invitation/{token}/join/")
    assert other.status_code == 422
    sign_in("kenta").post(f"/invitation/{token}/join/")
    assert set(Membership.objects.filter(user=kenta).values_list("role", flat=True)) == {
        "analyst",
        "auditor",
    }


def test_a_program_invites_and_accepts(program, client: Client) -> None:
    made = program("haru", "write").post("/api/v1/banks/sakura/invitations", NEW, format="json")
    token = made.json()["link"].rstrip("/").rsplit("/", 1)[1]
    address = f"/api/v1/invitations/{token}/acceptance"
    weak = {"name": "Nao", "language": "ja", "password": "short"}
    refused = client.post(address, weak, content_type="application/json")
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["password"])
    good = {**weak, "password": make.PASSWORD}
    assert client.post(address, good, content_type="application/json").status_code == 201
    assert client.post(address, good, content_type="application/json").status_code == 422
