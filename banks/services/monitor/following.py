"""Keeping up with the days: the reference of the version that scores, then each day once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.db.models import Q
from django.utils import timezone

from banks.models import (
    BankSettings,
    Evaluation,
    ModelVersion,
    MonitorDay,
    MonitorReference,
    Transaction,
)
from banks.services.monitor import proposals, tallies
from banks.services.monitor.counting import ROWS_OF_A_DAY, ROWS_OF_THE_REFERENCE, draw
from banks.services.monitor.tallies import Tally
from banks.services.scorers import scorer_of
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

log = structlog.get_logger(__name__)

KEPT_DAYS: Final = 45
EVERY: Final = timedelta(hours=1)
PATIENCE: Final = timedelta(minutes=30)  # whoever took the work this long ago has died


@dataclass(frozen=True)
class Followed:
    """Whom the monitor follows."""

    bank: Bank
    version: ModelVersion
    zone: str
    reference: MonitorReference

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=ZoneInfo(self.zone))

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.zone)).date()


def due(bank: Bank) -> bool:
    """Whether the days have not been looked through for an hour; in no scope."""
    with bank_scope(bank.pk):
        settings = BankSettings.objects.filter(bank=bank, scoring_version__isnull=False).first()
        if settings is None:
            return False
        found = MonitorReference.objects.filter(version=settings.scoring_version_id).first()
        if found is None:
            return True
        now = timezone.now()
        free = found.claimed_at is None or found.claimed_at < now - PATIENCE
        return free and (found.checked_at is None or found.checked_at < now - EVERY)


def follow(*, bank: Bank) -> int:
    """Count the days that are not counted, or whose payments have changed; returns how many.

    Two callers at once: the second does nothing.
    """
    followed = _claim(bank)
    if followed is None:
        return 0
    try:
        if not followed.reference.scores and not followed.reference.problem:
            _make_reference(followed)
        counted = 0 if followed.reference.problem else _count_days(followed)
    except Refused as refused:
        log.info("monitor_refused", bank=bank.slug, code=refused.code)
        _note_problem(followed, refused)
        counted = 0
    finally:
        with bank_scope(bank.pk):
            MonitorReference.objects.filter(pk=followed.reference.pk).update(claimed_at=None)
    with bank_scope(bank.pk):
        MonitorReference.objects.filter(pk=followed.reference.pk).update(checked_at=timezone.now())
        proposals.consider(bank=bank, version=followed.version)
    return counted


def _claim(bank: Bank) -> Followed | None:
    now = timezone.now()
    with bank_scope(bank.pk):
        settings = (
            BankSettings.objects.select_related("scoring_version")
            .defer("scoring_version__artifact")
            .filter(bank=bank)
            .first()
        )
        if settings is None or settings.scoring_version is None:
            return None
        reference, _ = MonitorReference.objects.get_or_create(
            bank=bank, version=settings.scoring_version
        )
        free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - PATIENCE)
        mine = MonitorReference.objects.filter(free, pk=reference.pk)
        if not mine.update(claimed_at=now):
            return None
        reference.claimed_at = now
    return Followed(bank, settings.scoring_version, settings.zone, reference)


def _make_reference(followed: Followed) -> None:
    """Count the version's validation window, once."""
    bank, version, reference = followed.bank, followed.version, followed.reference
    with bank_scope(bank.pk):
        window = (
            Evaluation.objects.filter(version=version, window=Evaluation.Window.VALIDATION)
            .order_by("-window_until")
            .first()
        )
        if window is None:
            raise Refused(
                "no_validation",
                gettext_noop("This version was not judged on a validation window of this bank."),
            )
        found = tallies.by_day(bank.pk, followed.zone, window.window_from, window.window_until)
        scorer = scorer_of(version)
    if not found:
        raise Refused(
            "no_reference",
            gettext_noop("The payments of this version's validation window are no longer here."),
        )
    drawn = draw(
        bank,
        version,
        scorer,
        followed.zone,
        [(window.window_from, window.window_until)],
        most=ceil(ROWS_OF_THE_REFERENCE / len(found)),
    )
    edges, whole = drawn.edges(), tallies.total(found)
    reference.window_from, reference.window_until = window.window_from, window.window_until
    reference.payments, reference.rows = whole.payments, len(drawn)
    reference.edges, reference.counts, reference.scores = edges, drawn.counts(edges), drawn.scores()
    reference.channels, reference.blanks = whole.channels, whole.blanks
    reference.volumes = [
        one.payments
        for day, one in found.items()
        if followed.midnight(day) >= window.window_from
        and followed.midnight(day + timedelta(days=1)) <= window.window_until
    ]
    with bank_scope(bank.pk):
        reference.save()


