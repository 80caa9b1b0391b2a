"""My work: what waits for me, how the bank's model is doing, what to do next."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from banks.selectors.overview import overview
from consortium.accounts.access import bank_page


@bank_page()
def work(request: Any) -> HttpResponse:
    return render(request, "banks/work.html", {"found": overview(request.bank, request.user)})
