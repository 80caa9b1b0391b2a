"""The page of measured figures; open to everybody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from consortium.measured import figures, goals


def measured(request: HttpRequest) -> HttpResponse:
    sums, detection = figures.report("aggregation"), figures.report("detection")
    rows = figures.aggregation_rows(sums) if sums else []
    context = {
        "sums": sums,
        "sum_rows": rows,
        "sum_goals": goals.sum_goals(sums) if sums else [],
        "sum_chart": figures.aggregation_chart(rows),
        "detection": detection,
        "detection_rows": figures.detection_rows(detection) if detection else [],
    }
    return render(request, "guide/measured.html", context)
