"""How a bank comes and goes: invited, joined with its own keys, suspended, removed."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from aggregation import keys
from aggregation.models import BankInvitation, NodeContact
from aggregation.refusals import Contradicts
from aggregation.services import ledger
from consortium.accounts import audit
from consortium.accounts.actors import Actor, node
from consortium.accounts.models import Bank
from consortium.accounts.tokens import hash_secret
from consortium.protocol.envelope import Signed, VerifyKey, fingerprint, verify
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import JoinAnswer, JoinRequest

VALID = timedelta(days=7)
VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,39}")
MEMBERS = (Bank.Status.JOINED, Bank.Status.ACTIVE)


@transaction.atomic
def invite_bank(*, actor: Actor, name: str, name_ja: str = "", slug: str = "") -> tuple[Bank, str]:
    """Invite a bank; returns it and the one-time text ``<bank uuid>.<secret>`` of its link.

    The secret is kept nowhere else.
    """
    name = name.strip()
    slug = slug or slugify(name)[:40]
    if not name or not slug:
        raise Refused(
            "name_missing",
            gettext_noop("Give the bank a name and a short name in Latin letters."),
            field="name" if not name else "slug",
        )
    if Bank.objects.filter(slug=slug).exists():
        raise Refused(
            "bank_exists",
            gettext_noop("There is a bank with the short name %(slug)s. Choose another one."),
            field="slug",
            slug=slug,
        )
    bank = Bank.objects.create(name=name, name_ja=name_ja, slug=slug)
    text = _new_link(bank)
    audit.record(actor=actor, verb="bank.invited", target=bank, name=name)
    return bank, text


@transaction.atomic
def renew_invitation(*, actor: Actor, bank: Bank) -> str:
    """A new link for a bank that has not joined yet; the old one is worthless from now on."""
    if not Bank.objects.filter(pk=bank.pk, status=Bank.Status.INVITED).exists():
        raise Contradicts("has_joined", gettext_noop("This bank has joined already."))
    BankInvitation.objects.filter(bank=bank).delete()
    text = _new_link(bank)
    audit.record(actor=actor, verb="invitation.renewed", target=bank)
    return text


def _new_link(bank: Bank) -> str:
    secret = secrets.token_urlsafe(32)
    BankInvitation.objects.create(
        bank=bank, secret_hash=hash_secret(secret), expires_at=timezone.now() + VALID
    )
    return f"{bank.pk}.{secret}"


@transaction.atomic
def join(*, signed: Signed) -> Signed:
    """A bank accepts its invitation with the keys it made; returns the signed ``JoinAnswer``.

    The same request again, after an answer was lost, gets the same answer.
    """
    claimed = JoinRequest.from_wire(signed.body)
    request = verify(signed, JoinRequest, VerifyKey(claimed.signing_key))
    bank_id, _dot, secret = request.invitation.partition(".")
    invitation = (
        BankInvitation.objects.select_for_update(of=("self",))
        .select_related("bank")
        .filter(secret_hash=hash_secret(secret))
        .first()
    )
    if invitation is None or str(invitation.bank_id) != bank_id or signed.signer != bank_id:
        raise _closed()
    bank = invitation.bank
    if invitation.accepted_at is None:
        if invitation.expires_at <= timezone.now():
            raise _closed()
        _keep_keys(bank, request)
        BankInvitation.objects.filter(pk=invitation.pk).update(accepted_at=timezone.now())
        audit.record(
            actor=node(bank),
            verb="bank.joined",
            target=bank,
            fingerprint=fingerprint(request.signing_key),
        )
    elif bytes(bank.signing_key).hex() != request.signing_key:
        raise _closed()
    return keys.signed(JoinAnswer(bank_id, bank.name, keys.verify_key().text))


def _keep_keys(bank: Bank, request: JoinRequest) -> None:
    signing, sealing = bytes.fromhex(request.signing_key), bytes.fromhex(request.sealing_key)
    taken = Bank.objects.exclude(pk=bank.pk)
    if taken.filter(signing_key=signing).exists() or taken.filter(sealing_key=sealing).exists():
        raise Contradicts("key_in_use", gettext_noop("Another bank uses one of these keys."))
    Bank.objects.filter(pk=bank.pk, status=Bank.Status.INVITED).update(
        status=Bank.Status.JOINED, signing_key=signing, sealing_key=sealing
    )


def note_version(*, bank: Bank, version: str) -> None:
    """What a node says of itself when it asks what is next: the version it runs, nothing else."""
    if VERSION.fullmatch(version):
        said = NodeContact.objects.filter(bank=bank).exclude(version=version)
        said.update(version=version)


@transaction.atomic
def suspend_bank(*, actor: Actor, bank: Bank, reason: str) -> None:
    """Refuse the bank's requests from now on; the next run leaves it out."""
    _leave(actor, bank, reason, MEMBERS, Bank.Status.SUSPENDED, "bank.suspended")


@transaction.atomic
def reinstate_bank(*, actor: Actor, bank: Bank, reason: str) -> None:
    """Answer a suspended bank again."""
    _leave(actor, bank, reason, (Bank.Status.SUSPENDED,), Bank.Status.ACTIVE, "bank.reinstated")


@transaction.atomic
def remove_bank(*, actor: Actor, bank: Bank, reason: str) -> None:
    """Refuse the bank for good. Its membership ends with the next roster that the others sign."""
    present = (*MEMBERS, Bank.Status.SUSPENDED, Bank.Status.INVITED)
    _leave(actor, bank, reason, present, Bank.Status.REMOVED, "bank.removed")


def _leave(
    actor: Actor, bank: Bank, reason: str, before: tuple[str, ...], after: str, verb: str
) -> None:
    if not reason.strip():
        raise Refused("reason_missing", gettext_noop("Say why."), field="reason")
    if Bank.objects.filter(pk=bank.pk, status__in=before).update(status=after) != 1:
        raise Contradicts("bank_state", gettext_noop("The bank is not in that state any more."))
    ledger.append(event=verb, facts={"bank": str(bank.pk)})
    audit.record(actor=actor, verb=verb, target=bank, reason=reason)


def _closed() -> Refused:
    return Refused(
        "invitation_closed",
        gettext_noop("This link was used already, has expired or was renewed. Ask for a new one."),
        field="invitation",
    )
