"""The pictures of the performance pages, as components/chart.html takes them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _

from banks.ml.evaluation import GRID
from banks.selectors.studio import Studio
from consortium.intervals import wilson
from consortium.templatetags.figures import MINOR_DIGITS

MOST_POINTS: Final = 120


def precision_recall(found: Studio) -> dict[str, Any]:
    """Precision against recall with its interval as a band; the line marks the threshold."""
    points, band = [], []
    genuine, fraud = found.figures.histogram
    hits, misses = 0, 0
    occupied = _occupied(found)
    step = max(1, math.ceil(len(occupied) / MOST_POINTS))
    for place, (begin, end) in enumerate(zip([GRID.bins, *occupied], occupied, strict=False)):
        hits += int(fraud[end:begin].sum())
        misses += int(genuine[end:begin].sum())
        if place % step and place != len(occupied) - 1:
            continue
        between = wilson(hits, hits + misses)
        if between and found.frauds:
            points.append([_short(hits / found.frauds), _at(found, hits / (hits + misses))])
            band.append([_at(found, between.low), _at(found, between.high)])
    recall = found.figures.confusion.recall
    return {
        "kind": "line",
        "x": {"name": _("recall"), "format": "percent", "min": 0, "max": 1},
        "y": {"name": _("precision"), "format": "percent", "min": 0, "max": 1},
        "series": [{"name": str(found.figures.version), "points": points, "band": band}],
        "marks": [] if recall is None else [{"x": recall, "name": _("threshold")}],
    }


def value_against_workload(found: Studio, currency: str) -> dict[str, Any]:
    """What reviewing is worth a day, by how many alerts a day that takes."""
    days, unit = found.figures.days, 10 ** MINOR_DIGITS.get(currency, 2)
    weights = np.array([[found.weights.genuine], [found.weights.fraud]])
    alerts = np.cumsum((found.figures.histogram * weights).sum(axis=0)[::-1])[::-1] / days
    occupied = _occupied(found)
    step = max(1, math.ceil(len(occupied) / MOST_POINTS))
    points = [
        [_short(float(alerts[cut])), _short(float(found.values[cut]) / days / unit)]
        for place, cut in enumerate(occupied)
        if place % step == 0 or place == len(occupied) - 1
    ]
    return {
        "kind": "line",
        "x": {"name": _("alerts a day"), "scale": "log"},
        "y": {"name": _("expected value a day, %(currency)s") % {"currency": currency}},
        "series": [{"name": str(found.figures.version), "points": points}],
        "marks": [
            {"x": _short(found.alerts_a_day), "name": _("threshold")},
            {"x": found.settings.reviews_a_day, "name": _("capacity")},
        ],
    }


def _occupied(found: Studio) -> list[int]:
    """Bins that hold a score, from the highest down."""
    return [int(bin) for bin in np.flatnonzero(found.figures.histogram.sum(axis=0))[::-1]]


def _at(found: Studio, precision: float) -> float:
    return _short(found.weights.precision(precision) or 0.0)


def _short(value: float) -> float:
    return round(value, 4)
