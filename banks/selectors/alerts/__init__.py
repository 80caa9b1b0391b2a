"""What analysts see: the queue, its facets, how far today's capacity reaches, one alert."""

from .actions import Action, actions, offers
from .bulk import BulkResult, bulk_result
from .capacity import Today, settings_of, today_of
from .detail import Activity, activity, following, get
from .facets import Counts, Facet, Option, counts
from .filters import OPEN, VIEWS, Filters, matching
from .likeness import Alike, alike
from .queue import PAGE, Queue, queue
from .related import Related, related
from .saved_views import saved_view, saved_views
from .similar import Similar, features_of, similar
from .timeline import Moment, timeline

__all__ = [
    "OPEN",
    "PAGE",
    "VIEWS",
    "Action",
    "Activity",
    "Alike",
    "BulkResult",
    "Counts",
    "Facet",
    "Filters",
    "Moment",
    "Option",
    "Queue",
    "Related",
    "Similar",
    "Today",
    "actions",
    "activity",
    "alike",
    "bulk_result",
    "counts",
    "features_of",
    "following",
    "get",
    "matching",
    "offers",
    "queue",
    "related",
    "saved_view",
    "saved_views",
    "settings_of",
    "similar",
    "timeline",
    "today_of",
]
