from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.protocol.duties import Duty, NextDuties
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.spec import (
    Box,
    DerivedResult,
    Epoch,
    FreezeCertificate,
    FreezeProposal,
    FreezeSignature,
    JoinAnswer,
    JoinRequest,
    Manifest,
    ModelVote,
    PartialHeader,
    Receipt,
    Step,
    SubmissionHeader,
    payload_context,
    starting_point,
    values_digest,
)
from consortium.protocol.wire import Message
from tests.cast import (
    NOW,
    TASK,
    a_certificate,
    a_header,
    a_manifest,
    a_proposal,
    a_receipt,
    an_epoch,
    digest_of,
    first_roster,
    identifier,
    players,
)

CAST = players(5)
ROSTER = first_roster(CAST).roster
MANIFEST = a_manifest(ROSTER)
PROPOSAL = a_proposal(CAST, MANIFEST)
VALUES = (3, 0, 2**40)
PUBLISHED = DerivedResult(
    TASK, MANIFEST.round, CAST[0].bank, PROPOSAL.hash(), values_digest(VALUES), None, VALUES
)
RECORDS = [
    MANIFEST,
    an_epoch(ROSTER),
    a_header(CAST[0], MANIFEST),
    a_receipt(CAST[0], MANIFEST),
    PROPOSAL,
    FreezeSignature(TASK, MANIFEST.round, MANIFEST.subject, PROPOSAL.hash()),
    a_certificate(CAST[:4], PROPOSAL),
    PartialHeader(
        TASK,
        MANIFEST.round,
        CAST[0].bank,
        1,
        PROPOSAL.hash(),
        digest_of("aggregate"),
        digest_of("payload"),
        tuple(Box(p.bank, digest_of(p.name)) for p in CAST),
    ),
    PUBLISHED,
    DerivedResult(
        TASK,
        MANIFEST.round,
        CAST[0].bank,
        PROPOSAL.hash(),
        digest_of("state"),
        Step("update", 16, 40, 3),
        None,
    ),
    ModelVote(TASK, MANIFEST.run, CAST[0].bank, digest_of("model"), True, "better"),  # noqa: FBT003
    JoinRequest("token", digest_of("key"), digest_of("sealing")),
    JoinAnswer(CAST[0].bank, "Bank 0", digest_of("centre")),
    NextDuties(
        (Duty("submit", TASK, MANIFEST.run, MANIFEST.round, None, None, None, NOW),), 2, NOW
    ),
]
by_type = pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)


@by_type
def test_a_record_comes_back_from_its_bytes(record):
    assert type(record).from_wire(json.loads(record.to_bytes())) == record


@by_type
def test_no_field_may_be_missing_added_or_of_another_type(record):
    wire = record.to_wire()
    for name in wire:
        for changed in (
            {k: v for k, v in wire.items() if k != name},
            {**wire, name: 1.5},
            {**wire, name: [None]},
        ):
            with pytest.raises(ProtocolRefused):
                type(record).from_wire(changed)
    with pytest.raises(ProtocolRefused, match="unknown"):
        type(record).from_wire({**wire, "unexpected": None})


def test_every_message_has_a_kind_of_its_own():
    kinds = [cls.kind for cls in Message.__subclasses__()]
    assert len(kinds) == len(set(kinds))
    assert {Manifest, SubmissionHeader, Receipt, FreezeProposal, Epoch} <= set(
        Message.__subclasses__()
    )
    assert not issubclass(FreezeCertificate, Message)


@pytest.mark.parametrize(
    "change",
    [
        {"clip": "1e3"},
        {"clip": "0.50"},
        {"clip": ""},
        {"layout": "k8b8"},
        {"step": ""},
        {"protocol": "plain"},
        {"length": 0},
        {"deadline": NOW},
        {"members": ROSTER.banks[::-1]},
        {"members": ROSTER.banks[:1] * 2},
        {"recipe": {"learning_rate": 0.1}},
        {"purpose": ""},
        {"seed": "1234"},
    ],
    ids=str,
)
def test_a_manifest_that_makes_no_sense_is_refused(change):
    with pytest.raises(ProtocolRefused):
        replace(MANIFEST, **change)


@given(st.sampled_from(["round", "run", "task", "purpose", "window", "clip", "number", "seed"]))
def test_any_changed_field_makes_another_manifest(name):
    other = {"number": 9, "clip": "0.5", "purpose": "other", "window": "w", "seed": "0" * 64}
    changed = replace(MANIFEST, **{name: other.get(name, identifier("another"))})
    assert changed.hash() != MANIFEST.hash()
    assert changed.proof_context(CAST[0].bank) != MANIFEST.proof_context(CAST[0].bank)


def test_the_subject_is_what_may_be_summed_once():
    later = {"round": identifier("later"), "run": identifier("later run"), "attempt": 2}
    assert replace(MANIFEST, **later).subject == MANIFEST.subject
    assert replace(MANIFEST, base_model=digest_of("b")).subject != MANIFEST.subject
    assert replace(MANIFEST, step="metrics").subject != MANIFEST.subject
    statistic = replace(MANIFEST, number=0, step="statistics", window="2026-W01")
    fresh = replace(statistic, base_model=digest_of("fresh seed"), **later)
    assert fresh.subject == statistic.subject
    assert replace(statistic, window="2026-W02").subject != statistic.subject


def test_contexts_name_sender_and_recipient():
    contexts = {
        payload_context(TASK, "p", sender.bank, recipient.bank)
        for sender in CAST
        for recipient in CAST
    }
    contexts |= {MANIFEST.proof_context(p.bank) for p in CAST}
    assert len(contexts) == 30


def test_the_starting_point_depends_on_seed_and_model():
    model = {"family": "mlp", "hidden": [16]}
    assert starting_point(digest_of("a"), model) == starting_point(digest_of("a"), {**model})
    assert starting_point(digest_of("a"), model) != starting_point(digest_of("b"), model)
    assert starting_point(digest_of("a"), model) != starting_point(digest_of("a"), {})


def test_published_values_must_be_what_the_result_says():
    with pytest.raises(ProtocolRefused, match="digest of the published values"):
        replace(PUBLISHED, result=digest_of("x"))


def test_nothing_follows_a_published_sum():
    with pytest.raises(ProtocolRefused, match="Nothing follows"):
        replace(PUBLISHED, next=Step("update", 16, 40, 3))


def test_a_custodian_has_one_place():
    epoch = an_epoch(ROSTER)
    assert [epoch.index_of(p.bank) for p in CAST] == [1, 2, 3, 4, 5]
    assert epoch.index_of(identifier("stranger")) is None
    first, *rest = epoch.custodians
    for broken in ((replace(first, index=2), *rest), (rest[0], first, *rest[1:])):
        with pytest.raises(ProtocolRefused, match="one place"):
            replace(epoch, custodians=broken)
