"""One archive for an auditor: it proves itself, and a change of any byte is found."""

from __future__ import annotations

import random

import pytest

from consortium.protocol.envelope import canonical
from consortium.protocol.evidence_pack import VOTES, make_pack, verify_pack
from consortium.protocol.spec import ModelVote
from tests.cast import NOW
from tests.protocol.test_bundle import CAST, KEY, MANIFEST, ME, evidence

RUN = "11111111-2222-4333-8444-555555555555"


def vote(player, **changes) -> bytes:
    facts = {
        "task": MANIFEST.task,
        "run": RUN,
        "bank": player.bank,
        "model": "ab" * 32,
        "accept": True,
        "reason": "",
    }
    return canonical(player.sign(ModelVote(**{**facts, **changes})).to_wire()) + b"\n"


def pack(**changes: bytes) -> bytes:
    files = {
        "evidence-one.jsonl": evidence(),
        "ledger.csv": b"at,purpose\r\n",
        VOTES: vote(CAST[0]) + vote(CAST[1]),
        **changes,
    }
    return make_pack(files, bank=ME.bank, coordinator=KEY, key=ME.signing, at=NOW)


def test_it_proves_itself_with_nothing_else():
    report = verify_pack(pack())
    assert report.fault == ""
    assert report.votes == 2
    assert report.manifest
    assert report.manifest.bank == ME.bank
    assert [bundle.ok for _name, bundle in report.bundles] == [True]
    assert verify_pack(pack(), bank=ME.bank, coordinator=KEY).ok


def test_every_flipped_byte_is_found():
    whole = pack()
    sample = random.Random(7).sample(range(len(whole)), 300)
    for place in [*sample, *range(40), *range(len(whole) - 40, len(whole))]:
        broken = bytearray(whole)
        broken[place] ^= 1
        assert verify_pack(bytes(broken)).fault, place
    assert verify_pack(whole[:-1]).fault
    assert verify_pack(whole + b"\0").fault


def test_a_file_that_the_bank_did_not_list_is_named():
    from consortium.protocol import evidence_pack

    files = evidence_pack._files(pack())
    for changed in ({"ledger.csv": b"other"}, {"extra.csv": b"more"}):
        report = verify_pack(evidence_pack._archive({**files, **changed}))
        assert next(iter(changed)) in report.fault


@pytest.mark.parametrize("wrong", [{"bank": CAST[1].bank}, {"coordinator": CAST[1].signing}])
def test_another_bank_s_or_centre_s_pack_is_refused(wrong):
    if "coordinator" in wrong:
        wrong = {"coordinator": wrong["coordinator"].verify_key}
    assert "another" in verify_pack(pack(), **wrong).fault


def test_a_pack_signed_by_somebody_else_is_refused():
    files = {"evidence-one.jsonl": evidence()}
    forged = make_pack(files, bank=ME.bank, coordinator=KEY, key=CAST[1].signing, at=NOW)
    assert "not by the bank" in verify_pack(forged).fault


def test_a_vote_in_another_bank_s_name_is_refused():
    assert "another bank" in verify_pack(pack(**{VOTES: vote(CAST[0], bank=CAST[1].bank)})).fault
    lines = vote(CAST[0]).replace(b'"accept":true', b'"accept":false')
    assert "not by the bank" in verify_pack(pack(**{VOTES: lines})).fault


def test_broken_evidence_inside_is_said_with_its_file():
    broken = evidence().replace(b'"item":"receipt"', b'"item":"receipts"')
    report = verify_pack(pack(**{"evidence-one.jsonl": broken}))
    assert "evidence-one.jsonl" in report.fault


def test_no_evidence_is_no_pack():
    empty = make_pack({"a.csv": b""}, bank=ME.bank, coordinator=KEY, key=ME.signing, at=NOW)
    assert "no evidence" in verify_pack(empty).fault
    assert verify_pack(b"no archive at all").fault
