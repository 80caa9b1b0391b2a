"""Accepting the consortium's invitation: keys are made here, only their public halves leave."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import transaction

from banks import keys
from banks.coordinator import join
from banks.models import BankSettings
from consortium.accounts import audit
from consortium.accounts.actors import system
from consortium.accounts.models import Bank, Membership, Role, User
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.envelope import Signed, VerifyKey, sign, verify
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import JoinAnswer, JoinRequest


def accept(
    *,
    invitation: str,
    slug: str,
    admin_email: str,
    admin_name: str,
    admin_password: str,
    language: str = "",
    url: str = "",
) -> Bank:
    """Make this bank's keys, accept the invitation with them, and give it its first administrator.

    ``invitation`` is the one-time text of the link. Trying again after a crash uses the same keys.
    Refused when the invitation is malformed, used or expired.
    """
    bank_id = _bank_of(invitation)
    if Membership.objects.filter(bank_id=bank_id).exists():
        raise Refused(
            "invitation_closed", gettext_noop("This link was used already."), field="invitation"
        )
    keys.make(slug)
    signing, sealing = keys.signing(slug), keys.sealing(slug)
    request = JoinRequest(
        invitation=invitation,
        signing_key=signing.verify_key.text,
        sealing_key=sealing.public,
    )
    answer = Signed.from_wire(
        join(url or settings.COORDINATOR_URL, sign(request, signer=bank_id, key=signing).to_wire())
    )
    claimed = JoinAnswer.from_wire(answer.body)
    joined = verify(answer, JoinAnswer, VerifyKey(claimed.coordinator_key))
    with transaction.atomic():
        bank, _created = Bank.objects.update_or_create(
            pk=bank_id,
            defaults={
                "signing_key": bytes.fromhex(signing.verify_key.text),
                "sealing_key": bytes.fromhex(sealing.public),
            },
            create_defaults={
                "slug": slug,
                "name": joined.name,
                "status": Bank.Status.JOINED,
                "signing_key": bytes.fromhex(signing.verify_key.text),
                "sealing_key": bytes.fromhex(sealing.public),
            },
        )
        _first_administrator(bank, admin_email, admin_name, admin_password, language)
        with bank_scope(bank.pk):
            BankSettings.objects.get_or_create(bank=bank)
            audit.record(
                actor=system("joining", bank=bank),
                verb="invitation.accepted",
                target=bank,
                bank=bank,
                signing_key=signing.verify_key.fingerprint,
                coordinator_key=VerifyKey(joined.coordinator_key).fingerprint,
            )
    return bank


def _bank_of(invitation: str) -> str:
    try:
        return str(uuid.UUID(invitation.partition(".")[0]))
    except ValueError:
        raise Refused(
            "malformed_invitation",
            gettext_noop("This is not an invitation. Copy the whole link that the operator sent."),
            field="invitation",
        ) from None


def _first_administrator(bank: Bank, email: str, name: str, password: str, language: str) -> None:
    user = User.objects.filter(email=email.lower()).first() or User.objects.create_user(
        email, password, name=name, language=language
    )
    Membership.objects.create(user=user, bank=bank, role=Role.BANK_ADMIN)
