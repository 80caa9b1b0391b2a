"""The curves of a logistic regression: what each feature adds to a score, as a reader sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from banks.ml.models.blend import Blend
from banks.ml.models.logistic import Curve, Logistic
from banks.models import ModelVersion
from banks.selectors.reasons import MINOR_PER_UNIT, name_of, unit_of
from banks.services.scorers import Ensemble, Scorer, scorer_of
from consortium.templatetags.figures import MINOR_DIGITS

DRAWN: Final = 8
WIDE: Final = 100  # times the smallest value


@dataclass(frozen=True)
class Shape:
    """One feature's curve: the range it adds to the log-odds, what a missing value adds, a chart
    for the strongest features only.
    """

    name: str
    low: float
    high: float
    missing: float | None
    label: str
    chart: dict[str, Any] | None

    @property
    def span(self) -> float:
        return self.high - self.low


def curves_of(version: ModelVersion, currency: str) -> list[Shape]:
    """The curves of a version's logistic regression, widest first; empty where it has none.

    Needs the bank's scope.
    """
    model = _logistic(scorer_of(version))
    if model is None:
        return []
    ranked = sorted(model.curves, key=_span, reverse=True)
    return [_shape(curve, place < DRAWN, currency) for place, curve in enumerate(ranked)]


def _logistic(scorer: Scorer) -> Logistic | None:
    """The logistic regression in a version, or in the consortium's part of an ensemble."""
    model: Any = scorer.consortium if isinstance(scorer, Ensemble) else scorer
    parts = model.parts if isinstance(model, Blend) else (model,)
    return next((part for part in parts if isinstance(part, Logistic)), None)


def _values(curve: Curve) -> list[float]:
    return [*map(float, curve.adds), curve.adds_when_missing]


def _span(curve: Curve) -> float:
    values = _values(curve)
    return max(values) - min(values)


def _shape(curve: Curve, drawn: bool, currency: str) -> Shape:
    name, values = capfirst(name_of(curve.feature)), _values(curve)
    low, high = min(values), max(values)
    label = _("%(what)s adds between %(low)s and %(high)s to the log-odds of fraud.") % {
        "what": name,
        "low": f"{low:+.2f}",
        "high": f"{high:+.2f}",
    }
    points = [
        [_shown(float(at), unit_of(curve.feature), currency), round(float(adds), 3)]
        for at, adds in zip(curve.at, curve.adds, strict=True)
    ]
    axis = _axis(points, unit_of(curve.feature), currency)
    if "scale" in axis:
        points = [point for point in points if point[0] > 0]
    chart = {
        "kind": "line",
        "x": axis,
        "y": {"name": _("adds to the log-odds")},
        "series": [{"name": name, "points": points}],
    }
    missing = curve.adds_when_missing or None
    return Shape(name, low, high, missing, label, chart if drawn and len(points) > 1 else None)


def _shown(value: float, unit: str, currency: str) -> float:
    """A value on the axis; amounts in whole units of the currency."""
    if unit == "log money":
        value, unit = math.copysign(math.expm1(abs(value)), value), "money"
    if unit == "money":
        value = value * MINOR_PER_UNIT / 10 ** MINOR_DIGITS.get(currency, 2)
    return float(f"{value:.4g}")


def _axis(points: list[list[float]], unit: str, currency: str) -> dict[str, Any]:
    """Its unit; logarithmic where a few values would otherwise hide all others at one end."""
    units = {
        "money": currency,
        "log money": currency,
        "hours": _("hours"),
        "days": _("days"),
        "times": _("times"),
    }
    axis: dict[str, Any] = {"name": units.get(unit, "")}
    above = [at for at, _adds in points if at > 0]
    if len(above) > 1 and points[0][0] >= 0 and max(above) > WIDE * min(above):
        axis["scale"] = "log"
    return axis
