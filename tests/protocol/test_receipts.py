from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.merkle import (
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    merkle_root,
    prefix_roots,
)
from consortium.protocol.receipts import (
    EMPTY_LOG,
    LogEntry,
    TreeHead,
    check_cosignature,
    check_entry,
    check_head,
    cosign,
)
from tests.cast import CENTRE_KEY, NOW, by_centre, digest_of, player

LEAVES = [digest_of(f"entry {i}") for i in range(70)]
BANK = player("Bank 0")


def refused(call, *args) -> str:
    with pytest.raises(ProtocolRefused) as error:
        call(*args)
    return error.value.code


def test_the_root_is_that_of_rfc_6962():
    # The hash of an empty tree and of the leaf "" are given by the RFC's reference code.
    assert merkle_root([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    left = merkle_root(LEAVES[:2])
    assert merkle_root(LEAVES[:3]) != left
    assert merkle_root(LEAVES[:2]) != merkle_root(LEAVES[1::-1])


@given(st.data(), st.integers(1, 70))
def test_every_entry_is_provably_included_and_no_other(data, size):
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    proof, root = inclusion_proof(leaves, index), merkle_root(leaves)
    check_inclusion(leaves[index], index, size, proof, root)
    assert refused(check_inclusion, digest_of("other"), index, size, proof, root) == "bad_log_proof"
    assert refused(check_inclusion, leaves[index], size, size, proof, root) == "bad_log_proof"
    assert refused(check_inclusion, leaves[index], index, size, [*proof, root], root)
    if proof:
        assert refused(check_inclusion, leaves[index], index, size, proof[:-1], root)
        elsewhere = (index + 1) % size
        assert refused(check_inclusion, leaves[index], elsewhere, size, proof, root)


@given(st.data(), st.integers(1, 70))
def test_a_longer_log_provably_continues_a_shorter_one(data, size):
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(LEAVES[:size], old)
    old_root, root = merkle_root(LEAVES[:old]), merkle_root(LEAVES[:size])
    check_consistency(old, old_root, size, root, proof)
    assert refused(check_consistency, old, digest_of("x"), size, root, proof) == "bad_log_proof"
    assert refused(check_consistency, old, old_root, size, digest_of("x"), proof)
    assert refused(check_consistency, old, old_root, size, root, [*proof, root])
    if proof:
        assert refused(check_consistency, old, old_root, size, root, proof[:-1])


@given(st.data(), st.integers(2, 70))
def test_a_rewritten_log_does_not_continue_the_old_one(data, size):
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*LEAVES[:size]]
    rewritten[changed] = digest_of("rewritten")
    proof = consistency_proof(rewritten, old)
    assert refused(
        check_consistency, old, merkle_root(LEAVES[:old]), size, merkle_root(rewritten), proof
    )


def test_proofs_outside_the_log_are_refused():
    assert refused(inclusion_proof, LEAVES, 70) == "bad_log_proof"
    assert refused(consistency_proof, LEAVES, 0) == "bad_log_proof"
    assert refused(consistency_proof, LEAVES, 71) == "bad_log_proof"
    assert refused(check_consistency, 5, LEAVES[0], 4, LEAVES[0], []) == "bad_log_proof"
    assert refused(check_consistency, 3, LEAVES[0], 5, LEAVES[0], []) == "bad_log_proof"
    check_consistency(0, LEAVES[0], 4, LEAVES[0], [])


def test_entries_continue_each_other():
    first = LogEntry(0, EMPTY_LOG, "freeze", {"round": "x"}, NOW)
    second = LogEntry(1, first.hash(), "freeze", {}, NOW)
    check_entry(first, None)
    check_entry(second, first)
    assert refused(check_entry, second, None) == "broken_log"
    assert refused(check_entry, first, second) == "broken_log"
    assert refused(check_entry, LogEntry(2, first.hash(), "freeze", {}, NOW), first) == "broken_log"
    assert refused(check_entry, LogEntry(1, EMPTY_LOG, "freeze", {}, NOW), first) == "broken_log"


def test_heads_are_the_centres_and_cosignatures_belong_to_one_head():
    head = TreeHead(3, merkle_root(LEAVES[:3]), LEAVES[2], NOW)
    assert check_head(by_centre(head), CENTRE_KEY.verify_key) == head
    assert refused(check_head, BANK.sign(head), BANK.signing.verify_key) == "bad_signature"
    signed = cosign(head, bank=BANK.bank, key=BANK.signing)
    check_cosignature(signed, head, BANK.signing.verify_key)
    other = TreeHead(4, merkle_root(LEAVES[:4]), LEAVES[3], NOW)
    assert refused(check_cosignature, signed, other, BANK.signing.verify_key) == "bad_signature"


def test_the_roots_of_all_older_trees_come_from_one_walk():
    hashes = [digest_of(f"entry {number}") for number in range(37)]
    sizes = [1, 2, 3, 7, 8, 21, 36, 37]
    expected = {size: merkle_root(hashes[:size]) for size in sizes}
    assert prefix_roots(hashes, [*sizes, 99]) == expected
