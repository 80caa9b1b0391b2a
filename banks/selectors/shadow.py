"""Where champion and challenger agree, where not, and who was right as far as labels tell."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q

from banks.models import ModelVersion, ShadowScore
from consortium.intervals import Interval, wilson

A_CHALLENGER = Q(would_alert=True)
A_CHAMPION = Q(champion_alerted=True)


@dataclass(frozen=True)
class Side:
    """Alerts of one kind; ``labelled`` of them have a label, ``frauds`` were fraud."""

    alerts: int
    labelled: int
    frauds: int

    @property
    def precision(self) -> float | None:
        return self.frauds / self.labelled if self.labelled else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.frauds, self.labelled)


@dataclass(frozen=True)
class Agreement:
    """A challenger beside the champions of its time."""

    rows: int
    since: object
    until: object
    both: Side
    only_challenger: Side
    only_champion: Side

    @property
    def neither(self) -> int:
        return (
            self.rows - self.both.alerts - self.only_challenger.alerts - self.only_champion.alerts
        )

    @property
    def share(self) -> float | None:
        """How often the two decide alike."""
        apart = self.only_challenger.alerts + self.only_champion.alerts
        return 1 - apart / self.rows if self.rows else None


def agreement_of(version: ModelVersion) -> Agreement | None:
    """None where the version never scored along. One query."""
    kinds = {
        "both": A_CHALLENGER & A_CHAMPION,
        "only_challenger": A_CHALLENGER & ~A_CHAMPION,
        "only_champion": ~A_CHALLENGER & A_CHAMPION,
    }
    counted = {
        f"{kind}_{what}": Count("pk", filter=condition & further)
        for kind, condition in kinds.items()
        for what, further in (
            ("alerts", Q()),
            ("labelled", Q(transaction__label__isnull=False)),
            ("frauds", Q(transaction__label=1)),
        )
    }
    found = ShadowScore.objects.filter(bank_id=version.bank_id, version=version).aggregate(
        rows=Count("pk"), since=Min("scored_at"), until=Max("scored_at"), **counted
    )
    if not found["rows"]:
        return None
    sides = {
        kind: Side(*(found[f"{kind}_{what}"] for what in ("alerts", "labelled", "frauds")))
        for kind in kinds
    }
    return Agreement(found["rows"], found["since"], found["until"], **sides)
