"""The same sums by others' means, each through its own functions."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable

import numpy as np

from consortium.benchmarks.measuring import CLIP, Row, Stopwatch, Workload, repeated
from consortium.protocol.paillier import phe_keypair

NAIVE_SAMPLE = 12
_CKKS_SLOTS = 4096


def naive_phe(work: Workload, key_bits: int) -> Row:
    """python-paillier as its documentation shows it: one ciphertext a number, one key for all."""
    public, private = phe_keypair(key_bits)
    watch, size = Stopwatch(), min(NAIVE_SAMPLE, work.parameters)
    numbers = work.vectors[:, :size].tolist()
    uploads = []
    for row in numbers:
        with watch.measure("seal", "encrypt"):
            uploads.append([public.encrypt(number) for number in row])
    with watch.measure("add", "add"):
        total = uploads[0]
        for upload in uploads[1:]:
            total = [held + more for held, more in zip(total, upload, strict=True)]
    with watch.measure("open", "decrypt"):
        opened = [private.decrypt(number) for number in total]
    scale = work.parameters / size
    body = 2 * key_bits // 8 * work.parameters
    return Row(
        "naive-phe",
        work,
        key_bits,
        {phase: seconds * scale for phase, seconds in watch.seconds.items()},
        body,
        exact=opened == [math.fsum(column) for column in zip(*numbers, strict=True)],
        bytes_up=body,
        bytes_down=body,
        exchanges=("upload", "read"),
        more={"measured_parameters": size, "scaled": size < work.parameters},
    )


def plain_sum(work: Workload, watch: Stopwatch) -> Row:
    """float32 in clear, added by a server that sees everything."""
    uploads = []
    for values in work.vectors:
        with watch.measure("seal", "write"):
            uploads.append(values.astype("<f4").tobytes())
    with watch.measure("add", "read and add"):
        total = np.zeros(work.parameters, np.float32)
        for upload in uploads:
            total += np.frombuffer(upload, "<f4")
    return Row(
        "plain-float32",
        work,
        None,
        watch.seconds,
        len(uploads[0]),
        exact=bool((total == work.vectors.sum(axis=0)).all()),
        bytes_up=len(uploads[0]),
        bytes_down=total.nbytes,
        exchanges=("upload", "read"),
    )


def installed_peers(work: Workload) -> tuple[list[Row], list[str]]:
    """Rows of the optional peers, and the names of those that are not installed."""
    rows, missing = [], []
    for package, measure in _PEERS.items():
        if importlib.util.find_spec(package) is None:
            missing.append(package)
        else:
            rows.append(repeated(measure, work))
    return rows, missing


def tenseal_ckks(work: Workload, watch: Stopwatch) -> Row:
    """TenSEAL's CKKS with the parameters of NVFlare; every client holds the secret key."""
    import tenseal

    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS,
        poly_modulus_degree=8192,
        coeff_mod_bit_sizes=[60, 40, 40],
        encryption_type=tenseal.ENCRYPTION_TYPE.SYMMETRIC,
    )
    context.global_scale = 2**40
    starts = range(0, work.parameters, _CKKS_SLOTS)
    uploads = []
    for values in work.vectors:
        with watch.measure("seal", "encrypt and write"):
            blocks = [values[start : start + _CKKS_SLOTS] for start in starts]
            uploads.append([tenseal.ckks_vector(context, block).serialize() for block in blocks])
    with watch.measure("add", "read and add"):
        totals = []
        for column in zip(*uploads, strict=True):
            read = [tenseal.ckks_vector_from(context, block) for block in column]
            totals.append(sum(read[1:], read[0]).serialize())
    with watch.measure("open", "read and decrypt"):
        decrypted = [tenseal.ckks_vector_from(context, block).decrypt() for block in totals]
        opened = np.concatenate(decrypted)
    expected, body = work.vectors.sum(axis=0), sum(map(len, uploads[0]))
    return Row(
        "tenseal-ckks",
        work,
        None,
        watch.seconds,
        body,
        exact=bool((opened == expected).all()),
        bytes_up=body,
        bytes_down=sum(map(len, totals)),
        exchanges=("upload", "read"),
        more={"largest_error": float(np.abs(opened - expected).max())},
    )


