"""This bank's own decided alerts that look most like one, with how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from banks.models import Alert
from banks.services.scorers import scorer_of
from consortium.protocol.errors import Refused

LOOKED_AT: Final = 300
SHOWN: Final = 5
FARTHEST: Final = 1.5  # mean distance in spreads beyond which nothing is alike


@dataclass(frozen=True)
class Similar:
    alerts: list[Alert]

    @property
    def fraud(self) -> int:
        return sum(alert.disposition == Alert.Disposition.FRAUD for alert in self.alerts)


def features_of(alert: Alert) -> dict[str, float | None]:
    """The feature values of the moment of scoring, by name; empty where the model is gone."""
    try:
        names = scorer_of(alert.version).features
    except (Refused, IndexError, KeyError, ValueError):
        return {}
    if len(names) != len(alert.features):
        return {}
    return dict(zip(names, alert.features, strict=True))


def similar(alert: Alert, values: dict[str, float | None]) -> Similar:
    """The nearest in those features that gave this alert its reasons, of the same version."""
    places = [list(values).index(r["feature"]) for r in alert.reasons if r["feature"] in values]
    past = list(
        Alert.objects.filter(
            bank=alert.bank_id, version=alert.version_id, status=Alert.Status.DECIDED
        )
        .exclude(pk=alert.pk)
        .select_related("transaction", "decided_by")
        .order_by("-decided_at")[:LOOKED_AT]
    )
    past = [other for other in past if len(other.features) == len(values)]
    if not places or not past:
        return Similar([])
    ours = _numbers([alert], places)
    far = _distances(ours[0], _numbers(past, places))
    nearest = [place for place in np.argsort(far, kind="stable")[:SHOWN] if far[place] <= FARTHEST]
    return Similar([past[place] for place in nearest])


def _numbers(alerts: list[Alert], places: list[int]) -> NDArray[np.float64]:
    rows = [[alert.features[place] for place in places] for alert in alerts]
    return np.array(rows, dtype=np.float64)


def _distances(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance in spreads of each feature; a value that only one of two has counts as far."""
    known = np.nan_to_num(others)
    middle = np.median(known, axis=0)
    spread = np.median(np.abs(known - middle), axis=0) + 0.1 * np.abs(middle) + 1e-9
    apart = np.minimum(np.abs(known - np.nan_to_num(one)) / spread, 3.0)
    apart[np.isnan(others) != np.isnan(one)] = 3.0
    return np.asarray(apart.mean(axis=1))
