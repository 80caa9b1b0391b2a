"""The members' word on a task's terms: kept as signed, counted before a run begins."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from aggregation.models import Task, TermsVote
from aggregation.refusals import Contradicts, NotHere
from aggregation.services.rosters import active_roster
from consortium.accounts import audit
from consortium.accounts.actors import node
from consortium.accounts.models import Bank
from consortium.protocol import spec
from consortium.protocol.envelope import Signed, canonical, digest, verify
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.roster import Roster


def terms_of(task: Task) -> str:
    """The hash that members sign."""
    return digest(canonical(task.recipe))


@transaction.atomic
def vote(*, bank: Bank, task: Task, signed: Signed) -> TermsVote:
    """Keep a member's word; only what it says last counts."""
    row = active_roster(task)
    roster = Roster.from_wire(row.body) if row else None
    if roster is None or str(bank.pk) not in roster.banks:
        raise NotHere
    word = verify(signed, spec.TermsVote, roster.verify_key(str(bank.pk)))
    if signed.signer != str(bank.pk) or word.bank != signed.signer:
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    if (word.task, word.terms) != (str(task.pk), terms_of(task)):
        raise Contradicts("other_terms", gettext_noop("The vote is about other terms."))
    kept, _created = TermsVote.objects.update_or_create(
        task=task,
        bank=bank,
        defaults={
            "terms": word.terms,
            "accept": word.accept,
            "signed": signed.to_wire(),
            "at": timezone.now(),
        },
    )
    audit.record(
        actor=node(bank), verb="terms.voted", target=task, terms=word.terms, accept=word.accept
    )
    return kept


def require_accepted(task: Task, roster: Roster) -> None:
    """Refuse a run for which too few members accepted the terms."""
    accepted = TermsVote.objects.filter(
        task=task, terms=terms_of(task), accept=True, bank_id__in=roster.banks
    ).count()
    if accepted < roster.numbers.minimum_cohort:
        raise Refused(
            "terms_not_accepted",
            gettext_noop("%(accepted)s banks accepted the terms; a sum needs %(needed)s."),
            accepted=accepted,
            needed=roster.numbers.minimum_cohort,
        )
