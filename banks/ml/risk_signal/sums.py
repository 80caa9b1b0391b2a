"""A bank's counts as one vector, and the opened sum as cells again.

The vector runs over stretches, open slots, buckets, values: its length follows from the directory
that all banks derived alike, so a counterparty that is not open has no place in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from banks.ml.features.events import IntArray
from banks.ml.features.sums import BucketSums, Cells
from banks.ml.risk_signal.noise import noise_share
from banks.ml.risk_signal.presence import Directory
from banks.ml.risk_signal.terms import LARGEST_LOG, OF_PAYMENTS, SENSITIVITY, Terms
from banks.ml.risk_signal.windows import Span
from consortium.protocol.errors import Refused, gettext_noop


def sums_length(terms: Terms, directory: Directory) -> int:
    """Values in the vector of sums."""
    return directory.cells * len(terms.values)


def sums_vector(
    terms: Terms, directory: Directory, own: BucketSums, slots: IntArray, *, least_banks: int
) -> IntArray:
    """This bank's capped counts int64[length], with its part of the noise where one is agreed.

    ``slots`` are those of its counterparties; ``least_banks`` the smallest cohort that is opened.
    """
    table = np.zeros((directory.cells, len(terms.values)), np.int64)
    for kind, names in ((own.volume, OF_PAYMENTS), (own.labels, terms.values)):
        by_slot = _by_slot(kind, slots, terms.slots)
        cells = capped(terms, by_slot)
        for rows, taken in _places(directory, cells):
            for column, name in enumerate(terms.values):
                if name in names and name in cells.sums:
                    table[rows, column] = cells[name][taken]
    if terms.noise is not None:
        for column, name in enumerate(terms.values):
            share = noise_share(len(table), terms.noise, SENSITIVITY[name], least_banks)
            table[:, column] += share
    return table.ravel()


def capped(terms: Terms, cells: Cells) -> Cells:
    """The cells as they are sent: a count above the cap is scaled down with all beside it."""
    sums = dict(cells.sums)
    if terms.policy != "counts":
        frauds = np.minimum(sums["frauds"], terms.most) if "frauds" in sums else None
        kept = {} if frauds is None else {"frauds": frauds}
        return Cells(cells.counterparty, cells.bucket, kept)
    if "payments" in sums:
        sums["log_amount"] = np.clip(
            sums["log_amount"], -LARGEST_LOG * sums["payments"], LARGEST_LOG * sums["payments"]
        )
    size = sums["payments"] if "payments" in sums else sums["known"]
    over = size > terms.cap
    for name, values in sums.items():
        sums[name] = np.where(over, values * terms.cap // np.maximum(size, 1), values)
    return Cells(cells.counterparty, cells.bucket, sums)


@dataclass(frozen=True, eq=False)
class Told:
    """Opened cells by slot and bucket, of one or more openings under the same terms and key."""

    terms: Terms
    cells: Cells

    def under(self, first_stage: str) -> Told:
        """What it says where this first stage explains frauds: no other one's word counts."""
        if self.terms.first_stage in ("", first_stage):
            return self
        return Told(replace(self.terms, first_stage=""), self.cells)

    @classmethod
    def joined(cls, parts: Sequence[Told]) -> Told:
        """The cells of all parts: openings of different buckets under the same terms."""
        terms = parts[0].terms
        cells = [part.cells for part in parts]
        return cls(
            terms,
            Cells.of(
                np.concatenate([part.counterparty for part in cells]),
                np.concatenate([part.bucket for part in cells]),
                {name: np.concatenate([part[name] for part in cells]) for name in terms.values},
                terms.slots,
            ),
        )


@dataclass(frozen=True, eq=False)
class OpenedSums:
    """What one opening told: cells of the open slots that are not all zero, by slot and bucket.

    ``directory`` says what was open: there, a cell that is missing is a zero.
    """

    terms: Terms
    directory: Directory
    cells: Cells

    @property
    def told(self) -> Told:
        return Told(self.terms, self.cells)

    @classmethod
    def of(cls, terms: Terms, directory: Directory, opened: IntArray) -> OpenedSums:
        """Read an opened sum of ``sums_vector``s; noise below nothing is nothing."""
        if opened.shape != (sums_length(terms, directory),):
            raise Refused("sum_length", gettext_noop("The opened sum has the wrong length."))
        table = opened.reshape(-1, len(terms.values))
        if terms.noise is not None:
            table = np.maximum(table, 0)
        kept = np.flatnonzero(table.any(axis=1))
        slot, bucket = _coordinates(directory)
        return cls(
            terms,
            directory,
            Cells.of(
                slot[kept],
                bucket[kept],
                {name: table[kept, column] for column, name in enumerate(terms.values)},
                terms.slots,
            ),
        )

    def to_bytes(self) -> bytes:
        """The same bytes at every bank: the directory, then slots, buckets and values."""
        words = [self.cells.counterparty, self.cells.bucket]
        words += [self.cells[name] for name in self.terms.values]
        directory = self.directory.to_bytes()
        head = np.array([len(directory), len(self.cells)], ">u8").tobytes()
        return head + directory + b"".join(column.astype(">i8").tobytes() for column in words)

    @classmethod
    def from_bytes(cls, terms: Terms, span: Span, content: bytes) -> OpenedSums:
        """Inverse of ``to_bytes``; raises Refused."""
        names = terms.values
        try:
            size, count = (int(word) for word in np.frombuffer(content[:16], ">u8"))
            directory = Directory.from_bytes(span, content[16 : 16 + size])
            table = np.frombuffer(content[16 + size :], ">i8").astype(np.int64)
            slot, bucket, *values = table.reshape(2 + len(names), count)
        except ValueError:
            raise Refused("signal_sums", gettext_noop("The opened sums are damaged.")) from None
        return cls(terms, directory, Cells(slot, bucket, dict(zip(names, values, strict=True))))


def _by_slot(cells: Cells, slots: IntArray, groups: int) -> Cells:
    """The cells under slots instead of counterparties, those of one slot added up."""
    return Cells.of(slots[cells.counterparty], cells.bucket, dict(cells.sums), groups)


def _places(directory: Directory, cells: Cells) -> Iterator[tuple[IntArray, IntArray]]:
    """For each stretch: rows of the vector's table, and the cells that belong there."""
    start = 0
    for chunk, slots in zip(directory.span.chunks, directory.open_slots, strict=True):
        buckets = chunk.end - chunk.first
        inside = np.flatnonzero((cells.bucket >= chunk.first) & (cells.bucket < chunk.end))
        place = np.searchsorted(slots, cells.counterparty[inside])
        found = place < len(slots)
        found[found] = slots[place[found]] == cells.counterparty[inside][found]
        taken = inside[found]
        yield start + place[found] * buckets + cells.bucket[taken] - chunk.first, taken
        start += len(slots) * buckets


def _coordinates(directory: Directory) -> tuple[IntArray, IntArray]:
    """Slot and bucket of every row of the vector's table."""
    slot, bucket = [], []
    for chunk, slots in zip(directory.span.chunks, directory.open_slots, strict=True):
        buckets = np.arange(chunk.first, chunk.end)
        slot.append(np.repeat(slots, len(buckets)))
        bucket.append(np.tile(buckets, len(slots)))
    return np.concatenate(slot), np.concatenate(bucket)
