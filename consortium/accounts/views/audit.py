"""The audit trail of a place: read, verified, taken along."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from consortium.accounts import places, selectors
from consortium.accounts.access import bank_page, centre_page
from consortium.accounts.models import Role
from consortium.accounts.services.trail import export
from consortium.exports import csv_response
from consortium.parsing import whole_number

COLUMNS = ("sequence", "at", "actor", "verb", "target", "facts", "previous_hash", "hash")


def trail(request: Any) -> HttpResponse:
    before = whole_number(request.GET, "before")
    entries = selectors.audit_entries(request.bank, before=before, limit=selectors.PAGE + 1)
    shown, more = entries[: selectors.PAGE], len(entries) > selectors.PAGE
    here = places.place_url(request.membership, "audit")
    context = {
        "entries": shown,
        "next_url": f"{here}?before={shown[-1].sequence}" if more else "",
        "previous_url": here if before is not None else "",
    }
    return render(request, "accounts/audit.html", context)


def chain(request: Any) -> HttpResponse:
    """A walk over the whole chain: a fragment for the page, a page of its own without scripts."""
    template = "accounts/audit_chain_fragment.html" if request.htmx else "accounts/audit_chain.html"
    return render(request, template, {"report": selectors.verify_chain(request.bank)})


def file(request: Any) -> HttpResponse:
    rows = (
        (
            entry.sequence,
            entry.at.isoformat(),
            entry.actor,
            entry.verb,
            entry.target,
            json.dumps(entry.facts, ensure_ascii=False, sort_keys=True),
            entry.previous_hash,
            entry.hash,
        )
        for entry in export(actor=request.actor)
    )
    place = request.bank.slug if request.bank else "centre"
    return csv_response(file_name=f"audit-{place}.csv", header=COLUMNS, rows=rows)


_in_bank = bank_page(Role.BANK_ADMIN, Role.AUDITOR)
_in_centre = centre_page(Role.OPERATOR, Role.AUDITOR)
bank_trail, bank_chain, bank_file = map(_in_bank, (trail, chain, file))
centre_trail, centre_chain, centre_file = map(_in_centre, (trail, chain, file))
