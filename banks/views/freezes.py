"""Freeze requests: written in a case, approved by a second person, carried out, lifted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks import case_forms as forms
from banks.models import Case, FreezeRequest
from banks.selectors import cases as selectors
from banks.selectors.cases import APPROVERS, READERS, WORKERS
from banks.services.cases import freezes as services
from banks.views.cases import CONFLICT
from consortium.accounts.access import bank_page, translated
from consortium.accounts.keeping import keeps_typed, typed_before
from consortium.protocol.errors import Refused

FORMS: dict[str, Callable[..., Form]] = {
    "save": forms.FreezeForm,
    "carry-out": forms.CarryOutForm,
    "approve": forms.DecisionNoteForm,
    "return": forms.DecisionNoteForm,
    "lift": forms.ReasonForm,
}
WORK = ("save", "carry-out")
DECISIONS = ("approve", "return", "lift")


def _form_page(bank: str, case_id: uuid.UUID) -> str:
    return reverse("banks:new-freeze", args=[bank, case_id])


@keeps_typed(*forms.FreezeForm.FIELDS, page=_form_page)
@bank_page(*WORKERS)
def new(request: Any, case_id: uuid.UUID) -> HttpResponse:
    """The form of a new request, then the request."""
    case = selectors.get(request.bank, case_id)
    if case is None:
        raise Http404
    if request.method != "POST":
        typed = typed_before(request)
        if typed:
            _say_signed_out(request)
        first = {"account": case.account, "received_at": timezone.now()}
        return _form(request, case, forms.FreezeForm(initial=typed or first))
    form = forms.FreezeForm(request.POST)
    if form.is_valid():
        try:
            freeze = services.draft(
                bank=request.bank, actor=request.actor, case_id=case_id, **form.cleaned_data
            )
        except Refused as refused:
            form.add_error(_field(form, refused), translated(refused))
        else:
            return _submitted_or_kept(request, freeze, form)
    return _form(request, case, form, status=422)


@bank_page(*READERS)
def detail(request: Any, freeze_id: uuid.UUID) -> HttpResponse:
    typed = typed_before(request)
    if typed is None:
        return _page(request, freeze_id)
    _say_signed_out(request)
    act = typed.pop("act", "save")
    kind = FORMS.get(act, forms.FreezeForm)
    return _page(request, freeze_id, {act: kind(initial=typed, auto_id=f"{act}_%s")})


def _own_page(bank: str, freeze_id: uuid.UUID, **_act: str) -> str:
    return reverse("banks:freeze", args=[bank, freeze_id])


@keeps_typed("act", *forms.FreezeForm.FIELDS, "carried_out_at", "balance", "reply", page=_own_page)
@bank_page(*WORKERS)
@require_POST
def work(request: Any, freeze_id: uuid.UUID, act: str) -> HttpResponse:
    """Save (and submit, where that button was pressed), or write down that it was carried out."""
    return _act(request, freeze_id, act)


@keeps_typed("act", "note", "reason", page=_own_page)
@bank_page(*APPROVERS)
@require_POST
def decide(request: Any, freeze_id: uuid.UUID, act: str) -> HttpResponse:
    """Approve, send back, lift."""
    return _act(request, freeze_id, act)


def _act(request: Any, freeze_id: uuid.UUID, act: str) -> HttpResponse:
    freeze = _freeze_or_404(request, freeze_id)
    form = FORMS[act](request.POST, auto_id=f"{act}_%s")
    if not form.is_valid():
        return _page(request, freeze_id, {act: form}, status=422)
    changes: dict[str, Callable[[], Callable[..., Any]]] = {
        "save": lambda: partial(services.revise, **form.cleaned_data),
        "carry-out": lambda: partial(
            services.carry_out, **cast(forms.CarryOutForm, form).facts(freeze.currency)
        ),
        "approve": lambda: partial(services.approve, **form.cleaned_data),
        "return": lambda: partial(services.send_back, **form.cleaned_data),
        "lift": lambda: partial(services.lift, **form.cleaned_data),
    }
    try:
        changed = changes[act]()(bank=request.bank, actor=request.actor, freeze_id=freeze_id)
    except Refused as refused:
        status = getattr(refused, "http_status", 422)
        if status == CONFLICT:
            messages.error(request, translated(refused))
        else:
            form.add_error(_field(form, refused), translated(refused))
        return _page(request, freeze_id, {act: form}, status=status)
    if act == "save":
        return _submitted_or_kept(request, changed, form)
    return redirect("banks:freeze", request.bank.slug, freeze_id)


def _submitted_or_kept(request: Any, freeze: FreezeRequest, form: Form) -> HttpResponse:
    """What was typed is kept; it is submitted too where that was asked and nothing is missing."""
    if "submit" in request.POST:
        try:
            services.submit(bank=request.bank, actor=request.actor, freeze_id=freeze.pk)
        except services.Incomplete as refused:
            form.add_error(None, translated(refused))
            for name in refused.missing:
                form.add_error(name, _("This is missing."))
            return _page(request, freeze.pk, {"save": form}, status=422)
        except Refused as refused:
            form.add_error(None, translated(refused))
            return _page(request, freeze.pk, {"save": form}, status=422)
        messages.success(request, _("Submitted. A second person must approve it."))
    else:
        messages.success(request, _("Kept as a draft."))
    return redirect("banks:freeze", request.bank.slug, freeze.pk)


def _form(request: Any, case: Case, form: Form, status: int = 200) -> HttpResponse:
    return render(
        request, "banks/cases/new_freeze.html", {"case": case, "form": form}, status=status
    )


def _page(
    request: Any, freeze_id: uuid.UUID, typed: dict[str, Form] | None = None, status: int = 200
) -> HttpResponse:
    freeze = _freeze_or_404(request, freeze_id)
    role = request.membership.role
    own = request.user.pk in {freeze.drafted_by_id, freeze.submitted_by_id}
    first: dict[str, dict[str, Any]] = {
        "save": {name: getattr(freeze, name) for name in forms.FreezeForm.FIELDS},
        "carry-out": {"carried_out_at": timezone.now()},
    }
    shown = {
        act: kind(initial=first.get(act, {}), auto_id=f"{act}_%s") for act, kind in FORMS.items()
    } | (typed or {})
    return render(
        request,
        "banks/cases/freeze.html",
        {
            "freeze": freeze,
            "case": freeze.case,
            "forms": {name.replace("-", "_"): form for name, form in shown.items()},
            "may_work": role in WORKERS,
            "may_decide": role in APPROVERS,
            "own": own,
            "others": selectors.other_approvers(request.bank, request.user) if own else [],
            "editable": role in WORKERS and freeze.status in FreezeRequest.EDITABLE,
        },
        status=status,
    )


def _say_signed_out(request: Any) -> None:
    messages.warning(
        request, _("You had been signed out, so nothing was saved. What you wrote is here again.")
    )


def _field(form: Form, refused: Refused) -> str | None:
    return refused.field if refused.field in form.fields else None


def _freeze_or_404(request: Any, freeze_id: uuid.UUID) -> FreezeRequest:
    freeze = selectors.freeze(request.bank, freeze_id)
    if freeze is None:
        raise Http404
    return freeze
