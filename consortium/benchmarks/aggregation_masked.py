"""What a masked sum costs: every bank downloads the others' vectors and adds them itself."""

from __future__ import annotations

import numpy as np

from consortium.benchmarks.measuring import CLIP, Row, Stopwatch, Workload
from consortium.protocol import secagg
from consortium.protocol.dealing import default_threshold
from consortium.protocol.packing import Integers, quantise
from consortium.protocol.sealing import SealingKey, seal_each, unseal
from consortium.protocol.secagg_messages import (
    Advertisement,
    ReleasedShare,
    RoundSecrets,
    Session,
    SharePair,
)
from consortium.protocol.wire import canonical, parse

_CONTEXT = b"benchmark"
_GROUP_KEY = bytes(32)


class _Banks:
    """The banks of one masked sum, measured step by step."""

    def __init__(self, work: Workload, watch: Stopwatch) -> None:
        names = tuple(f"00000000-0000-4000-8000-{number:012x}" for number in range(work.banks))
        threshold = default_threshold(work.banks) + 1
        self.work, self.watch, self.names = work, watch, names
        self.session = Session(names[0], names[0], names, threshold, "k16w24", work.parameters)
        self.sealing = {bank: SealingKey.generate() for bank in names}
        self.secrets: dict[str, RoundSecrets] = {}
        self.public: dict[str, Advertisement] = {}
        self.boxes: dict[tuple[str, str], bytes] = {}
        self.held: dict[str, dict[str, SharePair]] = {}

    def advertise(self) -> None:
        for bank in self.names:
            with self.watch.measure("offline", "keys and sealed shares"):
                self.secrets[bank], self.public[bank], pairs = secagg.begin(self.session, bank)
                own = {pair.holder: pair for pair in pairs}
                self.held[bank] = {bank: own.pop(bank)}
                messages = [
                    (self.sealing[holder].public, pair.to_bytes(), _CONTEXT)
                    for holder, pair in own.items()
                ]
                sealed = seal_each(messages)
            self.boxes |= {(bank, to): box for to, box in zip(own, sealed, strict=True)}

    def accept(self) -> None:
        for bank in self.names:
            with self.watch.measure("offline", "open and check shares"):
                for owner in self.names:
                    if owner != bank:
                        content = unseal(self.sealing[bank], self.boxes[owner, bank], _CONTEXT)
                        self.held[bank][owner] = SharePair.from_wire(parse(content))
                    secagg.accept(self.session, bank, self.public[owner], self.held[bank][owner])

    def mask(self) -> tuple[dict[str, bytes], Integers]:
        """The uploads, and the integers that they must sum to."""
        uploads, expected = {}, np.zeros(self.work.parameters, np.int64)
        for bank, values in zip(self.names, self.work.vectors, strict=True):
            with self.watch.measure("seal", "quantise and mask"):
                quantised = quantise(values, CLIP, self.session.layout)
                masked = secagg.mask(
                    self.session, bank, self.secrets[bank], self.public, _GROUP_KEY, quantised
                )
                uploads[bank] = secagg.to_bytes(self.session, masked)
            expected += quantised
        return uploads, expected

    def release(self) -> dict[str, list[ReleasedShare]]:
        released = {}
        for bank in self.names:
            with self.watch.measure("open", "release shares"):
                released[bank] = secagg.release(self.session, bank, self.held[bank], self.names)
        return released

    def open(self, uploads: dict[str, bytes], released: list[ReleasedShare]) -> Integers:
        """The sum as the last bank opens it; each one does all of it."""
        for _bank in self.names:
            with self.watch.measure("add", "read and add"):
                vectors = {
                    bank: secagg.from_bytes(self.session, body) for bank, body in uploads.items()
                }
                total = secagg.add(self.session, vectors)
            with self.watch.measure("open", "unmask"):
                opened = secagg.unmask(
                    self.session, self.public, self.names, total, released, _GROUP_KEY
                )
        return opened


def masked_sum(work: Workload, watch: Stopwatch) -> Row:
    """``secagg``, from fresh mask keys to the opened sum."""
    banks = _Banks(work, watch)
    banks.advertise()
    banks.accept()
    uploads, expected = banks.mask()
    released = banks.release()
    opened = banks.open(uploads, [share for given in released.values() for share in given])
    first, others = banks.names[0], work.banks - 1
    body, boxes = (
        len(uploads[first]),
        sum(len(box) for (owner, _to), box in banks.boxes.items() if owner == first),
    )
    shares = len(canonical([share.to_wire() for share in released[first]]))
    return Row(
        "secagg",
        work,
        None,
        watch.seconds,
        body,
        exact=bool((opened == expected).all()),
        bytes_up=body + boxes + others * shares,
        bytes_down=others * body + boxes + others * shares,
        exchanges=("upload", "sign the list", "release shares", "read shares"),
        more={
            "add_per_further_bank": watch.steps["add: read and add"] / work.banks,
            "word_bits": banks.session.word_bits,
            "steps": watch.steps,
        },
    )
