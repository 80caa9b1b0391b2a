"""The monitor as people read it: what is watched, how it stands, and what is too old to say."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from banks.ml.drift import merged
from banks.ml.monitoring import RECENT, Judged, Part, Watched
from banks.models import Alert, BankSettings, ModelVersion, MonitorReference, RetrainingProposal
from banks.selectors.reasons import name_of
from banks.services.monitor.judging import judged
from banks.services.thresholds import threshold_of
from consortium.accounts.models import Bank

STALE_DAYS: Final = 2
SILENT: Final = timedelta(hours=26)
SHOWN_PROPOSALS: Final = 10


@dataclass(frozen=True)
class Told:
    """A proposal with its reasons, features under the name that people know."""

    row: RetrainingProposal

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return [
            {**reason, "label": capfirst(name_of(str(reason.get("name", ""))))}
            for reason in self.row.reasons
        ]


@dataclass(frozen=True)
class Monitor:
    """Everything of the page; ``judged`` is None until a reference has been counted."""

    bank: Bank
    settings: BankSettings
    version: ModelVersion | None
    reference: MonitorReference | None
    judged: Judged | None
    proposals: list[RetrainingProposal]

    @property
    def told(self) -> list[Told]:
        return [Told(one) for one in self.proposals]

    @property
    def waiting(self) -> Told | None:
        """The proposal that waits for a person."""
        return next((one for one in self.told if one.row.status == one.row.Status.OPEN), None)

    @property
    def recent(self) -> list[Any]:
        return list(self.judged.recent) if self.judged else []

    @property
    def last_day(self) -> date | None:
        return self.recent[-1].day if self.recent else None

    @property
    def days_behind(self) -> int | None:
        """Whole days without payments up to yesterday, on the bank's clock; None where all are."""
        if self.last_day is None:
            return None
        today = timezone.now().astimezone(ZoneInfo(self.settings.zone)).date()
        return max(0, (today - self.last_day).days - 1)

    @property
    def is_stale(self) -> bool:
        return self.days_behind is not None and self.days_behind >= STALE_DAYS

    @property
    def is_silent(self) -> bool:
        """Whether the monitor itself has not looked for longer than a day."""
        checked = self.reference.checked_at if self.reference else None
        return checked is not None and checked < timezone.now() - SILENT

    @property
    def gaps(self) -> int:
        """Days between the first and the last recent one that have no payment at all."""
        if not self.recent:
            return 0
        first, last = self.recent[0].day, self.recent[-1].day
        return int((last - first).days) + 1 - len(self.recent)

    @property
    def features(self) -> list[tuple[str, Watched]]:
        """(what people call it, the feature), the furthest first."""
        if not self.judged:
            return []
        return [(capfirst(name_of(one.name)), one) for one in self.judged.features]

    @property
    def labels(self) -> Part | None:
        """Labels known when the label delay of the settings has passed."""
        return self.judged.labels_at(self._label_age) if self.judged else None

    @property
    def threshold(self) -> float | None:
        """The probability from which the version alerts now."""
        return threshold_of(self.version) if self.version else None

    @property
    def fewest(self) -> int:
        return min(self.reference.volumes) if self.reference and self.reference.volumes else 0

    @property
    def most(self) -> int:
        return max(self.reference.volumes) if self.reference and self.reference.volumes else 0

    @property
    def middle(self) -> int | None:
        """The median of the recent days' payments."""
        return round(median(day.payments for day in self.recent)) if self.recent else None

    @property
    def raised_recently(self) -> int:
        """Alerts that analysts really got from the recent days' payments."""
        if not self.recent:
            return 0
        first, last = self.recent[0].day, self.recent[-1].day
        return Alert.objects.filter(
            bank=self.bank,
            sample=False,
            transaction__time__gte=self._midnight(first),
            transaction__time__lt=self._midnight(last + timedelta(days=1)),
        ).count()

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.settings.zone))

    @property
    def _label_age(self) -> int:
        return min(self.settings.label_delay_days, 30)


