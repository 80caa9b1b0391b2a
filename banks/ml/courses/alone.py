"""Training alone: a course whose only member is its own sum."""

from __future__ import annotations

from collections.abc import Callable

from banks.ml.courses.base import Course, Opened, Own, State
from banks.ml.models.base import Model


def train_alone(
    course: Course,
    own: Own,
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Model:
    """The model that the course comes to; ``progress`` hears (steps done, steps at most)."""
    state, done = course.begin(seed), 0
    while True:
        follows = course.advance(state, Opened(course.vector(state, own)))
        done += 1
        if not isinstance(follows, State):
            return follows
        state = follows
        if progress:
            progress(done, done + 1 + state.step.remaining)
