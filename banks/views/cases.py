"""Cases: the list, one case, and every act on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from banks import case_forms as forms
from banks.models import Alert, Case
from banks.selectors import alerts as alert_desk
from banks.selectors import cases as selectors
from banks.selectors.cases import APPROVERS, READERS, WORKERS
from banks.selectors.cases.table import COLUMNS, row_of
from banks.selectors.work import Waiting, waits_for_approval
from banks.services import cases as services
from banks.services.exports import note_export
from consortium.accounts.access import bank_page, translated
from consortium.accounts.keeping import keeps_typed, typed_before
from consortium.accounts.models import Bank, Membership
from consortium.exports import csv_response
from consortium.protocol.errors import Refused, gettext_noop

MOST_EXPORTED = 10_000
CONFLICT = 409  # the page shows another state by now, perhaps without the form
FORMS: dict[str, Callable[..., Form]] = {
    "link": forms.AlertsForm,
    "unlink": forms.AlertsForm,
    "typology": forms.TypologyForm,
    "due": forms.DueForm,
    "note": forms.NoteForm,
    "step": forms.StepForm,
    "contact": forms.ContactForm,
    "submit": forms.SubmitForm,
    "approve": forms.DecisionNoteForm,
    "return": forms.ReasonForm,
    "reopen": forms.ReasonForm,
}
WORK = (
    *("take", "link", "unlink", "typology", "due", "note", "step", "contact"),
    *("submit", "withdraw"),
)
DECISIONS = ("assign", "approve", "return", "reopen")
PLACES = {"link": "alerts", "unlink": "alerts", "step": "checklist", "contact": "contacts"}


@bank_page(*READERS)
@require_GET
def listing(request: Any) -> HttpResponse:
    filters = selectors.Filters.from_query(request.GET)
    found = selectors.listed(request.bank, request.user, filters)
    counts = selectors.counts(request.bank, request.user)
    return render(
        request,
        "banks/cases/list.html",
        {
            "filters": filters,
            "found": found,
            "counts": counts,
            "tabs": _tabs(filters, counts),
            "typologies": [
                (value, label or _("not known yet"), n, filters.address(typology=value))
                for value, label, n in selectors.typologies(request.bank, request.user, filters)
            ],
            "all_typologies": filters.address(typology=""),
            "late_only": filters.address(due="" if filters.due else "overdue"),
            "csv_url": reverse("banks:export-cases", args=[request.bank.slug]) + filters.address(),
            "next_url": filters.address() + f"&after={found.next_cursor}"
            if found.next_cursor
            else "",
            "first_url": filters.address() if filters.after else "",
            "may_work": request.membership.role in WORKERS,
        },
    )


@bank_page(*READERS)
@require_GET
def export(request: Any) -> HttpResponse:
    """The cases that the filters let through, as a table."""
    filters = selectors.Filters.from_query(request.GET)
    found = selectors.listed(request.bank, request.user, filters, most=MOST_EXPORTED)
    note_export(
        bank=request.bank, actor=request.actor, what="cases", rows=len(found.cases), **vars(filters)
    )
    return csv_response(
        file_name="cases.csv",
        header=[str(column) for column in COLUMNS],
        rows=map(row_of, found.cases),
    )


@bank_page(*WORKERS)
def opening(request: Any) -> HttpResponse:
    """A new case: the form (with an alert that was being looked at), then the case."""
    if request.method != "POST":
        form = forms.OpenCaseForm(initial={"account": request.GET.get("account", "")[:80]})
        return _opening(request, form, request.GET.getlist("alert"))
    form = forms.OpenCaseForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        _require_alerts(request.bank, given["alert"])
        try:
            case = services.open_case(
                bank=request.bank,
                actor=request.actor,
                alert_ids=given["alert"],
                account=given["account"],
                typology=given["typology"],
            )
        except Refused as refused:
            form.add_error(_field(form, refused), translated(refused))
        else:
            return redirect("banks:case", request.bank.slug, case.pk)
    return _opening(request, form, request.POST.getlist("alert"), status=422)


@bank_page(*READERS)
@require_GET
def detail(request: Any, case_id: uuid.UUID) -> HttpResponse:
    typed = typed_before(request)
    if typed is None:
        return _page(request, case_id)
    messages.warning(
        request, _("You had been signed out, so nothing was saved. What you wrote is here again.")
    )
    act = typed.pop("act", "note")
    kind = FORMS.get(act, forms.NoteForm)
    return _page(request, case_id, {act: kind(initial=typed, auto_id=f"{act}_%s")})


@bank_page(*READERS)
@require_GET
def case_file(request: Any, case_id: uuid.UUID) -> HttpResponse:
    """The case file as a PDF in the reader's language."""
    from banks.case_file import document_of  # fonts weigh 18 MB: only who prints loads them

    case = _case_or_404(request, case_id)
    content = document_of(case, by=str(request.user))
    services.note_file(bank=request.bank, actor=request.actor, case_id=case.pk, content=content)
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{case}.pdf"'
    return response


