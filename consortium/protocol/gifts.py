"""What a newcomer is given: bytes that the members agreed on before it came.

Everything that can be public comes from the centre as an ``Offer``: the manifest under which the
bytes came about, its freeze certificate, and the members' signed words on their SHA-256. Only the
bytes themselves come from a peer, in a box that the newcomer alone opens. So the newcomer believes
neither the centre nor the peer: it believes the members' signatures.

``GiftRequest`` (newcomer) → ``Gift`` with a box (peer) → ``GiftReceipt`` (centre) → ``GiftVerdict``
(newcomer).
"""

from __future__ import annotations

from dataclasses import dataclass

from consortium.protocol import custody
from consortium.protocol.envelope import Signed, VerifyKey, canonical, digest, verify
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.roster import Roster
from consortium.protocol.sealing import OVERHEAD_BYTES
from consortium.protocol.spec import (
    METRICS,
    RISK_SIGNAL,
    DerivedResult,
    FreezeCertificate,
    Manifest,
    ModelVote,
)
from consortium.protocol.wire import (
    Count,
    Digest,
    Identifier,
    Message,
    Positive,
    Record,
    Seconds,
    Text,
)

PATIENCE_SECONDS = 600
"""How long a newcomer waits for one peer before it asks the next."""
LARGEST_GIFT = 60 * 1024 * 1024
LARGEST_BOX = LARGEST_GIFT + OVERHEAD_BYTES


@dataclass(frozen=True)
class Offer(Record):
    """What the members agreed on, as everybody may see it.

    ``subject`` is the SHA-256 of the bytes. Of a published model: ``words`` are the banks' signed
    ``ModelVote``s and ``manifest`` is that of the metrics round, which started from the model. Of
    opened sums: ``words`` are the banks' signed ``DerivedResult``s of the manifest's round.
    """

    task: Identifier
    run: Identifier
    subject: Digest
    manifest: Signed
    certificate: FreezeCertificate
    words: tuple[Signed, ...]


@dataclass(frozen=True)
class GiftRequest(Message):
    """Signed by the newcomer. ``roster`` is the hash of the version that made it a member."""

    kind = "gift-request"

    task: Identifier
    run: Identifier
    subject: Digest
    bank: Identifier
    peer: Identifier
    roster: Digest
    attempt: Positive


@dataclass(frozen=True)
class Gift(Message):
    """Signed by the peer; the upload is ``frame(signed gift, box)``.

    ``request`` is the hash of the request it answers, ``box`` the SHA-256 of the sealed bytes,
    which open under ``gift_context``.
    """

    kind = "gift"

    task: Identifier
    subject: Digest
    request: Digest
    giver: Identifier
    recipient: Identifier
    box: Digest


@dataclass(frozen=True)
class GiftReceipt(Message):
    """The centre's word, signed: ``gift`` is in the log at ``log_index``."""

    kind = "gift-receipt"

    task: Identifier
    giver: Identifier
    gift: Digest
    log_index: Count
    entry: Digest
    received_at: Seconds


@dataclass(frozen=True)
class GiftVerdict(Message):
    """What the newcomer says of an answer, or of none: signed, so that nobody says it for it."""

    kind = "gift-verdict"

    task: Identifier
    subject: Digest
    request: Digest
    bank: Identifier
    peer: Identifier
    accept: bool
    reason: Text


def gift_context(request: str, giver: str, recipient: str) -> bytes:
    """What a gift's box is sealed under."""
    return canonical(["consortium", "gift", request, giver, recipient])


def peers_in_order(offer: Offer, newest: Roster, newcomer: str) -> tuple[str, ...]:
    """Whom to ask, first to last: members that hold the bytes, in an order nobody chooses.

    The banks of the certificate hold them: they measured the model, or are in the opened sum.
    Newcomers are spread over them by a hash.
    """
    able = set(offer.certificate.proposal.banks) & set(newest.banks) - {newcomer}

    def place(bank: str) -> str:
        return digest(canonical(["gift-order", offer.subject, newcomer, bank]))

    return tuple(sorted(able, key=place))


def check_offer(offer: Offer, *, roster: Roster) -> Manifest:
    """The manifest of an offer that the banks of ``roster`` agreed on.

    ``roster`` is the version that the manifest names, from a chain that the caller verified.
    """
    manifest = verify(offer.manifest, Manifest, VerifyKey(roster.coordinator_key))
    if manifest.roster != roster.hash():
        raise _bad_offer(_("The offer names a roster that the members did not sign."))
    if (manifest.task, manifest.run) != (offer.task, offer.run):
        raise _bad_offer(_("The offer's manifest belongs to another run."))
    custody.check_list(offer.certificate.proposal, manifest=manifest)
    custody.check_certificate(offer.certificate, roster)
    if manifest.purpose == RISK_SIGNAL:
        _check_results(offer, roster)
    else:
        _check_votes(offer, manifest, roster)
    return manifest


