"""Wall-clock time of a zone, for whole arrays, from the standard library's zone rules."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from banks.ml.features.events import IntArray
from banks.ml.schema import DAY, HOUR, MAX_TIME

SECOND = 1_000_000


def local_time(time: IntArray, zone: str) -> IntArray:
    """Return µs on the wall clock of ``zone`` for µs UTC (0 is midnight, 1970-01-01)."""
    if zone == "UTC":
        return time
    changes, offsets = _offsets(zone)
    return time + offsets[np.searchsorted(changes, time, side="right")]


def bucket_of(local: IntArray, hours: int) -> IntArray:
    """Return the number of the wall-clock bucket of this width; 0 began with 1970."""
    return local // (hours * HOUR)


def weekday_of(local: IntArray) -> IntArray:
    """Return 0 for Monday to 6 for Sunday."""
    return (local // DAY + 3) % 7


@lru_cache(maxsize=64)
def _offsets(zone: str) -> tuple[IntArray, IntArray]:
    """Return the moments (µs UTC) at which the zone's offset changes, and the offsets around them.

    Days are compared, then each change is narrowed to its second; the rules of no zone change
    twice within a day and back.
    """
    rules = ZoneInfo(zone)

    def offset(second: int) -> int:
        shift = datetime.fromtimestamp(second, rules).utcoffset()
        return 0 if shift is None else round(shift.total_seconds())

    days = range(-86_400, MAX_TIME // SECOND + 86_400, 86_400)
    moments, offsets = [], [offset(days[0])]
    for day in days[1:]:
        if offset(day) == offsets[-1]:
            continue
        before, after = day - 86_400, day
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset(middle) == offsets[-1] else (before, middle)
        moments.append(after)
        offsets.append(offset(day))
    return np.array(moments, np.int64) * SECOND, np.array(offsets, np.int64) * SECOND
