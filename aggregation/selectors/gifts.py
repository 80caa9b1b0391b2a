"""What a newcomer may ask its fellow members for, and what waits to be given.

The centre knows what the members agreed on by hashes and signatures; the bytes it never has.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from aggregation.models import Gift, ModelVersion, RosterVersion, Round, TermsVote, TrainingRun
from aggregation.refusals import NotHere
from aggregation.selectors import evidence
from aggregation.services.terms import terms_of
from consortium.accounts.models import Bank
from consortium.protocol.envelope import Signed, frame
from consortium.protocol.gifts import PATIENCE_SECONDS, Offer
from consortium.protocol.spec import METRICS, RISK_SIGNAL, FreezeCertificate
from consortium.protocol.wire import Json

PATIENCE = timedelta(seconds=PATIENCE_SECONDS)
AT_ONCE = 10


def missed_runs(bank: Bank) -> list[TrainingRun]:
    """Runs from before the bank was a member whose outcome the members use and it has not got."""
    member = {"members": [{"bank": str(bank.pk)}]}
    active = RosterVersion.objects.filter(state=RosterVersion.State.ACTIVE, body__contains=member)
    published = Q(version__state=ModelVersion.State.PUBLISHED)
    summed = Q(task__purpose=RISK_SIGNAL, state=TrainingRun.State.DONE)
    received = Gift.objects.filter(recipient=bank, accepted=True)
    found = list(
        TrainingRun.objects.filter(published | summed, task__in=active.values("task"))
        .exclude(roster__body__contains=member)
        .exclude(pk__in=received.values("run"))
        .select_related("task", "roster", "version")
        .order_by("number")
    )
    spoken = _agreed_to_terms(bank) if any(_is_signal(run) for run in found) else set()
    return [run for run in found if not _is_signal(run) or terms_of(run.task) in spoken]


def waiting_for(bank: Bank) -> list[tuple[TrainingRun, str]]:
    """What the bank, a newcomer, can go on with now: to ask for, to open, or to ask another."""
    runs = missed_runs(bank)
    newest: dict[uuid.UUID, Gift] = {}
    if runs:
        for gift in Gift.objects.filter(recipient=bank, run__in=runs).defer("box").reverse():
            newest[gift.run_id] = gift
    ready = [run for run in runs if _can_go_on(newest.get(run.pk))][:AT_ONCE]
    return [(run, subject) for run in ready if (subject := subject_of(run))]


def _can_go_on(gift: Gift | None) -> bool:
    if gift is None:
        return True
    if gift.accepted is not None:
        return False  # where there was another to ask, the newcomer has asked it by now
    return gift.given_at is not None or gift.asked_at <= timezone.now() - PATIENCE


def asked_of(bank: Bank) -> list[Gift]:
    """Requests that wait for this bank, as long as the newcomer waits."""
    waiting = Gift.objects.filter(giver=bank, given_at=None, accepted=None)
    return list(
        waiting.filter(asked_at__gt=timezone.now() - PATIENCE).select_related("run").order_by("pk")
    )


def offer(bank: Bank, run_id: uuid.UUID) -> Json:
    """What the members signed about the outcome of a run that the bank came too late for."""
    run = next((run for run in missed_runs(bank) if run.pk == run_id), None)
    subject = subject_of(run) if run else None
    if run is None or subject is None:
        raise NotHere
    round_ = _round_of(run)
    if _is_signal(run):
        words = list(round_.derived.filter(result=subject).values_list("signed", flat=True))
    else:
        words = list(run.version.votes.values_list("signed", flat=True))
    return Offer(
        task=str(run.task_id),
        run=str(run.pk),
        subject=subject,
        manifest=Signed.from_wire(round_.manifest),
        certificate=FreezeCertificate.from_wire(evidence.certificate(round_)),
        words=tuple(map(Signed.from_wire, words)),
    ).to_wire()


def answer(bank: Bank, request: str) -> bytes:
    """The peer's signed box for this bank's request; nothing while it has not answered."""
    found = Gift.objects.filter(recipient=bank, request_hash=request).first()
    if found is None:
        raise NotHere
    return frame(dict(found.signed), bytes(found.box)) if found.signed and found.box else b""


def subject_of(run: TrainingRun) -> str | None:
    """The SHA-256 that the members know a run's outcome by."""
    if not _is_signal(run):
        return str(run.version.sha256)
    return _round_of(run).result or None


def _round_of(run: TrainingRun) -> Round:
    """The round whose certified manifest says how the outcome came about."""
    opened = run.rounds.filter(state=Round.State.OPENED)
    if not _is_signal(run):
        opened = opened.filter(step=METRICS)
    found = opened.order_by("-number").first()
    if found is None:
        raise NotHere
    return found


def _is_signal(run: TrainingRun) -> bool:
    return bool(run.task.purpose == RISK_SIGNAL)


def _agreed_to_terms(bank: Bank) -> set[str]:
    """Terms of signals that the bank accepted: who takes no part is given nothing."""
    words = TermsVote.objects.filter(bank=bank, accept=True)
    return set(words.values_list("terms", flat=True))
