"""What a bank decides for itself: its zone, label delay, review capacity and training schedule."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from croniter import croniter
from django.utils import timezone

from banks.models import BankSettings
from banks.services.training import next_time
from banks.services.versions import settings_row
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

EDITABLE: Final = (
    "zone",
    "label_delay_days",
    "reviewers",
    "minutes_a_day",
    "minutes_a_review",
    "reviews_a_day",
    "sla_hours",
    "facts_first",
    "blind_share",
    "sample_share",
    "recoverable_share",
    "review_cost",
    "training_cron",
    "training_enabled",
)

CAPACITY: Final = {"reviewers", "minutes_a_day", "minutes_a_review"}
MOST_REVIEWS: Final = 1_000_000


def change_settings(*, bank: Bank, actor: Actor, **changes: Any) -> BankSettings:
    """Change some of the bank's settings; the schedule's next time follows.

    Raises Refused naming the field that does not fit; then nothing has changed.
    """
    with bank_scope(bank.pk):
        row = settings_row(bank, lock=True)
        before = {name: getattr(row, name) for name in EDITABLE}
        for name, value in changes.items():
            if name not in EDITABLE:
                raise Refused(
                    "no_setting", gettext_noop("There is no setting %(name)s."), name=name
                )
            setattr(row, name, value)
        _check(row)
        if CAPACITY & changes.keys() and "reviews_a_day" not in changes:
            minutes = row.reviewers * row.minutes_a_day
            row.reviews_a_day = min(MOST_REVIEWS, int(minutes / row.minutes_a_review))
        row.next_training_at = (
            next_time(row.training_cron, row.zone, timezone.now()) if row.training_enabled else None
        )
        row.save(update_fields=[*EDITABLE, "next_training_at"])
        changed = {
            name: [str(before[name]), str(getattr(row, name))]
            for name in EDITABLE
            if before[name] != getattr(row, name)
        }
        if changed:
            audit.record(actor=actor, verb="settings.changed", target=row, bank=bank, **changed)
    return row


def _check(row: BankSettings) -> None:
    try:
        ZoneInfo(row.zone)
    except (KeyError, ValueError, OSError) as error:
        raise Refused(
            "zone",
            gettext_noop("There is no such time zone. Use a name like Asia/Tokyo."),
            field="zone",
        ) from error
    if not croniter.is_valid(row.training_cron):
        raise Refused(
            "cron",
            gettext_noop("Write the schedule as five cron fields, like 30 2 * * * for 02:30."),
            field="training_cron",
        )
    bounds = {
        "label_delay_days": (0, 365),
        "reviewers": (0, 10_000),
        "minutes_a_day": (0, 1440),
        "reviews_a_day": (0, MOST_REVIEWS),
        "minutes_a_review": (0.1, 1440),
        "sla_hours": (0.1, 8760),
        "blind_share": (0, 0.2),
        "sample_share": (0, 0.1),
        "recoverable_share": (0, 1),
        "review_cost": (0, 10_000_000),
    }
    for name, (least, most) in bounds.items():
        if not least <= getattr(row, name) <= most:
            raise Refused(
                "out_of_range",
                gettext_noop("This must lie between %(least)s and %(most)s."),
                field=name,
                least=least,
                most=most,
            )
