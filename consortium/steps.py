"""A guided path as a list of steps, each computed from the rows that make it true.

Nothing is stored of the path itself: leaving and coming back shows where things stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.functional import Promise

State = Literal["done", "now", "waiting", "next"]


@dataclass(frozen=True)
class Found:
    """What the rows say of one step. ``ours``: whoever looks can do it, others are waited for else.

    ``ready`` says that what it rests on is done; ``awaits`` names who is waited for.
    """

    code: str
    title: str | Promise
    done: bool
    ours: bool = True
    ready: bool = True
    at: datetime | None = None
    by: str = ""
    awaits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step with its number from 1; "now" is the one thing to do, "waiting" is for others."""

    number: int
    state: State
    found: Found


def path(found: Iterable[Found]) -> list[Step]:
    """Number the steps; the first one that is ready and ours is the one to do now."""
    steps: list[Step] = []
    taken = False
    for number, one in enumerate(found, start=1):
        state: State = "done" if one.done else "next"
        if not one.done and one.ready:
            state = "next" if one.ours and taken else "now" if one.ours else "waiting"
            taken = taken or one.ours
        steps.append(Step(number, state, one))
    return steps


def now(steps: Iterable[Step]) -> Step | None:
    """The step to do, or None where everything is done or waits for others."""
    return next((step for step in steps if step.state == "now"), None)
