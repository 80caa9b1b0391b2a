"""The consortium's curves. No cell leads to a transaction: nobody here can open one."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from aggregation.curves import HIGH, LOW
from aggregation.selectors import performance as selectors
from aggregation.views.saying import index
from consortium.accounts.access import centre_page


@centre_page()
def performance(request: Any) -> HttpResponse:
    found = selectors.measured()
    if not found:
        return render(request, "aggregation/performance.html", {})
    asked = request.GET.get("version", "")
    shown = next((one for one in found if str(one.version.pk) == asked), found[0])
    curve = shown.curve
    cut = index(request, "cut")
    best = curve.best_cut()
    cut = best if cut is None else min(cut, curve.bins - 1)
    context = {
        "all": found,
        "shown": shown,
        "cut": cut,
        "best": best,
        "last": curve.bins - 1,
        "threshold": curve.probability(cut),
        "matrix": curve.at(cut),
        "points": _chart(shown, cut),
        "counts": {"genuine": curve.genuine, "fraud": curve.fraud, "low": LOW, "high": HIGH},
    }
    return render(request, "aggregation/performance.html", context)


def _chart(shown: selectors.Measured, cut: int) -> dict[str, Any]:
    """The precision-recall curve as components/chart.html wants it."""
    recall = shown.curve.at(cut).recall
    marks = [{"x": round(recall, 4), "name": _("threshold")}] if recall is not None else []
    return {
        "kind": "line",
        "x": {"name": _("recall"), "format": "percent", "min": 0, "max": 1},
        "y": {"name": _("precision"), "format": "percent", "min": 0, "max": 1},
        "series": [
            {
                "name": _("version %(n)s") % {"n": shown.version.number},
                "points": [[round(x, 5), round(y, 5)] for x, y in shown.curve.points()],
            }
        ],
        "marks": marks,
    }
