from __future__ import annotations

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
from consortium.protocol.spec import Receipt
from tests.cast import (
    CENTRE_KEY,
    NOW,
    a_certificate,
    a_header,
    a_manifest,
    a_proposal,
    by_centre,
    first_roster,
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
