"""A case's history as sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from banks.models import Alert, Case, CaseEvent, CaseStep, ContactAttempt, FreezeRequest, ReasonCode
from consortium.templatetags.figures import moment

Kind = CaseEvent.Kind


@dataclass(frozen=True)
class Moment:
    """One line: when, who, what kind of thing, about what, and what was written."""

    at: datetime
    who: str
    kind: str
    what: str
    about: str
    text: str


def timeline(case: Case) -> list[Moment]:
    """Oldest first."""
    events = list(case.events.select_related("user"))
    ids = {event.about["alert"] for event in events if "alert" in event.about}
    names = dict(
        Alert.objects.filter(bank=case.bank_id, pk__in=ids).values_list(
            "pk", "transaction__external_id"
        )
    )
    alerts = {str(key): name for key, name in names.items()}
    return [
        Moment(
            at=event.at,
            who=str(event.user or "–"),
            kind=event.kind,
            what=event.get_kind_display(),
            about=_about(event.about, alerts),
            text=event.text,
        )
        for event in events
    ]


def _about(about: dict[str, Any], alerts: dict[str, str]) -> str:
    """What an event names by id or code, in words."""
    words: dict[str, Callable[[str], str]] = {
        "alert": lambda value: alerts.get(value, value),
        "typology": lambda value: _label(ReasonCode, value),
        "owner": str,
        "due": lambda value: moment(datetime.fromisoformat(value)),
        "step": lambda value: _label(CaseStep.Code, value),
        "answer": lambda value: {"done": _("done"), "unnecessary": _("unnecessary")}.get(
            value, _("open again")
        ),
        "channel": lambda value: _label(ContactAttempt.Channel, value),
        "outcome": _outcome,
        "status": lambda value: _label(FreezeRequest.Status, value),
    }
    found = [words[name](value) for name, value in about.items() if name in words and value]
    return ": ".join(found)


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def _outcome(value: str) -> str:
    if value in Case.Outcome.values:
        return _label(Case.Outcome, value)
    return _label(ContactAttempt.Outcome, value)