def _own_page(bank: str, case_id: uuid.UUID, **_act: str) -> str:
    return reverse("banks:case", args=[bank, case_id])


@keeps_typed(
    *("act", "text", "channel", "outcome", "at", "called", "note", "summary", "amount_saved"),
    page=_own_page,
)
@bank_page(*WORKERS)
@require_POST
def work(request: Any, case_id: uuid.UUID, act: str) -> HttpResponse:
    """The acts of ``WORK``."""
    return _act(request, case_id, act)


@keeps_typed("act", "note", "reason", page=_own_page)
@bank_page(*APPROVERS)
@require_POST
def decide(request: Any, case_id: uuid.UUID, act: str) -> HttpResponse:
    """Assign, approve, send back, reopen."""
    return _act(request, case_id, act)


def _act(request: Any, case_id: uuid.UUID, act: str) -> HttpResponse:
    case = _case_or_404(request, case_id)
    form = _form(request, act)
    if form is not None and not form.is_valid():
        return _page(request, case_id, {act: form}, status=422)
    try:
        _service(request, case, act, form)(bank=request.bank, actor=request.actor, case_id=case_id)
    except Refused as refused:
        status = getattr(refused, "http_status", 422)
        if form is None or status == CONFLICT:
            messages.error(request, translated(refused))
        else:
            form.add_error(_field(form, refused), translated(refused))
        return _page(request, case_id, {act: form} if form else None, status=status)
    place = PLACES.get(act, "")
    return redirect(_own_page(request.bank.slug, case_id) + (f"#{place}" if place else ""))


def _form(request: Any, act: str) -> Form | None:
    if act == "assign":
        return forms.OwnerForm(request.POST, people=selectors.workers(request.bank))
    kind = FORMS.get(act)
    return kind(request.POST, auto_id=f"{act}_%s") if kind else None


def _service(request: Any, case: Case, act: str, form: Form | None) -> Callable[..., object]:
    """The change that an act asks for, with what its form says."""
    given = form.cleaned_data if form is not None else {}
    if act in {"link", "unlink"}:
        _require_alerts(request.bank, given["alert"])
    if act == "unlink" and not given["alert"]:
        raise Refused("no_alert_chosen", gettext_noop("Choose at least one alert."), field="alert")
    changes: dict[str, Callable[[], Callable[..., object]]] = {
        "take": lambda: services.take,
        "withdraw": lambda: services.withdraw,
        "link": lambda: partial(services.link, alert_ids=given["alert"]),
        "unlink": lambda: partial(services.unlink, alert_id=given["alert"][0]),
        "typology": lambda: partial(services.set_typology, **given),
        "due": lambda: partial(services.set_due, **given),
        "note": lambda: partial(services.add_note, **given),
        "step": lambda: partial(services.tick, **given),
        "contact": lambda: partial(services.record_contact, **given),
        "submit": lambda: partial(
            services.submit, **cast(forms.SubmitForm, form).facts(case.currency)
        ),
        "assign": lambda: partial(services.assign, owner_id=given["owner"]),
        "approve": lambda: partial(services.approve, **given),
        "return": lambda: partial(services.send_back, **given),
        "reopen": lambda: partial(services.reopen, **given),
    }
    return changes[act]()


def _page(
    request: Any, case_id: uuid.UUID, typed: dict[str, Form] | None = None, status: int = 200
) -> HttpResponse:
    case = _case_or_404(request, case_id)
    there = selectors.linked(case)
    role, user = request.membership.role, request.user
    workable = role in WORKERS and case.status in {"open", "in_progress"}
    lacks = {lack.code: lack.count for lack in services.lacks(case)} if workable else {}
    shown = {**_blank(request, case), **(typed or {})}
    return render(
        request,
        "banks/cases/case.html",
        {
            "case": case,
            "stages": _stages(case),
            "linked": there,
            "suggestions": selectors.suggestions(case, there) if workable else [],
            "steps": list(case.steps.select_related("done_by")),
            "contacts": selectors.contacts(case),
            "freezes": list(case.freezes.select_related("submitted_by", "decided_by")),
            "moments": selectors.timeline(case),
            "forms": shown,
            "failed": next(iter(typed), "") if typed and status != 200 else "",
            "lacks": lacks,
            "workable": workable,
            "owns": case.owner_id == user.pk,
            "may_note": role in WORKERS and case.status != Case.Status.CLOSED,
            "may_decide": role in APPROVERS,
            "own_submission": case.submitted_by_id == user.pk,
            "others": selectors.other_approvers(request.bank, user)
            if case.submitted_by_id == user.pk and case.status == "waiting"
            else [],
        },
        status=status,
    )


