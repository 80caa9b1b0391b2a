"""What analysts see: the queue, its facets, how far today's capacity reaches, one alert."""

from .bulk import BulkResult, bulk_result
from .capacity import capacity_left, decided_today, settings_of
from .detail import Activity, activity, following, get
from .facets import Counts, Facet, Option, counts
from .filters import OPEN, VIEWS, Filters, matching
from .queue import PAGE, Queue, queue
from .saved_views import saved_view, saved_views

__all__ = [
    "OPEN",
    "PAGE",
    "VIEWS",
    "Activity",
    "BulkResult",
    "Counts",
    "Facet",
    "Filters",
    "Option",
    "Queue",
    "activity",
    "bulk_result",
    "capacity_left",
    "counts",
    "decided_today",
    "following",
    "get",
    "matching",
    "queue",
    "saved_view",
    "saved_views",
    "settings_of",
]
