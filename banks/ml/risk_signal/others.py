"""What the other banks know, beside the bank's own view: pure additions to the bank's own sums.

Others = what was opened, less what this bank had sent. Own view plus others is the joint view;
where nothing was opened (a counterparty below the floor, a bucket not summed yet) the own view
stands. So a late or absent signal costs features their sharpness, never their meaning, and one
model serves both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from banks.ml.features.events import IntArray
from banks.ml.features.sums import LABELS, UNEXPLAINED_UNIT, VOLUME, BucketSums, Cells
from banks.ml.risk_signal.sums import Told, capped
from banks.ml.risk_signal.terms import Terms


def others_of(told: Sequence[Told], own: BucketSums, slots: Sequence[IntArray]) -> BucketSums:
    """The other banks' part of what was told, under this bank's counterparties.

    ``slots`` gives for each of ``told`` the slot of each of the bank's counterparties.
    """
    none = _nothing(own.counterparties)
    parts = [_others(part, own, where) for part, where in zip(told, slots, strict=True)]
    return BucketSums.total([none, *parts])


def watch_list_of(others: BucketSums, banks: int) -> BucketSums:
    """What a watch-list of so many other banks would have told instead of their counts."""
    told = others.labels.where(others.labels["frauds"] > 0)
    frauds = np.minimum(told["frauds"], banks)
    labels = {"known": frauds, "frauds": frauds, "unexplained": frauds * UNEXPLAINED_UNIT}
    return BucketSums(
        others.counterparties,
        _nothing(others.counterparties).volume,
        Cells(told.counterparty, told.bucket, labels),
    )


def _others(part: Told, own: BucketSums, slots: IntArray) -> BucketSums:
    told, terms = _under(part, slots), part.terms
    sent = {**_sent(terms, own.volume, told), **_sent(terms, own.labels, told)}
    rest = {name: np.maximum(told[name] - sent[name], 0) for name in terms.values}
    frauds = rest["frauds"]
    known = np.maximum(rest.get("known", frauds), frauds)
    # Where the members have no first stage, no account has explained a fraud away.
    unexplained = rest.get("unexplained", frauds * UNEXPLAINED_UNIT)
    labels = {"known": known, "frauds": frauds, "unexplained": unexplained}
    volume = {name: rest.get(name, np.zeros(len(told), np.int64)) for name in VOLUME}
    return BucketSums(
        own.counterparties,
        Cells(told.counterparty, told.bucket, volume).where(volume["payments"] > 0),
        Cells(told.counterparty, told.bucket, labels).where(known > 0),
    )


def _under(told: Told, slots: IntArray) -> Cells:
    """The cells told of the bank's counterparties, by counterparty and bucket."""
    cells = told.cells
    start = np.searchsorted(cells.counterparty, slots, side="left")
    count = np.searchsorted(cells.counterparty, slots, side="right") - start
    who = np.repeat(np.arange(len(slots)), count)
    offset = np.arange(len(who)) - np.repeat(np.cumsum(count) - count, count)
    rows = np.repeat(start, count) + offset
    return Cells(who, cells.bucket[rows], {name: cells[name][rows] for name in told.terms.values})


def _sent(terms: Terms, own: Cells, told: Cells) -> dict[str, IntArray]:
    """What this bank had sent for the cells that were told; 0 where it had nothing."""
    sent = capped(terms, own)
    if not len(sent) or not len(told):
        return dict.fromkeys(sent.sums, np.zeros(len(told), np.int64))
    first = min(int(sent.bucket.min()), int(told.bucket.min()))
    width = max(int(sent.bucket.max()), int(told.bucket.max())) - first + 1
    key = sent.counterparty * width + sent.bucket - first
    wanted = told.counterparty * width + told.bucket - first
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return {
        name: np.where(key[place] == wanted, values[place], 0) for name, values in sent.sums.items()
    }


def _nothing(counterparties: int) -> BucketSums:
    none = np.zeros(0, np.int64)
    return BucketSums(
        counterparties,
        Cells(none, none, dict.fromkeys(VOLUME, none)),
        Cells(none, none, dict.fromkeys(LABELS, none)),
    )
