"""The case file: all that was seen, done and decided in a case, on paper."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _

from banks.models import Case, CaseStep, FreezeRequest
from banks.selectors import cases as selectors
from consortium.documents import Document
from consortium.templatetags.figures import moment, money


def document_of(case: Case, *, by: str) -> bytes:
    """A PDF in the language and the time zone that are active, taken along by ``by``."""
    title = _("Case file %(case)s") % {"case": case}
    document = Document(title=title, owner=case.bank.display_name)
    document.title_line(title)
    document.paragraph(
        _("Taken from the system by %(who)s on %(when)s. Confidential: it names customers.")
        % {"who": by, "when": moment(timezone.now())},
        soft=True,
    )
    _facts(document, case)
    _alerts(document, case)
    _checklist(document, case)
    _contacts(document, case)
    _freezes(document, case)
    _decision(document, case)
    _history(document, case)
    return document.content()


def _facts(document: Document, case: Case) -> None:
    document.section(_("The case"))
    document.facts(
        [
            (_("State"), case.get_status_display()),
            (_("Typology"), case.get_typology_display() or _("not known yet")),
            (_("Account"), case.account),
            (_("Owner"), _name(case.owner)),
            (_("Opened"), _who_when(case.opened_by, case.opened_at)),
            (_("Due"), moment(case.due_at)),
            (_("Amount at risk"), money(case.amount_at_risk, case.currency)),
            (_("Amount saved"), money(case.amount_saved, case.currency)),
        ]
    )


def _alerts(document: Document, case: Case) -> None:
    document.section(_("Alerts"))
    rows = [
        (
            one.transaction.external_id,
            moment(one.transaction.time),
            money(one.transaction.amount, one.transaction.currency),
            f"{one.transaction.account or '–'} → {one.transaction.counterparty or '–'}",
            _joined(
                one.alert.get_disposition_display() or one.alert.get_status_display(),
                one.alert.get_reason_code_display(),
                one.alert.note,
                _who_when(one.alert.decided_by, one.alert.decided_at),
            ),
        )
        for one in selectors.linked(case)
    ]
    columns = [
        _("Transaction id"),
        _("When"),
        _("Amount"),
        _("Account → counterparty"),
        _("Decision"),
    ]
    document.rows(columns, rows, (18, 18, 15, 22, 27))


def _checklist(document: Document, case: Case) -> None:
    document.section(_("Checklist"))
    rows = [
        (step.get_code_display(), _answer(step), _who_when(step.done_by, step.done_at), step.note)
        for step in case.steps.select_related("done_by")
    ]
    document.rows([_("Step"), _("Answer"), _("By, when"), _("Note")], rows, (36, 14, 22, 28))


def _contacts(document: Document, case: Case) -> None:
    document.section(_("Contact attempts"))
    rows = [
        (
            moment(one.at),
            _joined(one.get_channel_display(), one.called),
            _("yes") if one.reached else _("no"),
            _joined(one.get_outcome_display(), one.note),
            _name(one.made_by),
        )
        for one in selectors.contacts(case).attempts
    ]
    columns = [_("When"), _("How"), _("Reached"), _("What came of it"), _("By")]
    document.rows(columns, rows, (20, 22, 10, 32, 16))


def _freezes(document: Document, case: Case) -> None:
    document.section(_("Freeze requests"))
    people = ("drafted_by", "submitted_by", "decided_by", "carried_out_by", "lifted_by")
    found = list(case.freezes.select_related(*people))
    if not found:
        document.paragraph(_("None."), soft=True)
    for freeze in found:
        document.facts(_freeze(freeze))
    document.paragraph(
        _("A record of requests. This system stops no account and moves no money itself."),
        soft=True,
    )


def _freeze(freeze: FreezeRequest) -> list[tuple[str, str]]:
    return [
        (_("Account"), freeze.account),
        (_("State"), freeze.get_status_display()),
        (_("Asked by"), _joined(freeze.get_requester_display(), freeze.reference)),
        (_("Received"), moment(freeze.received_at)),
        (_("Reason"), freeze.reason),
        (_("Submitted"), _who_when(freeze.submitted_by, freeze.submitted_at)),
        (
            _("Decided"),
            _joined(_who_when(freeze.decided_by, freeze.decided_at), freeze.decision_note),
        ),
        (_("Carried out"), _who_when(freeze.carried_out_by, freeze.carried_out_at)),
        (_("Balance then"), money(freeze.balance, freeze.currency)),
        (_("Reply given"), freeze.reply),
        (_("Lifted"), _joined(_who_when(freeze.lifted_by, freeze.lifted_at), freeze.lift_reason)),
    ]


def _decision(document: Document, case: Case) -> None:
    document.section(_("Outcome"))
    if not case.outcome:
        document.paragraph(_("Not decided yet."), soft=True)
        return
    document.facts(
        [
            (_("Outcome"), case.get_outcome_display()),
            (_("What was found"), case.summary),
            (_("Submitted"), _who_when(case.submitted_by, case.submitted_at)),
            (_("Approved"), _who_when(case.decided_by, case.closed_at)),
        ]
    )


def _history(document: Document, case: Case) -> None:
    document.section(_("History"))
    rows = [
        (moment(one.at), one.who, one.what, _joined(one.about, one.text))
        for one in selectors.timeline(case)
    ]
    document.rows([_("When"), _("Who"), _("What"), _("About")], rows, (21, 16, 19, 44))


def _answer(step: CaseStep) -> str:
    if step.done_at is None:
        return _("open")
    return _("unnecessary") if step.unnecessary else _("done")


def _name(who: object) -> str:
    return str(who) if who else "–"


def _who_when(who: object, when: object) -> str:
    return f"{_name(who)}, {moment(when)}" if when else ""  # type: ignore[arg-type]


def _joined(*parts: object) -> str:
    return "\n".join(_texts(parts))


def _texts(parts: Iterable[object]) -> list[str]:
    return [str(part) for part in parts if part]
