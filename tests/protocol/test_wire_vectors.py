"""Committed bytes of the cryptography, so that another implementation can be checked.

Secrets and randomness are in the files: they are examples. A change of any format shows here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gmpy2
import numpy as np
import pytest

from consortium.protocol import masking, paillier, secagg
from consortium.protocol.biprimality import verify_biprime
from consortium.protocol.packing import context_tag, layout_named, pack, unpack
from consortium.protocol.paillier import PublicKey, Randomness
from consortium.protocol.popk import verify_knowledge
from consortium.protocol.secagg_messages import (
    Advertisement,
    ReleasedShare,
    RoundSecrets,
    Session,
    SharePair,
)
from consortium.protocol.threshold import (
    combine,
    partial_decryption,
    partials_from_bytes,
    verify_partials,
)
from consortium.protocol.transcript import Transcript
from consortium.protocol.words import words_from_bytes, words_to_bytes
from tests.protocol.keys import shared_key

VECTORS = Path(__file__).with_name("vectors")


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


@pytest.mark.parametrize("case", load("packing"), ids=lambda case: case["layout"])
def test_packing(case):
    layout = layout_named(case["layout"])
    values = np.array(case["values"], np.int64)
    tag = context_tag(*case["context"])
    assert tag == case["tag"]
    plaintexts = pack(values, layout=layout, key_bits=case["key_bits"], tag=tag)
    assert [format(plaintext, "x") for plaintext in plaintexts] == case["plaintexts"]
    total = unpack(
        [3 * plaintext for plaintext in plaintexts],
        layout=layout,
        key_bits=case["key_bits"],
        length=len(values),
        contributors=3,
    )
    assert total.values.tolist() == [3 * value for value in case["values"]]
    assert total.tag_sum == 3 * tag


def test_encryption_and_proof_of_knowledge():
    case = load("encryption")
    key = PublicKey.from_wire(case["public_key"], allow_small=True)
    assert key.key_id == case["key_id"]
    root, exponents = int(case["root"], 16), [int(text, 16) for text in case["exponents"]]
    base = gmpy2.powmod(root, key.n, key.n_squared)
    powers = [int(gmpy2.powmod(base, alpha, key.n_squared)) for alpha in exponents]
    plaintexts = [int(text, 16) for text in case["plaintexts"]]
    ciphertexts = paillier.encrypt(plaintexts, key, Randomness(root, exponents, powers))
    assert paillier.to_bytes(ciphertexts, key).hex() == case["ciphertexts"]
    context = bytes.fromhex(case["context"])
    verify_knowledge(key, ciphertexts, context, bytes.fromhex(case["proof"]))


def test_threshold_opening():
    case, dealing = load("opening"), shared_key(load("opening")["key"])
    public, key = dealing.public, dealing.public.paillier
    verify_biprime(public.n, dealing.biprimality)
    ciphertexts = paillier.from_bytes(bytes.fromhex(case["ciphertexts"]), key)
    partials = {}
    for index, text in case["partials"].items():
        partials[int(index)] = partials_from_bytes(public, bytes.fromhex(text["partials"]))
        share = dealing.shares[int(index) - 1]
        assert partial_decryption(public, share, ciphertexts) == partials[int(index)]
        verify_partials(
            public,
            int(index),
            ciphertexts,
            partials[int(index)],
            bytes.fromhex(case["context"]),
            bytes.fromhex(text["proof"]),
        )
    assert combine(public, ciphertexts, partials) == [int(text, 16) for text in case["plaintexts"]]


def test_masked_sum():
    case = load("masked_sum")
    session = Session.from_wire(case["session"])
    assert session.context.hex() == case["context"]
    public = {entry["owner"]: Advertisement.from_wire(entry) for entry in case["advertisements"]}
    group_key = bytes.fromhex(case["group_key"])
    for pair in case["share_pairs"]:
        read = SharePair.from_wire(pair)
        secagg.accept(session, read.holder, public[read.owner], read)
    masked = {}
    for bank, entry in case["banks"].items():
        secrets = RoundSecrets.from_wire(entry["secrets"])
        values = np.array(entry["values"], np.int64)
        masked[bank] = secagg.mask(session, bank, secrets, public, group_key, values)
        assert secagg.to_bytes(session, masked[bank]).hex() == entry["masked"]
    released = [ReleasedShare.from_wire(share) for share in case["released"]]
    survivors = {bank: masked[bank] for bank in case["survivors"]}
    assert secagg.open_sum(session, public, survivors, released, group_key).tolist() == case["sum"]


@pytest.mark.parametrize("case", load("words"), ids=lambda case: str(case["bits"]))
def test_words(case):
    dtype = np.dtype(np.uint32 if case["bits"] <= 32 else np.uint64)
    words = np.array([int(text, 16) for text in case["words"]], dtype)
    assert words_to_bytes(words, case["bits"]).hex() == case["bytes"]
    read = words_from_bytes(bytes.fromhex(case["bytes"]), len(words), case["bits"], dtype)
    assert read.tolist() == words.tolist()


def test_mask_stream():
    case = load("mask_stream")
    for dtype, words in ((np.uint32, case["uint32"]), (np.uint64, case["uint64"])):
        vector = np.zeros(len(words), dtype)
        masking.add_masks(vector, [bytes.fromhex(case["key"])])
        assert vector.tolist() == words
    derived = masking.derive(bytes.fromhex(case["key"]), b"context", "purpose")
    assert derived.hex() == case["derived"]


def test_transcript():
    case = load("transcript")
    transcript = Transcript(case["protocol"])
    transcript.absorb(*(bytes.fromhex(item) for item in case["items"]))
    transcript.absorb_integers(case["integers"], case["width"])
    assert [format(value, "x") for value in transcript.challenges(2)] == case["challenges"]
    assert format(transcript.challenge(), "x") == case["next"]
