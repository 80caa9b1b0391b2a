"""What a bank checks before each act, whatever the centre says.

Pure functions: the bank passes in what it remembers (the roster it verified, its own receipt, what
it signed and opened before) and each function either returns or raises ``ProtocolRefused``. The
memory must be durable: an ``Act`` is stored *before* the signature or the partial leaves the bank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consortium.protocol.envelope import COORDINATOR, Signed, VerifyKey, digest, verify
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.merkle import check_consistency
from consortium.protocol.packing import layouts_of, require_laboratory_size
from consortium.protocol.receipts import TreeHead
from consortium.protocol.roster import Roster, SignedRoster, verify_roster_chain
from consortium.protocol.spec import (
    RISK_SIGNAL,
    Epoch,
    FreezeCertificate,
    FreezeProposal,
    FreezeSignature,
    Manifest,
    PartialHeader,
    Receipt,
    SubmissionHeader,
)

LONGEST_ROUND_SECONDS = 30 * 24 * 3600
WITNESSES = 2


@dataclass(frozen=True)
class Act:
    """One freeze list that this bank signed, or one sum that it gave a partial for."""

    subject: str
    round: str
    proposal: str
    banks: tuple[str, ...]

    @classmethod
    def on(cls, proposal: FreezeProposal) -> Act:
        return cls(proposal.subject, proposal.round, proposal.hash(), proposal.banks)


def check_roster(chain: list[SignedRoster], *, known: Mapping[int, str]) -> Roster:
    """The newest valid roster. ``known``: version → hash of the versions accepted before."""
    newest = verify_roster_chain(chain)
    served = {signed.roster.version: signed.roster.hash() for signed in chain}
    for version, accepted in known.items():
        if served.get(version) != accepted:
            raise ProtocolRefused(
                "roster_changed",
                _("Roster version %(version)s is not the one that this bank accepted."),
                version=version,
            )
    return newest


def check_epoch(epoch: Epoch, signatures: Iterable[Signed], *, roster: Roster) -> None:
    """Refuse a key that is not for this roster, or lacks its dealer's and two witnesses' word."""
    signers = {signed.signer for signed in signatures if check_epoch_word(signed, epoch, roster)}
    if epoch.dealer not in signers or len(signers) < 1 + WITNESSES:
        raise ProtocolRefused(
            "epoch_unsigned", _("The key lacks the signatures of its dealer and two witnesses.")
        )


def check_epoch_proposal(epoch: Epoch, signed: Signed, *, roster: Roster) -> None:
    """Refuse to witness a key that is not for this roster, or that its dealer did not sign."""
    check_epoch_word(signed, epoch, roster)
    if signed.signer != epoch.dealer:
        raise ProtocolRefused("epoch_unsigned", _("The key lacks its dealer's signature."))


def check_epoch_word(signed: Signed, epoch: Epoch, roster: Roster) -> Epoch:
    """``epoch`` if ``signed`` is a member's word on it and it belongs to ``roster``."""
    if (epoch.task, epoch.roster) != (roster.task, roster.hash()):
        raise ProtocolRefused("bad_epoch", _("The key was made for another roster."))
    if tuple(custodian.bank for custodian in epoch.custodians) != roster.banks:
        raise ProtocolRefused("bad_epoch", _("The key's custodians are not the roster's banks."))
    if verify(signed, Epoch, roster.verify_key(signed.signer)) != epoch:
        raise ProtocolRefused("bad_epoch", _("The signature belongs to another key."))
    return epoch


def check_manifest(
    signed: Signed, *, roster: Roster, epoch: Epoch, purposes: Iterable[str], now: int
) -> Manifest:
    """The manifest in ``signed`` if this bank may take part under it.

    ``purposes`` are those the bank agreed to, ``now`` is Unix time. The caller compares
    ``base_model`` with the bytes it starts from (``check_base_model``).
    """
    manifest = verify(_from_centre(signed), Manifest, VerifyKey(roster.coordinator_key))
    if (manifest.task, manifest.roster) != (roster.task, roster.hash()):
        raise _bad_manifest(_("The manifest names a roster that the members did not sign."))
    if (manifest.epoch, manifest.key_id) != (epoch.epoch, epoch.key_id):
        raise _bad_manifest(_("The manifest names another key than this roster's."))
    if (manifest.protocol, manifest.key_bits) != (epoch.protocol, epoch.key_bits):
        raise _bad_manifest(_("The manifest's protocol is not the key's."))
    if manifest.layout not in layouts_of(manifest.protocol):
        raise _bad_manifest(_("The manifest's layout is not one of its protocol."))
    if manifest.protocol == "paillier-phe":
        require_laboratory_size(manifest.length)
    numbers = roster.numbers
    if (manifest.threshold, manifest.quorum) != (numbers.threshold, numbers.quorum):
        raise _bad_manifest(_("The manifest's quorum is not the roster's."))
    if manifest.minimum_cohort < numbers.minimum_cohort:
        raise _bad_manifest(_("The manifest allows too small a cohort."))
    if not set(manifest.members) <= set(roster.banks):
        raise _bad_manifest(_("The manifest lists a bank that is not in the roster."))
    if len(manifest.members) < manifest.minimum_cohort:
        raise _bad_manifest(_("The manifest lists fewer banks than its cohort needs."))
    if manifest.purpose not in set(purposes):
        raise _bad_manifest(_("This bank did not agree to the manifest's purpose."))
    if not now < manifest.deadline <= now + LONGEST_ROUND_SECONDS:
        raise _bad_manifest(_("The manifest's deadline is past or too far away."))
    return manifest