def _blank(request: Any, case: Case) -> dict[str, Form]:
    """Every form of the page as nobody has filled it in yet."""
    first: dict[str, dict[str, Any]] = {
        "typology": {"typology": case.typology},
        "due": {"due_at": case.due_at},
        "contact": {"channel": "phone", "outcome": "no_answer"},
    }
    blank = {
        act: kind(initial=first.get(act, {}), auto_id=f"{act}_%s") for act, kind in FORMS.items()
    }
    if request.membership.role in APPROVERS:
        people = selectors.workers(request.bank)
        blank["assign"] = forms.OwnerForm(people=people, initial={"owner": case.owner_id})
    return blank


def _opening(request: Any, form: Form, chosen: list[str], status: int = 200) -> HttpResponse:
    found = _alerts(request.bank, chosen)
    draft = Case(bank=request.bank, account=found[0].transaction.account if found else "")
    there = [selectors.Linked(None, alert, alert.transaction) for alert in found]  # type: ignore[arg-type]
    more = [one for one in selectors.suggestions(draft, there) if one.alert not in found]
    return render(
        request,
        "banks/cases/open.html",
        {"form": form, "alerts": found, "suggestions": more, "chosen": set(chosen)},
        status=status,
    )


def _alerts(bank: Bank, chosen: list[str]) -> list[Alert]:
    """The chosen alerts that exist; anything else is passed over."""
    ids = []
    for text in chosen[:100]:
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            continue
    rows = Alert.objects.select_related("transaction").defer("features", "reasons")
    return list(rows.filter(bank=bank, pk__in=ids).order_by("-priority", "id"))


def _require_alerts(bank: Bank, ids: list[uuid.UUID]) -> None:
    """Another bank's alert is like one that does not exist."""
    if Alert.objects.filter(bank=bank, pk__in=ids).count() < len(set(ids)):
        raise Http404


def _case_or_404(request: Any, case_id: uuid.UUID) -> Case:
    case = selectors.get(request.bank, case_id)
    if case is None:
        raise Http404
    return case


def _field(form: Form, refused: Refused) -> str | None:
    return refused.field if refused.field in form.fields else None


def _tabs(filters: selectors.Filters, counts: dict[str, int]) -> list[tuple[str, str, int, str]]:
    labels = {
        "open": _("Under way"),
        "mine": _("Mine"),
        "waiting": _("Waiting for approval"),
        "freezes": _("Freeze requests under way"),
        "closed": _("Closed"),
    }
    bare = selectors.Filters(q=filters.q)
    return [
        (value, label, counts[value], bare.address(view=value)) for value, label in labels.items()
    ]


def _stages(case: Case) -> list[tuple[str, str]]:
    """Each state with its place: done, now or next."""
    states = list(Case.Status)
    at = states.index(Case.Status(case.status))
    return [
        (str(state.label), "now" if n == at else "done" if n < at else "next")
        for n, state in enumerate(states)
    ]


@alert_desk.offers
def case_of_alert(alert: Alert, membership: Membership) -> alert_desk.Action | None:
    """The case that holds an alert, or a way to open one."""
    slug = cast(Bank, membership.bank).slug
    if membership.role not in READERS:
        return None
    if case := selectors.case_with(alert):
        return alert_desk.Action(
            label=_("Case %(case)s") % {"case": case},
            url=reverse("banks:case", args=[slug, case.pk]),
            icon="folder",
        )
    if membership.role not in WORKERS:
        return None
    return alert_desk.Action(
        label=_("Open a case"),
        url=reverse("banks:open-case", args=[slug]) + f"?alert={alert.pk}",
        icon="folder",
    )


@waits_for_approval
def cases_to_close(membership: Membership) -> Iterator[Waiting]:
    """Cases that a colleague has submitted."""
    slug = cast(Bank, membership.bank).slug
    for case in selectors.waiting(membership):
        yield Waiting(
            title=_("Close case %(case)s: %(outcome)s")
            % {"case": case, "outcome": case.get_outcome_display()},
            url=reverse("banks:case", args=[slug, case.pk]),
            since=case.submitted_at or timezone.now(),
            by=str(case.submitted_by or ""),
        )


@waits_for_approval
def freezes_to_approve(membership: Membership) -> Iterator[Waiting]:
    """Freeze requests that a colleague has submitted."""
    slug = cast(Bank, membership.bank).slug
    for freeze in selectors.freezes_waiting(membership):
        yield Waiting(
            title=_("Freeze account %(account)s, case %(case)s")
            % {"account": freeze.account, "case": freeze.case},
            url=reverse("banks:freeze", args=[slug, freeze.pk]),
            since=freeze.submitted_at or timezone.now(),
            by=str(freeze.submitted_by or ""),
        )
