"""What one encrypted sum costs: CPU seconds on the critical path, bytes, exactness, peers beside.

All banks work at once, each on one core, so a phase lasts as long as one party's part of it:

- offline: what a bank prepares before it has an update (randomisers, keys and shares);
- seal: from float64 values to the bytes of an upload, its proof included;
- add: a custodian's reading, checking and adding of all uploads;
- open: from the sum to integers, with proofs of partial decryptions made and verified.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import gmpy2
import numpy as np

from consortium.benchmarks.aggregation_masked import masked_sum
from consortium.benchmarks.aggregation_peers import (
    NAIVE_SAMPLE,
    installed_peers,
    naive_phe,
    plain_sum,
)
from consortium.benchmarks.aggregation_refusals import seconds_to_refuse
from consortium.benchmarks.measuring import (
    CLIP,
    REPEATS,
    Row,
    Stopwatch,
    Workload,
    machine,
    repeated,
)
from consortium.protocol import paillier
from consortium.protocol.dealing import Dealing, deal, default_threshold
from consortium.protocol.exponentiation import powers, secret_powers
from consortium.protocol.packing import (
    LAYOUTS,
    Integers,
    ciphertexts_needed,
    pack,
    quantise,
    unpack,
)
from consortium.protocol.paillier import MINIMUM_KEY_BITS, PublicKey, Randomisers
from consortium.protocol.popk import prove_knowledge, verify_knowledge
from consortium.protocol.shared_key import LARGEST_VECTOR, SharedKey
from consortium.protocol.threshold import (
    combine,
    partial_decryption,
    prove_partials,
    verify_partials,
)

LONGEST_ENCRYPTED = 200_000
"""Parameters beyond which Paillier is not measured: the product sends those as masked sums."""

_LAYOUT = LAYOUTS["k16b24"]
_CONTEXT = b"benchmark"
_TAG = 4711
_POWERS_SAMPLE = 41


def run(parameters: list[int], banks: int, key_bits: list[int], *, peers: bool) -> dict[str, Any]:
    """Measure every protocol for each number of parameters, Paillier also for each key size.

    Returns ``{"results": [row, …], "refusals": {…}, "method": {…}}``. A row has ``protocol``,
    ``parameters``, ``banks``, ``key_bits``, ``seconds`` (by phase), ``bytes_per_parameter``
    (ciphertext body), ``exact``, ``times_faster_than_naive_phe`` (all phases together), bytes of
    one bank and a modelled time end to end over its ``exchanges``. ``peers`` adds other systems,
    as far as they are installed; ``refusals`` is what foreign uploads cost the centre.
    """
    rows: list[dict[str, Any]] = []
    missing: list[str] = []
    for length in parameters:
        work = Workload.random(length, banks)
        plain = repeated(plain_sum, work)
        keyless = [plain, repeated(masked_sum, work)]
        if peers:
            found, missing = installed_peers(work)
            keyless += found
        for bits in key_bits:
            naive = naive_phe(work, bits)
            measured = [naive, *_encrypted_rows(work, bits)]
            if bits == key_bits[0]:
                measured[1:1] = keyless
            rows += [row.to_json(naive, plain) for row in measured]
    refused = max((p for p in parameters if p <= LONGEST_ENCRYPTED), default=LONGEST_ENCRYPTED)
    refusals = seconds_to_refuse(refused, banks, key_bits[0])
    return {"results": rows, "refusals": refusals, "method": _method(missing)}


def _encrypted_rows(work: Workload, key_bits: int) -> list[Row]:
    rows = []
    if work.parameters <= LONGEST_ENCRYPTED:
        rows.append(threshold_opening(work, key_bits))
    if work.parameters <= LARGEST_VECTOR:
        rows.append(one_shared_key(work, key_bits))
    return rows


def _method(missing: list[str]) -> dict[str, Any]:
    return {
        "seconds": "CPU seconds of one party in each phase, the median of equal parties",
        "repeats": f"sums without Paillier {REPEATS} times, the quickest counts",
        "naive_phe": f"{NAIVE_SAMPLE} numbers measured in this run, scaled to the whole vector",
        "modelled_seconds": "seconds but for offline, bytes at 100 Mb/s, 20 ms an exchange",
        "machine": machine(),
        "gmp": gmpy2.mp_version(),
        "peers_not_installed": missing,
    }


def threshold_opening(work: Workload, key_bits: int) -> Row:
    """``paillier-threshold``: what the product does by default."""
    dealing, watch = _dealing(key_bits, work.banks), Stopwatch()
    public, key = dealing.public, dealing.public.paillier
    uploads, expected = _encrypted(work, key, watch)
    with watch.measure("add", "read and check"):
        vectors = [paillier.from_bytes(body, key) for body, _ in uploads]
        for vector in vectors[1:]:
            paillier.check(vector, key)
    with watch.measure("add", "verify proofs"):
        for vector, (_, proof) in zip(vectors[1:], uploads[1:], strict=True):
            verify_knowledge(key, vector, _CONTEXT, proof)
    with watch.measure("add", "add"):
        total = paillier.add(vectors, key)
    partials, proofs = {}, {}
    for share in dealing.shares[: public.threshold]:
        with watch.measure("open", "partial decryptions"):
            made = partial_decryption(public, share, total)
        with watch.measure("open", "prove"):
            proofs[share.index] = prove_partials(public, share, total, made, _CONTEXT)
        partials[share.index] = made
    with watch.measure("open", "verify"):
        for index in list(partials)[1:]:
            verify_partials(public, index, total, partials[index], _CONTEXT, proofs[index])
    with watch.measure("open", "combine"):
        opened = _unpacked(combine(public, total, partials), work, key_bits)
    body, others, seconds = len(uploads[0][0]), work.banks - 1, watch.seconds
    classic, constant, variable = _single_powers(dealing, total)
    return Row(
        "paillier-threshold",
        work,
        key_bits,
        seconds,
        body,
        exact=bool((opened == expected).all()),
        bytes_up=body + len(uploads[0][1]) + others * (body // 2 + len(proofs[1])),
        bytes_down=others * body + (public.threshold - 1) * (body // 2),
        exchanges=("upload", "sign the list", "give partials", "read partials"),
        more={
            "add_per_further_bank": (watch.steps["add: read and check"] + watch.steps["add: add"])
            / others,
            "quorum": f"{public.threshold} of {public.custodians}",
            "ciphertexts": len(total),
            "steps": watch.steps,
            "open_over_classic_partials": seconds["open"] / classic,
            "seconds_with_variable_time_powers": sum(seconds.values()) - constant + variable,
        },
    )


def one_shared_key(work: Workload, key_bits: int) -> Row:
    """``paillier-phe``, the laboratory protocol: packed as ours, one private key for all."""
    shared, watch = _shared_key(key_bits), Stopwatch()
    uploads, expected = _encrypted(work, shared.public, watch)
    with watch.measure("add", "read, check and add"):
        vectors = [paillier.from_bytes(body, shared.public) for body, _ in uploads]
        for vector in vectors[1:]:
            paillier.check(vector, shared.public)
        total = paillier.add(vectors, shared.public)
    with watch.measure("open", "decrypt"):
        opened = _unpacked(shared.open(total), work, key_bits)
    body = len(uploads[0][0])
    return Row(
        "paillier-phe",
        work,
        key_bits,
        watch.seconds,
        body,
        exact=bool((opened == expected).all()),
        bytes_up=body,
        bytes_down=body,
        exchanges=("upload", "read"),
        more={"steps": watch.steps},
    )


@cache
def _dealing(key_bits: int, banks: int) -> Dealing:
    threshold = default_threshold(banks)
    return deal(key_bits, banks, threshold, allow_small=key_bits < MINIMUM_KEY_BITS)


@cache
def _shared_key(key_bits: int) -> SharedKey:
    return SharedKey.generate(key_bits, allow_small=key_bits < MINIMUM_KEY_BITS)


def _encrypted(
    work: Workload, key: PublicKey, watch: Stopwatch
) -> tuple[list[tuple[bytes, bytes]], Integers]:
    """Every bank's ciphertext bytes and proof, and the integers they must sum to."""
    uploads, expected = [], np.zeros(work.parameters, np.int64)
    for values in work.vectors:
        with watch.measure("offline", "randomisers"):
            randomisers = Randomisers(key)
            randomisers.prepare(ciphertexts_needed(work.parameters, _LAYOUT, key.key_bits))
        with watch.measure("seal", "quantise, pack and encrypt"):
            quantised = quantise(values, CLIP, _LAYOUT)
            plaintexts = pack(quantised, layout=_LAYOUT, key_bits=key.key_bits, tag=_TAG)
            randomness = randomisers.draw(len(plaintexts))
            ciphertexts = paillier.encrypt(plaintexts, key, randomness)
            body = paillier.to_bytes(ciphertexts, key)
        with watch.measure("seal", "prove"):
            proof = prove_knowledge(key, plaintexts, randomness, ciphertexts, _CONTEXT)
        uploads.append((body, proof))
        expected += quantised
    return uploads, expected


def _unpacked(plaintexts: list[int], work: Workload, key_bits: int) -> Integers:
    return unpack(
        plaintexts,
        layout=_LAYOUT,
        key_bits=key_bits,
        length=work.parameters,
        contributors=work.banks,
    ).values


def _single_powers(dealing: Dealing, ciphertexts: list[int]) -> tuple[float, float, float]:
    """CPU seconds of one custodian's powers alone, scaled from a sample.

    In the classic form (exponents of 2|n| bits modulo n², constant time), and in this product's
    in constant and in variable time.
    """
    sample, public = ciphertexts[:_POWERS_SAMPLE], dealing.public
    own = 2 * public.delta * dealing.shares[0].value
    classic, modulus = own << public.n.bit_length() | 1, public.paillier.n_squared

    def seconds(power: Callable[[list[int], int, int], list[int]], exponent: int, n: int) -> float:
        began = time.process_time()
        power(sample, exponent, n)
        return (time.process_time() - began) * len(ciphertexts) / len(sample)

    return (
        seconds(secret_powers, classic, modulus),
        seconds(secret_powers, own, public.n),
        seconds(powers, own, public.n),
    )
