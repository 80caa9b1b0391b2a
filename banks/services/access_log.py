"""Writing down who looked: called for every page and call of a bank that was answered."""

from __future__ import annotations

import re
from typing import Any, Final

from banks.models import AccessEntry
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank

What = AccessEntry.What
SHOWS: Final = {
    "alerts/<uuid:alert_id>": What.ALERT,
    "alerts/<uuid:alert_id>/history": What.ALERT,
    "transactions": What.SEARCH,
    "transactions/<int:transaction_id>": What.TRANSACTION,
    "performance/<int:number>/rows": What.ROWS,
    "performance/<int:number>/caught": What.ROWS,
    "versions/<uuid:version_id>/rows": What.ROWS,
    "versions/<uuid:version_id>/caught": What.ROWS,
    "data/<uuid:import_id>": What.FILE,
}
"""The addresses below a bank's, as pages and as calls, that show customers' payments."""

_PLACE = re.compile(r"^(?:api/v1/banks|bank)/<slug:bank>/")


def note_look(request: Any, status: int) -> None:
    """Needs the bank's scope. A look that cannot be written down breaks the answer."""
    route = _PLACE.sub("", request.resolver_match.route).rstrip("/")
    what = SHOWS.get(route)
    if what is None or request.method != "GET" or status != 200:
        return
    if what == What.SEARCH and not any(request.GET.values()):
        return  # the empty form
    named = {k: v for k, v in request.resolver_match.kwargs.items() if k != "bank"}
    AccessEntry.objects.create(
        bank=request.bank,
        user=request.user,
        actor=request.actor.label,
        what=what,
        target=" ".join(map(str, named.values())),
        by_program=request.resolver_match.route.startswith("api/"),
    )


def note_export(*, actor: Actor, bank: Bank, days: int) -> None:
    """Taking the access log along is itself an access."""
    audit.record(actor=actor, verb="access.exported", bank=bank, days=days)
