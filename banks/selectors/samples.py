"""What the two samples say: recall with its interval, and whether the score leads the reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum, Value
from django.utils import timezone

from banks.ml.estimation import Estimate, difference_of_shares, recall_from_sample
from banks.models import Alert
from consortium.accounts.models import Bank
from consortium.intervals import Interval

DAYS: Final = 90
TIMED: Final = 2000
DECIDED: Final = Q(status=Alert.Status.DECIDED)
KNOWN: Final = DECIDED & Q(disposition__in=["fraud", "genuine"])
FRAUD: Final = DECIDED & Q(disposition="fraud")
NONE: Final = {"decided": 0, "fraud": 0, "cannot_tell": 0}


@dataclass(frozen=True)
class SampledRecall:
    """Recall of the analysts' and the model's work together, from decisions alone.

    ``caught`` are alerts decided as fraud. ``drawn`` payments below the threshold were put into
    the queue, ``judged`` of them decided, ``found`` of those were fraud; each judged one stands
    for ``stands_for`` payments below the threshold. ``recall`` is None until one was judged.
    """

    since: datetime
    caught: int
    undecided: int
    drawn: int
    judged: int
    found: int
    stands_for: float | None
    recall: Estimate | None

    @property
    def value(self) -> float | None:
        return self.recall.value if self.recall else None

    @property
    def interval(self) -> Interval | None:
        return self.recall.interval if self.recall else None


@dataclass(frozen=True)
class Group:
    """Decisions with or without the score in sight; ``seconds`` is the median from take to end."""

    decided: int
    fraud: int
    cannot_tell: int
    seconds: float | None

    @property
    def share(self) -> float | None:
        return self.fraud / self.decided if self.decided else None


@dataclass(frozen=True)
class BlindComparison:
    """Alerts served blind beside those served with score; ``difference`` is blind minus shown."""

    blind: Group
    shown: Group
    difference: Estimate | None

    @property
    def verdict(self) -> str:
        """``none``, ``more`` or ``less`` fraud when blind; "" while there is too little."""
        if self.difference is None or min(self.blind.decided, self.shown.decided) < 30:
            return ""
        found = self.difference.interval
        if found.low <= 0 <= found.high:
            return "none"
        return "more" if found.low > 0 else "less"


def sampled_recall(
    bank: Bank, *, since: datetime | None = None, until: datetime | None = None
) -> SampledRecall:
    """Recall of the alerts raised in [since, until), from the random sample below the threshold.

    By default over the last ``DAYS``.
    """
    since = since or timezone.now() - timedelta(days=DAYS)
    rows = Alert.objects.filter(bank=bank, created_at__gte=since)
    if until:
        rows = rows.filter(created_at__lt=until)
    weight = Value(1.0, output_field=FloatField()) / F("sampling_share")
    above, below = Q(sample=False), Q(sample=True)
    counted = rows.aggregate(
        caught=Count("pk", filter=above & FRAUD),
        undecided=Count("pk", filter=above & ~DECIDED),
        drawn=Count("pk", filter=below),
        judged=Count("pk", filter=below & KNOWN),
        found=Count("pk", filter=below & FRAUD),
        population=Sum(weight, filter=below),
    )
    population = counted.pop("population")
    stands_for = population / counted["judged"] if counted["judged"] else None
    return SampledRecall(
        since=since,
        **counted,
        stands_for=stands_for,
        recall=recall_from_sample(counted["caught"], counted["found"], stands_for)
        if stands_for
        else None,
    )


def blind_comparison(bank: Bank, *, days: int = DAYS) -> BlindComparison:
    """Whether alerts are judged alike with and without the score in sight."""
    since = timezone.now() - timedelta(days=days)
    rows = Alert.objects.filter(DECIDED, bank=bank, decided_at__gte=since, sample=False)
    counted = rows.values("blind").annotate(
        decided=Count("pk"),
        fraud=Count("pk", filter=FRAUD),
        cannot_tell=Count("pk", filter=Q(disposition="cannot_tell")),
    )
    counts = {row["blind"]: row for row in counted.order_by()}
    blind, shown = (
        _group(rows.filter(blind=value), counts.get(value, NONE)) for value in (True, False)
    )
    return BlindComparison(
        blind=blind,
        shown=shown,
        difference=difference_of_shares((blind.fraud, blind.decided), (shown.fraud, shown.decided)),
    )


def _group(rows: QuerySet[Alert], counted: Any) -> Group:
    timed = rows.filter(claimed_at__isnull=False).order_by("-decided_at")
    times = timed.values_list("claimed_at", "decided_at")[:TIMED]
    spans = [(end - begin).total_seconds() for begin, end in times if begin and end]
    return Group(
        decided=counted["decided"],
        fraud=counted["fraud"],
        cannot_tell=counted["cannot_tell"],
        seconds=median(spans) if spans else None,
    )
