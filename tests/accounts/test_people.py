from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator

from consortium.accounts.models import ApiToken, AuditEntry, Membership, User
from consortium.accounts.services import people
from consortium.protocol.errors import Refused
from tests import make

pytestmark = pytest.mark.django_db


def address(who: str, act: str) -> str:
    return f"/bank/sakura/people/{make.membership(who).pk}/{act}/"


def test_an_administrator_changes_a_role(sign_in) -> None:
    sign_in("haru").post(address("aiko", "role"), {"role": "lead"})
    assert make.membership("aiko").role == "lead"
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.verb, entry.facts["old"], entry.facts["new"]) == (
        "person.role_changed",
        "analyst",
        "lead",
    )


def test_a_role_that_does_not_exist_is_refused(sign_in) -> None:
    answer = sign_in("haru").post(address("aiko", "role"), {"role": "operator"})
    assert answer.status_code == 422
    assert make.membership("aiko").role == "analyst"


@pytest.mark.parametrize("act", ["role", "second-factor", "deactivate"])
def test_nobody_changes_their_own_access(sign_in, act: str) -> None:
    answer = sign_in("haru").post(address("haru", act), {"role": "analyst"})
    assert answer.status_code == 422
    assert make.membership("haru").role == "bank_admin"
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("act", ["role", "second-factor", "deactivate"])
def test_another_bank_s_people_are_out_of_reach(sign_in, act: str) -> None:
    make.bank("fuji")
    theirs = make.membership("aiko")
    answer = sign_in("fumi").post(f"/bank/fuji/people/{theirs.pk}/{act}/", {"role": "lead"})
    assert answer.status_code == 422
    assert make.membership("aiko").role == "analyst"


def test_an_unknown_act_is_not_found(sign_in) -> None:
    assert sign_in("haru").post(address("aiko", "promote")).status_code == 404


def test_an_act_needs_a_post(sign_in) -> None:
    assert sign_in("haru").get(address("aiko", "deactivate")).status_code == 405


def test_a_place_is_never_without_an_administrator() -> None:
    """Two who remove each other: the second finds that their own role is gone."""
    haru, second = make.actor("haru"), make.person("aiko")
    Membership.objects.filter(user=second).update(role="bank_admin")
    aiko = make.actor("aiko")
    people.change_role(actor=haru, membership_id=make.membership("aiko").pk, role="analyst")
    with pytest.raises(Refused) as refused:
        people.deactivate(actor=aiko, membership_id=make.membership("haru").pk)
    assert refused.value.code == "no_longer_allowed"
    assert Membership.objects.filter(role="bank_admin", bank__slug="sakura").count() == 1


def test_even_the_system_leaves_the_last_administrator() -> None:
    from consortium.accounts.actors import system

    bank = make.bank()
    with pytest.raises(Refused) as refused:
        people.deactivate(
            actor=system("cleanup", bank=bank), membership_id=make.membership("haru").pk
        )
    assert refused.value.code == "last_administrator"


def test_deactivation_ends_role_tokens_and_sign_in(sign_in) -> None:
    aiko = sign_in("aiko")
    make.token("aiko")
    sign_in("haru").post(address("aiko", "deactivate"))
    assert not Membership.objects.filter(user__name="Aiko Mori").exists()
    assert ApiToken.objects.get().revoked_at is not None
    assert not User.objects.get(name="Aiko Mori").is_active
    assert aiko.get("/profile/").status_code == 302
    assert AuditEntry.objects.latest("sequence").facts == {"person": "aiko@sakura.example"}


def test_deactivation_in_one_place_leaves_the_other(sign_in) -> None:
    aiko = make.person("aiko")
    Membership.objects.create(user=aiko, bank=make.bank("fuji"), role="auditor")
    own = Membership.objects.get(user=aiko, bank__slug="sakura")
    sign_in("haru").post(f"/bank/sakura/people/{own.pk}/deactivate/")
    aiko.refresh_from_db()
    assert aiko.is_active
    assert aiko.memberships.get().bank.slug == "fuji"


def test_a_lost_second_factor_is_reset(sign_in) -> None:
    aiko = make.person("aiko")
    Authenticator.objects.create(user=aiko, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client = sign_in("haru")
    assert "Reset second factor" in client.get("/bank/sakura/people/").content.decode()
    client.post(address("aiko", "second-factor"))
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.latest("sequence").verb == "person.second_factor_reset"
    assert client.post(address("aiko", "second-factor")).status_code == 422


def test_a_program_does_the_same(program) -> None:
    client = program("haru", "read", "write")
    base = f"/api/v1/banks/sakura/people/{make.membership('aiko').pk}"
    assert client.patch(base, {"role": "lead"}, format="json").json()["role"] == "lead"
    assert client.delete(f"{base}/second-factor").json()["code"] == "no_second_factor"
    assert client.delete(base).status_code == 204
    assert client.delete(base).json()["code"] == "no_such_person"
