"""A masked sum under a centre that cheats; one of five banks is gone before the unmasking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from aggregation import keys as centre_keys
from aggregation.models import Round, Submission
from aggregation.selectors import evidence
from aggregation.services import schedules
from banks.services.rounds import advertising, agreement, contribution, course, custody, opening
from banks.services.rounds.node import Node, manifest_of
from consortium.accounts.models import Bank
from consortium.protocol.envelope import Signed, digest, frame, sign, unframe
from consortium.protocol.errors import Refused
from consortium.protocol.spec import (
    FreezeCertificate,
    FreezeProposal,
    FreezeSignature,
    SubmissionHeader,
)
from tests.rounds.consortium import Consortium

SLUGS = ["ume", "kiku", "ran", "sugi", "hagi"]


def refused(code: str, call: Any, *arguments: Any) -> None:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    assert caught.value.code == code, caught.value


class Moves:
    """The first round of a run by masked sums, one step at a time."""

    def __init__(self, consortium: Consortium) -> None:
        for seed, slug in enumerate(SLUGS):
            consortium.join(slug, seed, rows=300)
        consortium.agree("secagg")
        self.round: Round = consortium.run().rounds.get()
        self.id = str(self.round.pk)
        self.banks = sorted(consortium.banks, key=lambda bank: str(bank.pk))
        for bank in self.banks:
            advertising.advertise(Node(bank), self.id)

    def contribute(self, bank: Bank) -> None:
        part = contribution.take_part(Node(bank), self.id)
        assert contribution.prepare_upload(Node(bank), part.pk)
        contribution.submit(Node(bank), self.part(bank))

    def part(self, bank: Bank) -> Any:
        return contribution.known_part(Node(bank), self.id)

    def sign(self, bank: Bank) -> None:
        custody.sign_freeze(Node(bank), self.part(bank))

    def give(self, bank: Bank) -> None:
        opening.open_sum(Node(bank), self.part(bank))

    def add(self, bank: Bank) -> Any:
        terms = agreement.terms(Node(bank), manifest_of(self.part(bank)))
        return opening.certified_sum(terms, self.part(bank))

    def freeze(self) -> FreezeProposal:
        Round.objects.filter(pk=self.id).update(deadline=timezone.now())
        schedules.advance(now=timezone.now())
        self.round.refresh_from_db()
        return FreezeProposal.from_wire(self.round.proposal["body"])

    def certificate(self, proposal: FreezeProposal, signers: list[Bank]) -> FreezeCertificate:
        """As if these banks had signed a list: what their keys alone would make."""
        word = FreezeSignature(proposal.task, self.id, proposal.subject, proposal.hash())
        return FreezeCertificate(
            proposal,
            tuple(sign(word, signer=str(bank.pk), key=Node(bank).signing_key) for bank in signers),
        )


def test_a_masked_sum_outlives_a_bank_and_a_cheating_centre(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = Moves(consortium)
    *there, away = moves.banks
    for bank in there:
        moves.contribute(bank)
    listed = moves.freeze()
    assert listed.banks == tuple(str(bank.pk) for bank in there)

    for bank in moves.banks:
        moves.sign(bank)
    fewer = replace(listed, contributions=listed.contributions[:3])
    other = replace(listed, contributions=(*listed.contributions[:3], _late(moves, away)))
    _proposals_are_refused(moves, there[0], fewer, other)
    _certificates_are_refused(moves, there[0], listed, other, monkeypatch)
    _changed_uploads_are_refused(moves, there[0], there[1])

    for bank in there[1:]:
        moves.give(bank)
    moves.give(there[0])
    _both_kinds_of_share_are_refused(moves, there[0], other, monkeypatch)

    expected = sum(
        np.asarray(course.vector(Node(bank), manifest_of(moves.part(bank)))) for bank in there
    )
    for bank in moves.banks:
        _certificate, sums = opening.opened(Node(bank), moves.part(bank))
        assert sums.tolist() == expected.tolist()


def _late(moves: Moves, bank: Bank) -> Any:
    """A line for a bank that came too late: with it the list would ask for its other share."""
    line = FreezeProposal.from_wire(moves.round.proposal["body"]).contributions[0]
    return replace(line, bank=str(bank.pk), submission=digest(b"late"))


def _proposals_are_refused(
    moves: Moves, bank: Bank, fewer: FreezeProposal, other: FreezeProposal
) -> None:
    kept = moves.round.proposal
    for proposal, code in ((fewer, "cohort_too_small"), (other, "second_list")):
        Round.objects.filter(pk=moves.id).update(proposal=centre_keys.signed(proposal).to_wire())
        refused(code, moves.sign, bank)
    Round.objects.filter(pk=moves.id).update(proposal=kept)


def _certificates_are_refused(
    moves: Moves,
    bank: Bank,
    listed: FreezeProposal,
    other: FreezeProposal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything was given: three words are no quorum, whatever they were given for."""
    with monkeypatch.context() as patch:
        for proposal in (listed, other):
            forged = moves.certificate(proposal, moves.banks[:3]).to_wire()
            patch.setattr(evidence, "certificate", lambda _round, forged=forged: forged)
            if proposal is listed:
                refused("no_quorum", moves.give, bank)
            else:
                with pytest.raises(Refused):
                    moves.give(bank)


def _changed_uploads_are_refused(moves: Moves, bank: Bank, of: Bank) -> None:
    """An offset added to a masked vector, and one bank's upload in another's place."""
    row = Submission.objects.get(round=moves.id, bank=of)
    kept = bytes(row.body)
    head, (words, roll) = unframe(kept, len(kept))
    offset = bytes([words[0] ^ 1]) + words[1:]
    another = bytes(Submission.objects.get(round=moves.id, bank=bank).body)
    signed = Signed.from_wire(head)
    claims = SubmissionHeader.from_wire(signed.body)
    resigned = centre_keys.signed(replace(claims, ciphertexts=digest(offset)))
    for body, code in (
        (frame(head, offset, roll), "bad_submission"),
        (another, "bad_submission"),
        (frame(resigned.to_wire(), offset, roll), "not_a_member"),
    ):
        Submission.objects.filter(pk=row.pk).update(body=body)
        refused(code, moves.add, bank)
    Submission.objects.filter(pk=row.pk).update(body=kept)


def _both_kinds_of_share_are_refused(
    moves: Moves, bank: Bank, other: FreezeProposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a list that a quorum signed is too late: this bank has given for another one."""
    with monkeypatch.context() as patch:
        forged = moves.certificate(other, moves.banks).to_wire()
        patch.setattr(evidence, "certificate", lambda _round: forged)
        refused("second_list", moves.give, bank)
