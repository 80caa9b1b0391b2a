"""What else can be begun from an alert; other parts of the desk add their own here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from banks.models import Alert
from consortium.accounts.models import Membership


@dataclass(frozen=True)
class Action:
    """A button of an alert's page: a link, or a form that posts to ``url``."""

    label: str
    url: str
    icon: str = "link"
    post: bool = False


Source = Callable[[Alert, Membership], Action | None]
SOURCES: Final[list[Source]] = []


def offers(source: Source) -> Source:
    """Register what a part of the desk offers on an alert; None where it does not apply."""
    SOURCES.append(source)
    return source


def actions(alert: Alert, membership: Membership) -> list[Action]:
    return [action for source in SOURCES if (action := source(alert, membership))]
