from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from consortium.accounts.models import ApiToken, AuditEntry
from consortium.accounts.tokens import hash_secret
from tests import make

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"


def bearing(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_a_token_opens_its_own_place(program) -> None:
    answer = program("haru").get(ME)
    assert answer.status_code == 200
    assert answer.json()["places"] == [{"bank": "sakura", "role": "bank_admin"}]


def test_only_the_hash_of_a_secret_is_kept() -> None:
    token, secret = make.token("haru")
    assert token.secret_hash == hash_secret(secret)
    stored = " ".join(str(value) for value in ApiToken.objects.values_list().get())
    assert secret not in stored


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Bearer cst_unknown", "Bearer " + "x" * 5000]
)
def test_a_header_that_is_no_token_is_refused(header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    assert client.get(ME).status_code == 401


def test_an_expired_token_is_refused_with_the_way_on() -> None:
    token, secret = make.token("haru")
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = bearing(secret).get(ME)
    assert answer.status_code == 401
    assert "expired" in answer.json()["message"]


def test_a_revoked_token_is_refused() -> None:
    token, secret = make.token("haru", ("read", "write"))
    client = bearing(secret)
    assert client.delete(f"/api/v1/tokens/{token.pk}").status_code == 204
    assert client.get(ME).status_code == 401
    verbs = AuditEntry.objects.order_by("sequence").values_list("verb", flat=True)
    assert list(verbs) == ["token.created", "token.revoked"]


def test_a_deactivated_person_s_token_is_refused() -> None:
    token, secret = make.token("haru")
    token.user.is_active = False
    token.user.save()
    assert bearing(secret).get(ME).status_code == 401


def test_a_token_does_only_what_its_scopes_say(program) -> None:
    invite = {"name": "New", "email": "new@sakura.example", "role": "analyst"}
    address = "/api/v1/banks/sakura/invitations"
    assert program("haru", "read").post(address, invite, format="json").status_code == 403
    assert program("haru", "score").get(address).status_code == 403
    assert program("haru", "write").post(address, invite, format="json").status_code == 201


def test_a_token_of_one_place_does_not_open_another() -> None:
    """Even where its owner works in both."""
    fuji = make.membership("fumi")
    _, secret = make.token("haru")
    fuji.user_id = make.person("haru").pk
    fuji.save()
    client = bearing(secret)
    assert client.get("/api/v1/banks/sakura/people").status_code == 200
    assert client.get("/api/v1/banks/fuji/people").status_code == 404
    assert client.get(ME).json()["places"] == [{"bank": "sakura", "role": "bank_admin"}]


def test_nobody_revokes_the_token_of_another(program) -> None:
    token, secret = make.token("fumi")
    assert program("haru", "write").delete(f"/api/v1/tokens/{token.pk}").status_code == 404
    assert bearing(secret).get(ME).status_code == 200


def test_a_program_cannot_give_more_than_it_has(program) -> None:
    asked = {"name": "wider", "bank": "sakura", "scopes": ["write", "score"], "days": 30}
    answer = program("haru", "write").post("/api/v1/tokens", asked, format="json")
    assert answer.status_code == 422
    assert answer.json()["code"] == "more_than_own"
    narrower = {**asked, "scopes": ["write"], "days": 366}
    made = program("haru", "write").post("/api/v1/tokens", narrower, format="json").json()
    assert bearing(made["secret"]).post("/api/v1/tokens", {}, format="json").status_code == 400
    longest = ApiToken.objects.exclude(pk=made["id"]).latest("expires_at").expires_at
    assert ApiToken.objects.get(pk=made["id"]).expires_at <= longest


def test_nobody_makes_a_token_for_a_place_they_do_not_work_in(sign_in) -> None:
    make.bank("fuji")
    client = sign_in("haru")
    asked = {"name": "x", "bank": "fuji", "scopes": ["read"], "days": 30}
    answer = client.post("/api/v1/tokens", asked, content_type="application/json")
    assert answer.status_code == 404
    page = client.post(
        "/profile/tokens/",
        {"name": "x", "place": make.membership("fumi").pk, "scopes": ["read"], "days": "30"},
    )
    assert page.status_code == 422
    assert not ApiToken.objects.exists()


def test_last_use_is_said(sign_in) -> None:
    _, secret = make.token("haru")
    client = sign_in("haru")
    assert "never" in client.get("/profile/").content.decode()
    bearing(secret).get(ME)
    assert ApiToken.objects.get().last_used_at is not None