def check_base_model(manifest: Manifest, base_model: bytes) -> None:
    """Refuse to train from other bytes than every other bank trains from."""
    if digest(base_model) != manifest.base_model:
        raise ProtocolRefused(
            "other_model", _("The manifest starts from another model than this bank derived.")
        )


def check_receipt(signed: Signed, *, header: SubmissionHeader, roster: Roster) -> Receipt:
    """The receipt in ``signed`` if it is the centre's promise for exactly this submission."""
    receipt = verify(_from_centre(signed), Receipt, VerifyKey(roster.coordinator_key))
    same = (receipt.task, receipt.round, receipt.bank, receipt.submission)
    if same != (header.task, header.round, header.bank, header.hash()):
        raise ProtocolRefused("bad_receipt", _("The receipt is for another submission."))
    return receipt


def check_freeze(
    signed: Signed,
    *,
    manifest: Manifest,
    roster: Roster,
    bank: str,
    receipt: Receipt | None,
    acts: Iterable[Act],
) -> FreezeProposal:
    """The list in ``signed`` if ``bank`` may sign it.

    ``receipt`` is the bank's own for this round (None if it has none), ``acts`` every list it
    signed for this task. After this returns, store ``Act.on(proposal)`` and then sign.
    """
    proposal = verify(_from_centre(signed), FreezeProposal, VerifyKey(roster.coordinator_key))
    check_list(proposal, manifest=manifest)
    listed = {item.bank: item.submission for item in proposal.contributions}
    if listed.get(bank) != (receipt.submission if receipt else None):
        raise _bad_freeze(_("The list does not honour this bank's own receipt."))
    check_once(proposal, acts)
    return proposal


def check_list(proposal: FreezeProposal, *, manifest: Manifest) -> None:
    """Refuse a list of another round, below the cohort, with a stranger or a bank twice."""
    same = (proposal.task, proposal.round, proposal.manifest, proposal.subject)
    if same != (manifest.task, manifest.round, manifest.hash(), manifest.subject):
        raise _bad_freeze(_("The list belongs to another round."))
    if list(proposal.banks) != sorted(set(proposal.banks)):
        raise _bad_freeze(_("The list must name every bank once, in order."))
    if len({item.submission for item in proposal.contributions}) != len(proposal.banks):
        raise _bad_freeze(_("The list names one submission twice."))
    if not set(proposal.banks) <= set(manifest.members):
        raise _bad_freeze(_("The list names a bank that may not take part."))
    if len(proposal.banks) < manifest.minimum_cohort:
        raise ProtocolRefused(
            "cohort_too_small",
            _("The list has %(listed)s banks; a sum needs at least %(needed)s."),
            listed=len(proposal.banks),
            needed=manifest.minimum_cohort,
        )


def check_once(proposal: FreezeProposal, acts: Iterable[Act]) -> None:
    """Refuse a second list: for the same round any other, for the same subject other banks."""
    for act in acts:
        if act.round == proposal.round and act.proposal != proposal.hash():
            raise ProtocolRefused(
                "second_list", _("This bank has signed another list for this round.")
            )
        if act.subject == proposal.subject and act.banks != proposal.banks:
            raise ProtocolRefused(
                "other_members",
                _("This sum was frozen before with other banks; the difference would show one."),
            )


def readers(proposal: FreezeProposal, *, manifest: Manifest, roster: Roster) -> tuple[str, ...]:
    """The banks that the uploads, and what custodians give, are for.

    A model is for every member. A signal tells banks about one another's customers: its sums are
    for those that are in them, and a custodian seals what it gives to no other.
    """
    return proposal.banks if manifest.purpose == RISK_SIGNAL else roster.banks


def too_few_apart(banks: Iterable[str], before: Iterable[str], *, least: int) -> bool:
    """Whether two sums over the same data differ by banks, but by fewer than a cohort.

    Their difference would be a sum that nobody would have opened by itself.
    """
    return 0 < len(set(banks) ^ set(before)) < least


