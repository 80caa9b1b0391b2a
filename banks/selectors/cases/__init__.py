"""What people see of cases: the list, one case, its history, what waits for whom."""

from .detail import (
    Contacts,
    Linked,
    Suggestion,
    case_with,
    contacts,
    freeze,
    get,
    linked,
    suggestions,
)
from .listing import PAGE, VIEWS, Filters, Page, counts, listed, typologies
from .people import other_approvers, workers
from .roles import APPROVERS, READERS, WORKERS
from .timeline import Moment, timeline
from .waiting import freezes_waiting, mine_and_late, waiting

__all__ = [
    "APPROVERS",
    "PAGE",
    "READERS",
    "VIEWS",
    "WORKERS",
    "Contacts",
    "Filters",
    "Linked",
    "Moment",
    "Page",
    "Suggestion",
    "case_with",
    "contacts",
    "counts",
    "freeze",
    "freezes_waiting",
    "get",
    "linked",
    "listed",
    "mine_and_late",
    "other_approvers",
    "suggestions",
    "timeline",
    "typologies",
    "waiting",
    "workers",
]
