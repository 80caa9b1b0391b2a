"""Finding any transaction, and saying what it turned out to be."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from banks.forms import LabelForm, TransactionSearchForm
from banks.models import Transaction
from banks.selectors import alerts, transactions
from banks.services.labels import label_transaction
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

READERS = (Role.ANALYST, Role.LEAD, Role.AUDITOR)
LABELLERS = (Role.ANALYST, Role.LEAD)


@bank_page(*READERS)
def search(request: Any) -> HttpResponse:
    form = TransactionSearchForm(request.GET)
    valid = form.is_valid()
    found = (
        transactions.search(request.bank, after=request.GET.get("after", ""), **form.wanted)
        if valid
        else transactions.Found([], "")
    )
    query = {name: value for name, value in request.GET.items() if name != "after" and value}
    return render(
        request,
        "banks/transactions.html",
        {
            "form": form,
            "found": found,
            "searched": bool(query),
            "next_url": f"?{urlencode({**query, 'after': found.next_cursor})}"
            if found.next_cursor
            else "",
            "first_url": f"?{urlencode(query)}" if request.GET.get("after") else "",
        },
        status=200 if valid else 422,
    )


@bank_page(*READERS)
def detail(request: Any, transaction_id: int) -> HttpResponse:
    transaction = transactions.get(request.bank, transaction_id)
    if transaction is None:
        raise Http404
    said = "" if transaction.label is None else transaction.label
    form = LabelForm(request.POST or None, initial={"value": said})
    if request.method == "POST" and request.membership.role in LABELLERS and form.is_valid():
        try:
            label_transaction(
                bank=request.bank,
                actor=request.actor,
                transaction_id=transaction_id,
                **form.cleaned_data,
            )
        except Refused as refused:
            form.add_error(refused.field, translated(refused))
        else:
            messages.success(request, _("Noted. The next training learns from it."))
            return redirect("banks:transaction", request.bank.slug, transaction_id)
    return _page(request, transaction, form)


def _page(request: Any, transaction: Transaction, form: LabelForm) -> HttpResponse:
    return render(
        request,
        "banks/transaction.html",
        {
            "transaction": transaction,
            "activity": alerts.activity(transaction),
            "form": form,
            "veiled": any(alert.veiled for alert in transaction.alerts.all()),
            "may_label": request.membership.role in LABELLERS,
        },
        status=422 if form.errors else 200,
    )
