from __future__ import annotations

from dataclasses import replace

import pytest

from consortium.protocol.bundle import make_bundle, verify_bundle
from consortium.protocol.merkle import merkle_root
from consortium.protocol.receipts import (
    EMPTY_LOG,
    CosignedHead,
    LogEntry,
    TreeHead,
    cosign,
    freeze_facts,
    submission_facts,
)
from consortium.protocol.roster import SignedRoster, sign_roster
from consortium.protocol.spec import Receipt
from tests.cast import (
    CENTRE_KEY,
    NOW,
    a_certificate,
    a_header,
    a_manifest,
    a_proposal,
    by_centre,
    digest_of,
    first_roster,
    player,
    players,
)

CAST = players(5)
ROSTER = first_roster(CAST)
MANIFEST = a_manifest(ROSTER.roster)
ME = CAST[0]
KEY = CENTRE_KEY.verify_key


def appended(log: list[LogEntry], event: str, facts: dict) -> LogEntry:
    entry = LogEntry(len(log), log[-1].hash() if log else EMPTY_LOG, event, facts, NOW)
    log.append(entry)
    return entry


def receipt_for(log, player) -> Receipt:
    header = a_header(player, MANIFEST).hash()
    facts = Receipt(MANIFEST.task, MANIFEST.round, player.bank, header, len(log), EMPTY_LOG, NOW)
    entry = appended(log, "submission", submission_facts(facts))
    return Receipt(
        MANIFEST.task, MANIFEST.round, player.bank, header, entry.index, entry.hash(), NOW
    )


def evidence(members=CAST, **changes) -> bytes:
    log: list[LogEntry] = []
    receipt, *_others = [receipt_for(log, player) for player in CAST]
    proposal = a_proposal(members, MANIFEST)
    appended(log, "freeze", freeze_facts(proposal))
    hashes = [entry.hash() for entry in log]
    head = TreeHead(len(log), merkle_root(hashes), hashes[-1], NOW)
    cosigned = tuple(cosign(head, bank=p.bank, key=p.signing) for p in CAST[:3])
    facts = {
        "bank": ME.bank,
        "coordinator": KEY,
        "rosters": [ROSTER],
        "entries": log,
        "manifests": [by_centre(MANIFEST)],
        "submissions": [ME.sign(a_header(ME, MANIFEST))],
        "receipts": [by_centre(receipt)],
        "certificates": [a_certificate(CAST[:4], proposal)],
        "heads": [CosignedHead(by_centre(head), cosigned)],
    }
    return make_bundle(**{**facts, **changes})


def checked(bundle: bytes):
    return verify_bundle(bundle, bank=ME.bank, coordinator=KEY)


def test_a_bank_proves_offline_that_it_was_counted():
    report = checked(evidence())
    assert report.ok, report.fault
    (counted,) = report.rounds
    assert (counted.round, counted.log_index, counted.frozen) == (MANIFEST.round, 0, True)
    assert counted.protocol == MANIFEST.protocol
    assert report.cosigners == tuple(p.bank for p in CAST[:3])


def test_every_changed_byte_is_found_in_its_line():
    bundle = evidence()
    lines = bundle.splitlines(keepends=True)
    start = 0
    for number, line in enumerate(lines, start=1):
        # A prime step reaches every field of every line in the course of the file.
        for position in range(start, start + len(line), 7):
            changed = bytearray(bundle)
            changed[position] ^= 0x01
            fault = checked(bytes(changed)).fault
            assert fault is not None, (number, position)
            assert (fault.line, fault.offset) == (number, start), (number, position, fault)
        start += len(line)


def test_a_missing_or_doubled_line_is_found():
    lines = evidence().splitlines(keepends=True)
    for position in range(len(lines)):
        without = b"".join(lines[:position] + lines[position + 1 :])
        assert not checked(without).ok, position
        doubled = b"".join([*lines[: position + 1], *lines[position:]])
        assert not checked(doubled).ok, position


@pytest.mark.parametrize("noise", [b"", b"\n", b"{}\n", b"[1]\n", b'{"item":"end","value":{}}\n'])
def test_noise_is_not_a_bundle(noise):
    assert not checked(noise).ok


def test_a_list_that_leaves_a_receipt_out_is_shown():
    fault = checked(evidence(members=CAST[1:])).fault
    assert fault is not None
    assert "leaves out a submission that has a receipt" in fault.sentence


