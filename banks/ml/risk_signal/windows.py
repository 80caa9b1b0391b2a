"""Which buckets one sum is about; every bucket is summed once, ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from banks.ml.risk_signal.terms import MOST_DAYS, Terms
from consortium.protocol.errors import Refused, gettext_noop

PRESENCE_DAYS: Final = 30
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Span:
    """Buckets [first, end) on the wall clock of the terms' zone; 0 began with 1970.

    ``since`` is the first bucket that may count when asking with how many banks a counterparty
    deals: those before it were counted with other banks, and the difference could show one.
    """

    first: int
    end: int
    buckets_a_day: int
    since: int = 0

    def __post_init__(self) -> None:
        longest = MOST_DAYS * self.buckets_a_day
        in_order = 0 <= self.first < self.end <= self.first + longest
        if not in_order or not 0 <= self.since <= self.first:
            raise Refused("signal_window", gettext_noop("The window of a sum has 1 to 120 days."))

    @classmethod
    def from_text(cls, text: str, terms: Terms) -> Span:
        """Read ``2026-07-27/2026-11-24``: local days, the last one excluded; then ``since``."""
        try:
            first, end, *counted = (date.fromisoformat(part) for part in text.split("/"))
            [since] = counted or [_EPOCH]
        except ValueError:
            raise Refused(
                "signal_window", gettext_noop("A window is two days like 2026-07-27/2026-11-24.")
            ) from None
        return cls.of_days(first, end, terms, since=since)

    @classmethod
    def of_days(cls, first: date, end: date, terms: Terms, *, since: date = _EPOCH) -> Span:
        """The buckets of these local days, ``end`` excluded."""
        a_day = 24 // terms.bucket_hours
        begins, ends, counts = ((day - _EPOCH).days * a_day for day in (first, end, since))
        return cls(begins, ends, a_day, counts)

    @property
    def first_day(self) -> date:
        return _EPOCH + timedelta(days=self.first // self.buckets_a_day)

    @property
    def end_day(self) -> date:
        return _EPOCH + timedelta(days=self.end // self.buckets_a_day)

    @property
    def text(self) -> str:
        days = f"{self.first_day}/{self.end_day}"
        since = _EPOCH + timedelta(days=self.since // self.buckets_a_day)
        return f"{days}/{since}" if self.since else days

    def is_over(self, now: datetime, zone: str) -> bool:
        """Whether the last bucket is complete: a day half over is never summed."""
        return now.astimezone(ZoneInfo(zone)).date() >= self.end_day

    def overlaps(self, other: Span) -> bool:
        return self.first < other.end and other.first < self.end

    def counts_presence_with(self, other: Span) -> bool:
        """Whether a bucket counts in both when asking with how many banks one deals."""
        return self.presence_counts_from < other.end and other.presence_counts_from < self.end

    @property
    def chunks(self) -> tuple[Span, ...]:
        """The span in stretches of at most 30 days, oldest first, counted back from its end.

        Whether a counterparty is open is decided anew for each.
        """
        width = PRESENCE_DAYS * self.buckets_a_day
        ends = range(self.end, self.first, -width)
        return tuple(
            Span(max(self.first, end - width), end, self.buckets_a_day, self.since)
            for end in reversed(ends)
        )

    @property
    def looks_back(self) -> Span:
        """The 30 days that end with this stretch: those in which banks must have dealt."""
        width = PRESENCE_DAYS * self.buckets_a_day
        return Span(max(0, self.since, self.end - width), self.end, self.buckets_a_day)

    @property
    def presence_counts_from(self) -> int:
        """The first bucket in which dealing with a counterparty counts."""
        return min(chunk.looks_back.first for chunk in self.chunks)