def _count_days(followed: Followed) -> int:
    days = _whole_days(followed)
    with bank_scope(followed.bank.pk):
        _renew_arrival(followed, days)
        stored = dict(followed.reference.days.values_list("day", "payments"))
    wanted = [day for day, found in days.items() if stored.get(day) != found.payments]
    if wanted:
        with bank_scope(followed.bank.pk):
            scorer = scorer_of(followed.version)
        drawn = draw(
            followed.bank,
            followed.version,
            scorer,
            followed.zone,
            list(_periods(followed, wanted)),
            most=ROWS_OF_A_DAY,
        )
    with bank_scope(followed.bank.pk):
        for day in wanted:
            part = drawn.of_day(day)
            MonitorDay.objects.update_or_create(
                bank=followed.bank,
                reference=followed.reference,
                day=day,
                defaults={
                    **_columns(days[day]),
                    "rows": len(part),
                    "counts": part.counts(followed.reference.edges),
                    "scores": part.scores(),
                    "counted_at": timezone.now(),
                },
            )
        for day in days.keys() - set(wanted):
            followed.reference.days.filter(day=day).update(**_columns(days[day]))
        if days:
            followed.reference.days.filter(day__lt=min(days)).delete()
    return len(wanted)


def _columns(found: Tally) -> dict[str, object]:
    return {
        "payments": found.payments,
        "channels": found.channels,
        "blanks": found.blanks,
        "lags": found.lags[:-1],
        "labelled": found.labelled,
        "untimed": found.untimed,
    }


def _whole_days(followed: Followed) -> dict[date, Tally]:
    """Days after the reference that are over, the latest; those without payments are absent."""
    since = followed.reference.window_until
    if since is None:
        return {}
    with bank_scope(followed.bank.pk):
        last = Transaction.objects.filter(bank=followed.bank).order_by("-time").first()
        if last is None:
            return {}
        until = min(followed.day_of(timezone.now()), followed.day_of(last.time) + timedelta(days=1))
        first = followed.day_of(since) + timedelta(days=1)
        first = max(first, until - timedelta(days=KEPT_DAYS))
        return tallies.by_day(
            followed.bank.pk, followed.zone, followed.midnight(first), followed.midnight(until)
        )


def _periods(followed: Followed, days: list[date]) -> Iterator[tuple[datetime, datetime]]:
    for day in days:
        yield followed.midnight(day), followed.midnight(day + timedelta(days=1))


def _renew_arrival(followed: Followed, days: dict[date, Tally]) -> None:
    """Labels of old payments still come: the reference's and each day's are counted again."""
    reference = followed.reference
    if reference.window_from is None or reference.window_until is None:
        return
    found = tallies.by_day(
        followed.bank.pk, followed.zone, reference.window_from, reference.window_until
    )
    if not found:
        return
    whole = tallies.total(found)
    seen = max([whole.seen_until, *(one.seen_until for one in days.values())])
    reference.lags, reference.lag_payments = whole.lags[:-1], whole.payments - whole.untimed
    reference.seen_until = min(seen, datetime.now(UTC))
    reference.save(update_fields=["lags", "lag_payments", "seen_until"])


def _note_problem(followed: Followed, refused: Refused) -> None:
    with bank_scope(followed.bank.pk):
        MonitorReference.objects.filter(pk=followed.reference.pk).update(
            problem=refused.code,
            problem_sentence=refused.sentence,
            problem_params={name: str(value) for name, value in refused.params.items()},
        )
