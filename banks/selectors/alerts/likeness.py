"""A score in words: how many of the past payments with a like score were fraud."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from banks.ml.evaluation import GRID
from banks.models import Alert, Evaluation
from consortium.intervals import Interval, wilson

ENOUGH: Final = 200
WIDEST: Final = 64  # bins to each side: three units of the logit


@dataclass(frozen=True)
class Alike:
    """``fraud`` of ``n`` payments of the version's test window with a like score were fraud."""

    n: int
    fraud: int
    since: datetime
    until: datetime

    @property
    def of_hundred(self) -> int:
        return round(100 * self.fraud / self.n)

    @property
    def interval(self) -> Interval | None:
        return wilson(self.fraud, self.n)


def alike(alert: Alert) -> Alike | None:
    """From the version's stored counts: the nearest scores, widened until they are enough."""
    found = (
        Evaluation.objects.filter(version=alert.version_id)
        .order_by("window", "-window_until")  # the test window before validation
        .first()
    )
    if found is None:
        return None
    p = min(max(alert.probability, 1e-9), 1 - 1e-9)
    place = int(GRID.bin_of(math.log(p / (1 - p))))
    for reach in range(WIDEST + 1):
        bins = slice(max(0, place - reach), place + reach + 1)
        fraud, genuine = sum(found.fraud[bins]), sum(found.genuine[bins])
        if fraud + genuine >= ENOUGH:
            break
    if not fraud + genuine:
        return None
    return Alike(fraud + genuine, fraud, found.window_from, found.window_until)
