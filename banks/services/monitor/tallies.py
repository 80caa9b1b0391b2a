"""What a bank's days hold, counted by PostgreSQL: payments, empty columns, delays of labels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from banks.ml.arrival import LONGEST

BLANKS: Final = ("account", "counterparty", "channel")
DAYS: Final = f"""
    SELECT (time AT TIME ZONE %(zone)s)::date, count(*),
        {", ".join(f"count(*) FILTER (WHERE {name} = '')" for name in BLANKS)},
        count(label), count(label) FILTER (WHERE label_known_at IS NULL),
        max(greatest(time, label_known_at))
    FROM banks_transaction WHERE bank_id = %(bank)s AND time >= %(since)s AND time < %(until)s
    GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - the names above
LAGS: Final = """
    SELECT (time AT TIME ZONE %(zone)s)::date,
        least(greatest(floor(extract(epoch FROM label_known_at - time) / 86400), 0), %(most)s)::int,
        count(*)
    FROM banks_transaction WHERE bank_id = %(bank)s AND time >= %(since)s AND time < %(until)s
        AND label IS NOT NULL AND label_known_at IS NOT NULL
    GROUP BY 1, 2
"""
CHANNELS: Final = """
    SELECT (time AT TIME ZONE %(zone)s)::date, channel, count(*)
    FROM banks_transaction WHERE bank_id = %(bank)s AND time >= %(since)s AND time < %(until)s
    GROUP BY 1, 2
"""


@dataclass
class Tally:
    """One day; ``lags`` has ``LONGEST`` + 2 entries, the last for all that came later still."""

    payments: int
    blanks: dict[str, int]
    labelled: int
    untimed: int
    seen_until: datetime
    lags: list[int] = field(default_factory=lambda: [0] * (LONGEST + 2))
    channels: dict[str, int] = field(default_factory=dict)


def by_day(bank_id: Any, zone: str, since: datetime, until: datetime) -> dict[date, Tally]:
    """Every day of [since, until) that has payments; call in the bank's scope."""
    wanted = {"bank": bank_id, "zone": zone, "since": since, "until": until, "most": LONGEST + 1}
    with connection.cursor() as cursor:
        cursor.execute(DAYS, wanted)
        found = {
            day: Tally(count, dict(zip(BLANKS, blanks, strict=True)), labelled, untimed, seen)
            for day, count, *blanks, labelled, untimed, seen in cursor.fetchall()
        }
        cursor.execute(LAGS, wanted)
        for day, lag, count in cursor.fetchall():
            found[day].lags[lag] = count
        cursor.execute(CHANNELS, wanted)
        for day, channel, count in cursor.fetchall():
            found[day].channels[channel] = count
    return found


def total(tallies: dict[date, Tally]) -> Tally:
    """Several days as one."""
    channels: dict[str, int] = defaultdict(int)
    for one in tallies.values():
        for name, count in one.channels.items():
            channels[name] += count
    return Tally(
        payments=sum(one.payments for one in tallies.values()),
        blanks={name: sum(one.blanks[name] for one in tallies.values()) for name in BLANKS},
        labelled=sum(one.labelled for one in tallies.values()),
        untimed=sum(one.untimed for one in tallies.values()),
        seen_until=max(one.seen_until for one in tallies.values()),
        lags=[sum(counts) for counts in zip(*(one.lags for one in tallies.values()), strict=True)],
        channels=dict(channels),
    )