def flower_secagg_plus(work: Workload, watch: Stopwatch) -> Row:
    """Flower's SecAgg+ from its own primitives, all pairs, no drop-outs."""
    from flwr.common.secure_aggregation.crypto import shamir, symmetric_encryption
    from flwr.common.secure_aggregation.ndarrays_arithmetic import (
        parameters_addition,
        parameters_mod,
        parameters_subtraction,
    )
    from flwr.common.secure_aggregation.quantization import quantize
    from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen
    from flwr.supercore.primitives import asymmetric

    shape = [(work.parameters,)]
    banks, modulus = range(work.banks), 1 << 32
    threshold = work.banks // 2 + 1
    mask_keys, seal_keys, seeds, boxes, pair_keys, shares = {}, {}, {}, {}, {}, {}
    for bank in banks:
        with watch.measure("offline", "keys"):
            mask_keys[bank] = asymmetric.generate_key_pairs()
            seal_keys[bank] = asymmetric.generate_key_pairs()
            seeds[bank] = os.urandom(32)
    for bank in banks:
        with watch.measure("offline", "shares"):
            private = asymmetric.private_key_to_bytes(mask_keys[bank][0])
            shares[bank] = shamir.create_shares(seeds[bank], threshold, work.banks)
            key_shares = shamir.create_shares(private, threshold, work.banks)
            for other in banks:
                agreed = symmetric_encryption.generate_shared_key(
                    seal_keys[bank][0], seal_keys[other][1]
                )
                message = shares[bank][other] + key_shares[other]
                boxes[bank, other] = symmetric_encryption.encrypt(agreed, message)
                pair_keys[bank, other] = agreed
    for bank in banks:
        with watch.measure("offline", "open shares"):
            for other in banks:
                symmetric_encryption.decrypt(pair_keys[bank, other], boxes[other, bank])
    uploads, expected = [], np.zeros(work.parameters, np.int64)
    for bank, values in zip(banks, work.vectors, strict=True):
        with watch.measure("seal", "quantise and mask"):
            vector = quantised = quantize([values], CLIP, 1 << 22)
            vector = parameters_addition(vector, pseudo_rand_gen(seeds[bank], modulus, shape))
            for other in banks:
                if other != bank:
                    agreed = symmetric_encryption.generate_shared_key(
                        mask_keys[bank][0], mask_keys[other][1]
                    )
                    combine = parameters_addition if bank > other else parameters_subtraction
                    vector = combine(vector, pseudo_rand_gen(agreed, modulus, shape))
            (masked,) = parameters_mod(vector, modulus)
            uploads.append(masked.tobytes())
        expected += quantised[0]
    with watch.measure("add", "read and add"):
        total = [np.zeros(work.parameters, np.int64)]
        for upload in uploads:
            total = parameters_addition(total, [np.frombuffer(upload, np.int64)])
    with watch.measure("open", "unmask"):
        for bank in banks:
            seed = shamir.combine_shares(shares[bank][:threshold])
            total = parameters_subtraction(total, pseudo_rand_gen(seed, modulus, shape))
        (opened,) = parameters_mod(total, modulus)
    return Row(
        "flower-secagg-plus",
        work,
        None,
        watch.seconds,
        len(uploads[0]),
        exact=bool((opened == expected).all()),
        bytes_up=len(uploads[0]) + sum(len(boxes[0, other]) for other in banks),
        bytes_down=4 * work.parameters,
        exchanges=("upload", "give shares", "read"),
        more={"steps": watch.steps},
    )


_PEERS: dict[str, Callable[[Workload, Stopwatch], Row]] = {
    "tenseal": tenseal_ckks,
    "flwr": flower_secagg_plus,
}