def test_evidence_without_a_quorum_proves_nothing():
    proposal = a_proposal(CAST, MANIFEST)
    fault = checked(evidence(certificates=[a_certificate(CAST[:3], proposal)])).fault
    assert fault is not None
    assert "3 of 4 signatures" in fault.sentence


def test_another_banks_evidence_is_not_mine():
    report = verify_bundle(evidence(), bank=CAST[1].bank, coordinator=KEY)
    assert report.fault is not None
    assert report.fault.line == 1


# Evidence that is signed by the right parties and still proves nothing


def fault_of(bundle: bytes) -> str:
    fault = checked(bundle).fault
    assert fault is not None
    return fault.sentence


def test_a_receipt_for_what_the_log_does_not_hold_is_shown():
    other = Receipt(
        MANIFEST.task,
        MANIFEST.round,
        ME.bank,
        a_header(ME, MANIFEST).hash(),
        1,
        digest_of("entry"),
        NOW,
    )
    assert "does not hold what the receipt" in fault_of(evidence(receipts=[by_centre(other)]))


def test_a_submission_without_its_receipt_is_shown():
    assert "lacks its receipt" in fault_of(evidence(receipts=[]))


def test_another_banks_submission_is_not_evidence_of_mine():
    theirs = CAST[1].sign(a_header(CAST[1], MANIFEST))
    assert not checked(evidence(submissions=[theirs])).ok
    named = ME.sign(a_header(CAST[1], MANIFEST))
    assert "another bank's" in fault_of(evidence(submissions=[named]))


def test_a_roster_of_another_centre_is_shown():
    roster = replace(ROSTER.roster, coordinator_key=digest_of("other centre"))
    signed = SignedRoster(
        roster, tuple(sign_roster(roster, bank=p.bank, key=p.signing) for p in CAST)
    )
    assert "another centre" in fault_of(evidence(rosters=[signed]))


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (TreeHead(99, digest_of("root"), digest_of("last"), NOW), "shorter than its head"),
        (TreeHead(6, digest_of("root"), digest_of("last"), NOW), "does not fit its entries"),
    ],
    ids=["longer", "other root"],
)
def test_a_head_of_another_log_is_shown(head, sentence):
    assert sentence in fault_of(evidence(heads=[CosignedHead(by_centre(head), ())]))


def test_a_head_before_the_receipt_proves_nothing_about_it():
    log: list[LogEntry] = []
    appended(log, "roster", {})
    receipt, *_others = [receipt_for(log, player) for player in CAST]
    appended(log, "freeze", freeze_facts(a_proposal(CAST, MANIFEST)))
    early = TreeHead(1, merkle_root([log[0].hash()]), log[0].hash(), NOW)
    words = tuple(cosign(early, bank=p.bank, key=p.signing) for p in CAST)
    bundle = evidence(
        entries=log, receipts=[by_centre(receipt)], heads=[CosignedHead(by_centre(early), words)]
    )
    report = checked(bundle)
    assert report.ok, report.fault
    assert report.cosigners == ()


def test_a_strangers_cosignature_is_shown():
    stranger = player("Stranger")
    log: list[LogEntry] = []
    receipt, *_others = [receipt_for(log, p) for p in CAST]
    appended(log, "freeze", freeze_facts(a_proposal(CAST, MANIFEST)))
    known = [entry.hash() for entry in log]
    head = TreeHead(len(log), merkle_root(known), known[-1], NOW)
    word = cosign(head, bank=stranger.bank, key=stranger.signing)
    bundle = evidence(
        entries=log,
        receipts=[by_centre(receipt)],
        heads=[CosignedHead(by_centre(head), (word,))],
    )
    assert "cosigned by a stranger" in fault_of(bundle)


def test_a_bank_whose_key_changed_with_the_roster_may_cosign_with_either():
    moved = replace(CAST[1].member, signing_key=player("Bank 1 anew").signing.verify_key.text)
    members = tuple(moved if m.bank == moved.bank else m for m in ROSTER.roster.members)
    second = replace(ROSTER.roster, version=2, previous=ROSTER.roster.hash(), members=members)
    signed = SignedRoster(
        second, tuple(sign_roster(second, bank=p.bank, key=p.signing) for p in CAST[:3])
    )
    report = checked(evidence(rosters=[ROSTER, signed]))
    assert report.ok, report.fault
    assert CAST[1].bank in report.cosigners