def check_certificate(certificate: FreezeCertificate, roster: Roster) -> None:
    """Refuse a certificate without valid signatures of a quorum of the roster's banks."""
    proposal = certificate.proposal
    word = FreezeSignature(proposal.task, proposal.round, proposal.subject, proposal.hash())
    signers = set()
    for signed in certificate.signatures:
        if verify(signed, FreezeSignature, roster.verify_key(signed.signer)) != word:
            raise _bad_freeze(_("A freeze signature belongs to another list."))
        signers.add(signed.signer)
    if len(signers) < roster.numbers.quorum:
        raise ProtocolRefused(
            "no_quorum",
            _("The list has %(signed)s of %(needed)s signatures it needs."),
            signed=len(signers),
            needed=roster.numbers.quorum,
        )


def check_submission(
    signed: Signed,
    ciphertexts: bytes,
    proof: bytes,
    *,
    manifest: Manifest,
    roster: Roster,
) -> SubmissionHeader:
    """The header of a bank's upload if the bank signed exactly these bytes for this round.

    Ranges of the ciphertexts (``paillier.check``) and the proof (``popk.verify_knowledge``) are
    checked after this by both the centre and the custodians.
    """
    if signed.signer not in manifest.members:
        raise ProtocolRefused(
            "not_a_member", _("Bank %(bank)s may not take part in this round."), bank=signed.signer
        )
    header = verify(signed, SubmissionHeader, roster.verify_key(signed.signer))
    if header.bank != signed.signer:
        raise _bad_submission(_("The submission is signed by another bank than it names."))
    if (header.task, header.round) != (manifest.task, manifest.round):
        raise ProtocolRefused("other_round", _("The submission belongs to another round."))
    if header.manifest != manifest.hash():
        raise ProtocolRefused("other_round", _("The submission was made under another manifest."))
    if (header.ciphertexts, header.proof) != (digest(ciphertexts), digest(proof)):
        raise _bad_submission(_("The submission's bytes are not those that were signed."))
    return header


def check_opening(
    certificate: FreezeCertificate,
    headers: Iterable[SubmissionHeader],
    *,
    manifest: Manifest,
    roster: Roster,
    acts: Iterable[Act],
) -> None:
    """Refuse to give a partial unless it is for the certified list, whole, and the first of it.

    ``headers`` are those of the uploads the custodian fetched and added itself (each went through
    ``check_submission``); ``acts`` every opening it took part in for this task. After this
    returns, store ``Act.on(certificate.proposal)`` and then release the partial.
    """
    proposal = certificate.proposal
    check_list(proposal, manifest=manifest)
    check_certificate(certificate, roster)
    added = [(header.bank, header.hash()) for header in headers]
    if sorted(added) != [(item.bank, item.submission) for item in proposal.contributions]:
        raise ProtocolRefused(
            "other_sum", _("The uploads added are not exactly those of the certified list.")
        )
    check_once(proposal, acts)


def check_partial(
    signed: Signed,
    payload: bytes,
    *,
    certificate: FreezeCertificate,
    aggregate: str,
    epoch: Epoch,
    roster: Roster,
) -> PartialHeader:
    """The header of a custodian's partial if it is for the sum this bank computed itself.

    ``payload`` is the unsealed payload, ``aggregate`` the SHA-256 of the own product ciphertexts.
    The proof inside (``threshold.verify_partials``) is checked after this.
    """
    header = verify(signed, PartialHeader, roster.verify_key(signed.signer))
    if header.bank != signed.signer or header.index != epoch.index_of(header.bank):
        raise _bad_partial(_("The partial decryption names another custodian than signed it."))
    if header.proposal != certificate.proposal.hash():
        raise _bad_partial(_("The partial decryption belongs to another round."))
    if header.aggregate != aggregate:
        raise _bad_partial(_("The custodian opened another sum than the certified one."))
    if header.payload != digest(payload):
        raise _bad_partial(_("The custodian sent this bank another partial than it signed."))
    return header


def check_head_continues(
    head: TreeHead, *, last: TreeHead | None, proof: Iterable[str] = ()
) -> None:
    """Refuse to cosign a head that does not continue the one this bank cosigned ``last``."""
    if last is None:
        return
    if head.size < last.size:
        raise ProtocolRefused("log_shrank", _("The log is shorter than this bank saw it before."))
    check_consistency(last.size, last.root, head.size, head.root, list(proof))


def _from_centre(signed: Signed) -> Signed:
    if signed.signer != COORDINATOR:
        raise ProtocolRefused("bad_signature", _("The message must be signed by the centre."))
    return signed


def _bad_manifest(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_manifest", sentence)


def _bad_freeze(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_freeze", sentence)


def _bad_submission(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_submission", sentence)


def _bad_partial(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_partial", sentence)
