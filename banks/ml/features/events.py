"""Events of many groups in order of time, and exact sums over any span of a group.

Sums are differences of cumulative sums of integers: they have no rounding and no order, so a
batch, a further day and a single transaction give the same bits. Two's complement makes even an
overflow of the cumulative sum harmless as long as the span's own sum fits 63 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_ROOM = 1 << 62


class Events:
    """Events sorted by group, then by ``at``; groups are numbered from 0.

    A query may name the group ``groups`` (one more than there are): it has no events.
    """

    def __init__(self, group: IntArray, at: IntArray, groups: int) -> None:
        self.groups = groups
        self.group = group
        self.at = at
        self.starts: IntArray = np.searchsorted(group, np.arange(groups + 2))
        self._scale = _Scale(at, groups)
        self._key = self._scale.key(group, at)

    def __len__(self) -> int:
        return len(self.at)

    def positions(self, group: IntArray, at: IntArray | int) -> IntArray:
        """Return the index of the group's first event not before ``at`` (or of its end)."""
        return np.asarray(self._key.searchsorted(self._scale.key(group, at)), np.int64)


class _Scale:
    """Numbers (group, at) so that one integer sorts and searches both."""

    def __init__(self, at: IntArray, groups: int) -> None:
        self._first, self._last = (int(at.min()), int(at.max())) if len(at) else (0, 0)
        self._span = self._last - self._first + 2
        self._distinct: IntArray | None = None
        if self._span * (groups + 1) > _ROOM:
            self._distinct = np.unique(at)
            self._span = len(self._distinct) + 1

    def key(self, group: IntArray, at: IntArray | int) -> IntArray:
        if self._distinct is not None:
            place: Any = np.searchsorted(self._distinct, at)
        else:
            # np.clip costs ten times as much on a single value
            place = np.minimum(np.maximum(at, self._first), self._last + 1) - self._first
        return np.asarray(group * self._span + place, np.int64)


def order_of(group: IntArray, at: IntArray, groups: int, tie: IntArray | None = None) -> IntArray:
    """Return the order that sorts by group, then ``at``, then ``tie``."""
    key = _Scale(at, groups).key(group, at)
    order = np.argsort(key, kind="stable")
    if tie is not None:
        ranked = key[order]
        same = np.flatnonzero(ranked[1:] == ranked[:-1])
        tied = np.union1d(same, same + 1)
        order[tied] = order[tied][np.lexsort((tie[order[tied]], ranked[tied]))]
    return order


def running(values: IntArray) -> IntArray:
    """Return cumulative sums with a leading 0: the sum of [a, b) is ``r[b] - r[a]``."""
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


def largest(values: IntArray, first: IntArray, end: IntArray) -> IntArray:
    """Return the largest of ``values[first:end]`` for every pair; 0 where the span is empty.

    Spans of length 2^k to 2^(k+1) are the union of two of length 2^k (sparse table, one level at
    a time).
    """
    result = np.zeros(len(first), np.int64)
    length = end - first
    if len(first) == 1 and length[0] > 0:
        result[0] = values[first[0] : end[0]].max()
        return result
    filled = np.flatnonzero(length > 0)
    if not len(filled):
        return result
    base = int(first[filled].min())
    level = values[base : int(end[filled].max())]
    width = 1
    while len(filled):
        here = filled[length[filled] < 2 * width]
        a, b = first[here] - base, end[here] - base - width
        result[here] = np.maximum(level[a], level[b])
        filled = filled[length[filled] >= 2 * width]
        if len(filled):
            level = np.maximum(level[:-width], level[width:])
            width *= 2
    return result


def latest_where(flag: NDArray[np.bool_]) -> IntArray:
    """Return for every index the last index up to it whose flag is set, else -1."""
    index = np.where(flag, np.arange(len(flag)), -1)
    return np.asarray(np.maximum.accumulate(index), np.int64) if len(flag) else index


def next_where(flag: NDArray[np.bool_]) -> IntArray:
    """Return for every index the first index from it on whose flag is set, else the length."""
    size = len(flag)
    index = np.where(flag, np.arange(size), size)
    return np.asarray(np.minimum.accumulate(index[::-1])[::-1], np.int64) if size else index
