"""More time for a round that is still open."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from aggregation.models import Round
from aggregation.refusals import Contradicts
from aggregation.services import rounds
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.protocol.custody import LONGEST_ROUND_SECONDS
from consortium.protocol.errors import Refused, gettext_noop

LONGEST = timedelta(seconds=LONGEST_ROUND_SECONDS)


@transaction.atomic
def extend_round(*, actor: Actor, round_: Round, minutes: int, why: str) -> Round:
    """Move the deadline of an open round; nothing of its signed manifest changes but the wait."""
    if not why.strip():
        raise Refused("reason_missing", gettext_noop("Say why."), field="reason")
    row = rounds.locked(round_.pk)
    if row.state != Round.State.OPEN:
        raise Contradicts(
            "round_not_open",
            gettext_noop("The round is not open any more: its list of banks is closed."),
        )
    more = timedelta(minutes=minutes)
    if row.deadline + more > row.opened_at + LONGEST:
        raise Refused(
            "round_too_long",
            gettext_noop("A round may stay open for %(days)s days at most."),
            field="minutes",
            days=LONGEST.days,
        )
    Round.objects.filter(pk=row.pk).update(deadline=F("deadline") + more)
    audit.record(actor=actor, verb="round.extended", target=row, minutes=minutes, reason=why)
    row.refresh_from_db()
    return row
