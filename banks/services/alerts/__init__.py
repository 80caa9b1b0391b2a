"""Analysts' work on alerts: taken by one person at a time, never closed without a reason.

Every change is one conditional UPDATE; who comes second learns who was first, and when.
"""

from .bulk import MOST_AT_ONCE, do_at_once, undo_bulk
from .deciding import REASONS, UNDO_SECONDS, decide, reopen, undo, undo_seconds_left
from .history import MAX_TEXT, SomebodyWasFirst, comment
from .saved_views import delete_view, save_view
from .taking import LONGEST_SNOOZE, claim, claim_next, release, snooze

__all__ = [
    "LONGEST_SNOOZE",
    "MAX_TEXT",
    "MOST_AT_ONCE",
    "REASONS",
    "UNDO_SECONDS",
    "SomebodyWasFirst",
    "claim",
    "claim_next",
    "comment",
    "decide",
    "delete_view",
    "do_at_once",
    "release",
    "reopen",
    "save_view",
    "snooze",
    "undo",
    "undo_bulk",
    "undo_seconds_left",
]
