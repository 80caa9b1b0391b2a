"""This bank's own node: whether its workers live and the coordinator is heard of."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from banks.selectors.node import node_state
from consortium.accounts.access import bank_page
from consortium.accounts.models import Role


@bank_page(Role.BANK_ADMIN, Role.AUDITOR)
def node(request: Any) -> HttpResponse:
    template = "node_live" if request.htmx else "node"
    return render(request, f"banks/{template}.html", {"node": node_state(request.bank)})