def monitor_of(bank: Bank) -> Monitor:
    """The monitor of the version that scores; needs the bank's scope."""
    settings = (
        BankSettings.objects.select_related("scoring_version")
        .defer("scoring_version__artifact")
        .filter(bank=bank)
        .first()
    ) or BankSettings(bank=bank)
    version = settings.scoring_version
    reference = (
        MonitorReference.objects.select_related("version")
        .defer("version__artifact")
        .filter(version=version)
        .first()
        if version
        else None
    )
    proposals = (
        RetrainingProposal.objects.filter(bank=bank)
        .select_related("version", "decided_by", "run")
        .defer("version__artifact")
    )
    return Monitor(
        bank=bank,
        settings=settings,
        version=version,
        reference=reference,
        judged=judged(reference) if reference and reference.scores else None,
        proposals=list(proposals[:SHOWN_PROPOSALS]),
    )


def has_proposal(bank: Bank, proposal_id: uuid.UUID) -> bool:
    return RetrainingProposal.objects.filter(bank=bank, pk=proposal_id).exists()


def charts(found: Monitor) -> dict[str, dict[str, Any]]:
    """The pictures, as components/chart.html takes them; none for what is not counted."""
    watched = found.judged
    if watched is None or not watched.days:
        return {}
    made = {
        "alerts": _alert_share(found, watched),
        "volume": _volume(watched),
        "score": _score(watched),
    }
    if watched.usual_arrival and any(one.share is not None for one in watched.recent_arrival):
        made["arrival"] = _arrival(watched)
    return made


def _alert_share(found: Monitor, watched: Judged) -> dict[str, Any]:
    shares = [
        round(sum(day.scores[watched.cut :]) / day.rows, 5) if day.rows else None
        for day in watched.days
    ]
    usual = watched.alerts.usual
    series = [{"name": _("of each day's payments"), "values": shares, "line": True}]
    if usual is not None:
        level = [round(usual, 5)] * len(shares)
        series.append({"name": _("usual"), "values": level, "line": True})
    return _by_day(watched, _("share that would alert"), "percent", series)


def _volume(watched: Judged) -> dict[str, Any]:
    counts = [day.payments for day in watched.days]
    series: list[dict[str, Any]] = [{"name": _("payments"), "values": counts, "line": True}]
    if usual := watched.reference.volumes:
        for name, level in ((_("fewest before"), min(usual)), (_("most before"), max(usual))):
            series.append({"name": name, "values": [level] * len(counts), "line": True})
    return _by_day(watched, _("payments"), "count", series)


def _by_day(
    watched: Judged, what: str, written: str, series: list[dict[str, Any]]
) -> dict[str, Any]:
    labels = [date_format(day.day, "SHORT_DATE_FORMAT") for day in watched.days]
    return {
        "kind": "bars",
        "x": {"name": _("day"), "labels": labels},
        "y": {"name": what, "format": written, "min": 0},
        "series": series,
    }


def _score(watched: Judged) -> dict[str, Any]:
    then = merged(watched.reference.scores, watched.starts)
    now = merged([day.scores for day in watched.recent], watched.starts).sum(axis=0)
    series = [
        {"name": name, "values": [round(float(share), 4) for share in counts / counts.sum()]}
        for name, counts in ((_("usual"), then), (_("now"), now))
        if counts.sum()
    ]
    return {
        "kind": "bars",
        "x": {
            "name": _("score, from the lowest tenth to the highest"),
            "labels": [str(n) for n in np.arange(1, len(then) + 1).tolist()],
        },
        "y": {"name": _("share of payments"), "format": "percent", "min": 0},
        "series": series,
    }


def _arrival(watched: Judged) -> dict[str, Any]:
    lines = ((_("usual"), watched.usual_arrival), (_("latest days"), watched.recent_arrival))
    return {
        "kind": "line",
        "x": {"name": _("days after the payment"), "format": "count", "min": 0},
        "y": {"name": _("labels known"), "format": "percent", "min": 0, "max": 1},
        "series": [
            {
                "name": name,
                "points": [
                    [one.age, round(one.share, 4)] for one in known if one.share is not None
                ],
            }
            for name, known in lines
        ],
    }


__all__ = ["RECENT", "Monitor", "charts", "has_proposal", "monitor_of"]