def _check_votes(offer: Offer, manifest: Manifest, roster: Roster) -> None:
    """A model is the members' when most of them accepted it and measured it afterwards."""
    if (manifest.step, manifest.base_model) != (METRICS, offer.subject):
        raise _bad_offer(_("The offer's manifest is about another model."))
    accepted = set()
    for signed in offer.words:
        vote = verify(signed, ModelVote, roster.verify_key(signed.signer))
        if (vote.bank, vote.task, vote.run, vote.model) != (
            signed.signer,
            offer.task,
            offer.run,
            offer.subject,
        ):
            raise _bad_offer(_("A vote in the offer is about another model."))
        if vote.accept:
            accepted.add(vote.bank)
    _require(len(accepted), len(roster.members) // 2 + 1)


def _check_results(offer: Offer, roster: Roster) -> None:
    """Opened sums are the members' when more signed their hash than may collude."""
    proposal = offer.certificate.proposal
    agreed = set()
    for signed in offer.words:
        found = verify(signed, DerivedResult, roster.verify_key(signed.signer))
        if (found.bank, found.round, found.proposal, found.result, found.next) != (
            signed.signer,
            proposal.round,
            proposal.hash(),
            offer.subject,
            None,
        ):
            raise _bad_offer(_("A result in the offer is about another sum."))
        agreed.add(found.bank)
    _require(len(agreed), roster.numbers.threshold)


def _require(have: int, need: int) -> None:
    if have < need:
        raise ProtocolRefused(
            "offer_unsigned",
            _("The offer has %(have)s of the %(need)s members' words that it needs."),
            have=have,
            need=need,
        )


def check_request(signed: Signed, *, me: str, newest: Roster) -> GiftRequest:
    """The request in ``signed`` if a member of the newest roster made it, and of this bank."""
    request = verify(signed, GiftRequest, newest.verify_key(signed.signer))
    if (request.bank, request.peer) != (signed.signer, me):
        raise _bad_request(_("The request names other banks than its own and this one."))
    if (request.task, request.roster) != (newest.task, newest.hash()):
        raise _bad_request(_("The request was made under another roster."))
    return request


def check_gift(signed: Signed, box: bytes, *, request: GiftRequest, newest: Roster) -> Gift:
    """The gift in ``signed`` if the asked peer closed exactly this box for this request.

    What fails here was changed on the way: the peer is not to blame.
    """
    key = newest.verify_key(request.peer)
    gift = verify(signed, Gift, key)
    expected = Gift(
        task=request.task,
        subject=request.subject,
        request=request.hash(),
        giver=request.peer,
        recipient=request.bank,
        box=digest(box),
    )
    if signed.signer != request.peer or gift != expected:
        raise ProtocolRefused(
            "gift_changed",
            _("The coordinator handed out another box than %(peer)s signed for this request."),
            peer=request.peer,
        )
    return gift


def wrong_bytes(peer: str) -> ProtocolRefused:
    """What a peer is named with whose box holds other bytes than the members signed."""
    return ProtocolRefused(
        "wrong_gift",
        _("%(peer)s gave other bytes than the members signed."),
        peer=peer,
    )


def check_bytes(content: bytes, *, request: GiftRequest) -> bytes:
    """``content`` if it is what the members signed; refused by the name of the peer."""
    if digest(content) != request.subject:
        raise wrong_bytes(request.peer)
    return content


def check_receipt(signed: Signed, *, gift: Gift, roster: Roster) -> GiftReceipt:
    """The receipt in ``signed`` if it is the centre's promise for exactly this gift."""
    receipt = verify(signed, GiftReceipt, VerifyKey(roster.coordinator_key))
    if (receipt.task, receipt.giver, receipt.gift) != (gift.task, gift.giver, gift.hash()):
        raise ProtocolRefused("bad_receipt", _("The receipt is for another gift."))
    return receipt


def gift_facts(gift: Gift) -> dict[str, str]:
    """What the log's entry says about a gift."""
    return {
        "task": gift.task,
        "subject": gift.subject,
        "giver": gift.giver,
        "recipient": gift.recipient,
        "gift": gift.hash(),
    }


def _bad_offer(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_offer", sentence)


def _bad_request(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_request", sentence)
