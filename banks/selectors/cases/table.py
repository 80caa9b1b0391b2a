"""Cases as rows of a table to take along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from banks.models import Case

COLUMNS: Final[Sequence[str | Promise]] = (
    _("case"),
    _("state"),
    _("typology"),
    _("account"),
    _("alerts"),
    _("currency"),
    _("amount at risk (smallest unit)"),
    _("amount saved (smallest unit)"),
    _("owner"),
    _("outcome"),
    _("opened"),
    _("due"),
    _("closed"),
    _("approved by"),
)


def row_of(case: Case) -> list[Any]:
    """In the order of the columns; times in UTC as ISO 8601."""
    return [
        str(case),
        case.get_status_display(),
        case.get_typology_display(),
        case.account,
        case.alerts_linked,  # type: ignore[attr-defined]
        case.currency,
        case.amount_at_risk,
        case.amount_saved,
        str(case.owner or ""),
        case.get_outcome_display(),
        case.opened_at.isoformat(timespec="seconds"),
        case.due_at.isoformat(timespec="seconds"),
        case.closed_at.isoformat(timespec="seconds") if case.closed_at else "",
        str(case.decided_by or "") if case.closed_at else "",
    ]
