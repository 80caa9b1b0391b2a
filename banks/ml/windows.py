"""Which period a model learns from, is tuned on and is judged on, with room for labels to arrive.

    train | label delay | validation | label delay | test | label delay (not yet mature)

A window's labels are known before the next one begins, as they would be at a bank.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from banks.ml.schema import DAY
from consortium.protocol.errors import Refused, gettext_noop

TRAIN_SHARE: Final = 0.70
VALIDATION_SHARE: Final = 0.12
WARM_UP: Final = 20 * DAY  # earlier rows have too little history behind them
WARM_UP_SHARE: Final = 0.15
LONGEST_DELAY_SHARE: Final = 0.1
NAMES: Final = (
    "train_from",
    "train_until",
    "validation_from",
    "validation_until",
    "test_from",
    "test_until",
)


@dataclass(frozen=True)
class Windows:
    """Half-open periods [from, until) in µs since 1970 UTC, and the label delay in µs."""

    train_from: int
    train_until: int
    validation_from: int
    validation_until: int
    test_from: int
    test_until: int
    label_delay: int

    def __post_init__(self) -> None:
        edges = [getattr(self, name) for name in NAMES]
        if not all(type(edge) is int for edge in (*edges, self.label_delay)):
            raise _bad(gettext_noop("Every end of a window must be a time."))
        empty = any(until <= since for since, until in zip(edges[::2], edges[1::2], strict=True))
        if empty or edges != sorted(edges):
            raise _bad(
                gettext_noop("Training, validation and test must follow one another in time.")
            )
        gaps = (
            self.validation_from - self.train_until,
            self.test_from - self.validation_until,
        )
        if self.label_delay < 0 or min(gaps) < self.label_delay:
            raise _bad(
                gettext_noop(
                    "Between two windows the label delay must pass, or the model would be judged "
                    "with labels that nobody knew yet."
                )
            )

    def to_json(self) -> dict[str, int]:
        """All ends in µs, and the delay."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Windows:
        """Strict inverse of ``to_json``; raises Refused."""
        if set(body) != {*NAMES, "label_delay"}:
            raise _bad(gettext_noop("Every end of a window must be a time."))
        return cls(**body)

    @property
    def test_days(self) -> float:
        """Length of the test window in days."""
        return (self.test_until - self.test_from) / DAY

    @property
    def validation_days(self) -> float:
        """Length of the validation window in days."""
        return (self.validation_until - self.validation_from) / DAY


def choose(first: int, last: int, label_delay: int, *, needs_history: bool = True) -> Windows:
    """Cut the span [first, last] of a bank's data, in µs.

    The delay is shortened where the data span less than ten of them (public sets of two days).
    Raises Refused when there is no span to cut.
    """
    span = last + 1 - first
    delay = min(label_delay, int(span * LONGEST_DELAY_SHARE))
    usable = span - 3 * delay
    if usable < 100:
        raise Refused(
            "too_short",
            gettext_noop("The transactions span too short a time to train and judge a model."),
        )
    train_until = first + int(usable * TRAIN_SHARE)
    validation_from = train_until + delay
    validation_until = validation_from + int(usable * VALIDATION_SHARE)
    warm_up = min(WARM_UP, int(usable * WARM_UP_SHARE)) if needs_history else 0
    return Windows(
        train_from=first + warm_up,
        train_until=train_until,
        validation_from=validation_from,
        validation_until=validation_until,
        test_from=validation_until + delay,
        test_until=last + 1 - delay,
        label_delay=delay,
    )


def _bad(sentence: str) -> Refused:
    return Refused("windows", sentence, field="windows")
