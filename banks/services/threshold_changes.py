"""Changing a threshold takes two people: one proposes with a reason, another approves.

Nothing moves a threshold directly. What was approved takes effect at once or at its time, and one
click brings back what was in force before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone

from banks.ml.evaluation import Confusion, confusion_at
from banks.ml.thresholds import logit_of
from banks.models import EvaluatedRows, Evaluation, ModelVersion, Threshold, ThresholdChange
from banks.services import evaluated_rows
from banks.services.thresholds import threshold_of
from consortium.accounts import audit
from consortium.accounts.actors import Actor, system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

Status = ThresholdChange.Status
LONGEST: Final = 200


def propose(
    *,
    bank: Bank,
    actor: Actor,
    version_id: uuid.UUID | str,
    value: float,
    reason: str,
    aim: str = ThresholdChange.Aim.PERSON,
    target: float | None = None,
    effective_from: datetime | None = None,
) -> ThresholdChange:
    """Ask for another threshold; what it would have done on the test window is kept beside it."""
    reason = _said(reason, gettext_noop("Say why the threshold changes; the next person will ask."))
    if not 0 < value <= 1:
        raise Refused(
            "threshold_range",
            gettext_noop("A threshold is a probability above 0 and up to 1."),
            field="value",
        )
    _require_ahead(effective_from)
    with bank_scope(bank.pk):
        version = _version(bank, version_id)
        before = threshold_of(version)
        change = ThresholdChange(
            bank=bank,
            version=version,
            value=value,
            before=before,
            aim=aim if aim in ThresholdChange.Aim.values else ThresholdChange.Aim.PERSON,
            target=target,
            reason=reason,
            effect=_effect(version, before, value),
            proposed_by=actor.user,
            effective_from=effective_from,
        )
        _save_alone(change)
        _write(actor, change, "threshold.proposed", reason=reason)
    return change


def approve(
    *, bank: Bank, actor: Actor, change_id: uuid.UUID | str, note: str = ""
) -> ThresholdChange:
    """The second person says yes: in force at once, or at the time that was proposed.

    Raises Refused to whoever proposed it, and when it no longer waits or its time has passed.
    """
    with bank_scope(bank.pk):
        change = _change(bank, change_id)
        if change.proposed_by_id == _user_id(actor):
            raise Refused(
                "own_proposal",
                gettext_noop("You proposed this threshold, so another person must approve it."),
            )
        later = change.effective_from is not None and change.effective_from > timezone.now()
        _move(
            change,
            [Status.PROPOSED],
            Status.SCHEDULED if later else Status.IN_FORCE,
            decided_by=actor.user,
            decided_at=timezone.now(),
            note=note.strip()[:LONGEST],
        )
        _write(actor, change, "threshold.approved", scheduled=later)
        if not later:
            _put_in_force(change, actor)
    return change


def send_back(*, bank: Bank, actor: Actor, change_id: uuid.UUID | str, note: str) -> None:
    """The second person says no, and why."""
    note = _said(note, gettext_noop("Say why it goes back, so that the next proposal is better."))
    with bank_scope(bank.pk):
        change = _change(bank, change_id)
        _move(
            change,
            [Status.PROPOSED],
            Status.RETURNED,
            decided_by=actor.user,
            decided_at=timezone.now(),
            note=note,
        )
        _write(actor, change, "threshold.returned", reason=note)


def withdraw(*, bank: Bank, actor: Actor, change_id: uuid.UUID | str) -> None:
    """Take a proposal back, or a scheduled change before its time."""
    with bank_scope(bank.pk):
        change = _change(bank, change_id)
        _move(change, list(ThresholdChange.OPEN), Status.WITHDRAWN)
        _write(actor, change, "threshold.withdrawn")


def roll_back(
    *, bank: Bank, actor: Actor, version_id: uuid.UUID | str, reason: str = ""
) -> Threshold:
    """Bring back the threshold before the present one, at once: it has been approved already.

    Raises Refused when there is none, or when the present one is itself a step back.
    """
    with bank_scope(bank.pk):
        version = _version(bank, version_id, lock=True)
        history = list(Threshold.objects.filter(bank=bank, version=version)[:2])
        if len(history) < 2 or history[0].method == Threshold.Method.ROLLED_BACK:
            raise Refused(
                "nothing_before",
                gettext_noop("There is no earlier threshold to go back to. Propose one instead."),
            )
        present, before = history
        restored = Threshold.objects.create(
            bank=bank,
            version=version,
            value=before.value,
            method=Threshold.Method.ROLLED_BACK,
            reason=reason.strip()[:LONGEST],
            set_by=actor.user,
        )
        audit.record(
            actor=actor,
            verb="threshold.rolled_back",
            target=version,
            bank=bank,
            value=before.value,
            instead_of=present.value,
            reason=restored.reason,
        )
    return restored


def put_due_in_force(*, bank: Bank, now: datetime | None = None) -> int:
    """Let what was scheduled take effect; however often this is called, each does once."""
    done = 0
    with bank_scope(bank.pk):
        due = ThresholdChange.objects.select_for_update(skip_locked=True).filter(
            bank=bank, status=Status.SCHEDULED, effective_from__lte=now or timezone.now()
        )
        for change in due:
            _move(change, [Status.SCHEDULED], Status.IN_FORCE)
            _put_in_force(change, system("schedule", bank=bank))
            done += 1
    return done


def _put_in_force(change: ThresholdChange, actor: Actor) -> None:
    threshold = Threshold.objects.create(
        bank_id=change.bank_id,
        version_id=change.version_id,
        value=change.value,
        method=Threshold.Method.APPROVED,
        reason=change.reason,
        set_by=change.proposed_by,
        approved_by=change.decided_by,
    )
    change.threshold = threshold
    change.save(update_fields=["threshold"])
    _write(actor, change, "threshold.set", reason=change.reason)


def _effect(version: ModelVersion, before: float, after: float) -> dict[str, Any]:
    """Counts on the newest test window at both thresholds; empty where none was judged.

    Refused when the counts and the rows behind them disagree: such a figure decides nothing.
    """
    found = (
        Evaluation.objects.filter(version=version, window=Evaluation.Window.TEST)
        .order_by("-window_until", "-pk")
        .first()
    )
    if found is None:
        return {}
    counts = np.array([found.genuine, found.fraud], dtype=np.int64)
    rows = EvaluatedRows.objects.filter(evaluation=found).first()
    if rows and not np.array_equal(evaluated_rows.unpacked(rows).histogram, counts):
        raise Refused(
            "figures_disagree",
            gettext_noop(
                "The counts of this version and the transactions behind them disagree, so nothing "
                "can be proposed by them. Train again, and tell whoever runs this node."
            ),
        )
    return {
        "from": found.window_from.isoformat(),
        "until": found.window_until.isoformat(),
        "before": _cells(confusion_at(counts, logit_of(before))),
        "after": _cells(confusion_at(counts, logit_of(after))),
    }


def _cells(found: Confusion) -> dict[str, int]:
    return {"tp": found.tp, "fp": found.fp, "fn": found.fn, "tn": found.tn}


def _save_alone(change: ThresholdChange) -> None:
    try:
        with transaction.atomic():
            change.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(
            "already_proposed",
            gettext_noop(
                "Another change of this threshold is already under way. Approve it, send it back "
                "or withdraw it first."
            ),
        ) from error


def _move(change: ThresholdChange, allowed: Iterable[str], status: str, **facts: Any) -> None:
    moved = ThresholdChange.objects.filter(pk=change.pk, status__in=allowed).update(
        status=status, **facts
    )
    if not moved:
        raise Refused(
            "not_waiting",
            gettext_noop("This change does not wait any more: somebody was faster."),
        )
    change.status = status
    for name, value in facts.items():
        setattr(change, name, value)


def _write(actor: Actor, change: ThresholdChange, verb: str, **facts: Any) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        target=change,
        bank=change.bank,
        version=change.version.number,
        value=change.value,
        before=change.before,
        **facts,
    )


def _change(bank: Bank, change_id: uuid.UUID | str) -> ThresholdChange:
    found = (
        ThresholdChange.objects.select_related("version", "proposed_by", "decided_by", "bank")
        .defer("version__artifact")
        .filter(bank=bank, pk=change_id)
        .first()
    )
    if found is None:
        raise Refused("no_change", gettext_noop("There is no such change of a threshold."))
    return found


def _version(bank: Bank, version_id: uuid.UUID | str, *, lock: bool = False) -> ModelVersion:
    rows = ModelVersion.objects.select_for_update() if lock else ModelVersion.objects
    found = rows.defer("artifact").filter(bank=bank, pk=version_id).first()
    if found is None:
        raise Refused("no_version", gettext_noop("There is no such model version."))
    return found


def _said(text: str, otherwise: str) -> str:
    text = text.strip()
    if not text:
        raise Refused("reason_required", otherwise, field="reason")
    return text[:LONGEST]


def _require_ahead(moment: datetime | None) -> None:
    if moment is not None and moment <= timezone.now():
        raise Refused(
            "in_the_past",
            gettext_noop("This time has passed. Choose a later one, or none for at once."),
            field="effective_from",
        )


def _user_id(actor: Actor) -> object:
    return actor.user.pk if actor.user else None
