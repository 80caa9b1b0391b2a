"""Coordinates of small pictures: sparklines, histograms, tints. Pure arithmetic, drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WIDTH, HEIGHT = 240.0, 48.0
TABLE_ROWS = 25  # of one series in the table beside a chart


@dataclass(frozen=True)
class Line:
    width: float = WIDTH
    height: float = HEIGHT
    runs: list[str] = field(default_factory=list)  # "x,y x,y …"; a gap in the data starts a run
    dot: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    marked: bool


@dataclass(frozen=True)
class Bars:
    width: float = WIDTH
    height: float = HEIGHT
    bars: list[Bar] = field(default_factory=list)
    mark: float | None = None


def line_through(values: Sequence[float | None], *, mark: int | None = None) -> Line:
    """A line over equally spaced values; None leaves a gap, never a zero."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return Line()
    low, high = min(known), max(known)
    step = WIDTH / max(len(values) - 1, 1)
    points = [
        None
        if value is None or not math.isfinite(value)
        else (
            round(index * step, 1),
            round(HEIGHT - (value - low) / ((high - low) or 1) * HEIGHT, 1),
        )
        for index, value in enumerate(values)
    ]
    runs: list[str] = []
    current: list[str] = []
    for point in [*points, None]:
        if point:
            current.append(f"{point[0]},{point[1]}")
        elif current:
            runs.append(" ".join(current))
            current = []
    return Line(runs=runs, dot=points[mark] if mark is not None else None)


def bars_of(counts: Sequence[int], *, marked_from: int | None = None) -> Bars:
    """Bars on a square-root scale, so that a tail of a few is seen beside thousands."""
    highest = math.sqrt(max(counts, default=0)) or 1.0
    width = WIDTH / max(len(counts), 1)
    bars = []
    for index, count in enumerate(counts):
        height = math.sqrt(max(count, 0)) / highest * HEIGHT
        marked = marked_from is not None and index >= marked_from
        bars.append(
            Bar(
                x=round(index * width, 2),
                y=round(HEIGHT - height, 2),
                width=round(width * 0.9, 2),
                height=round(height, 2),
                marked=marked,
            )
        )
    return Bars(bars=bars, mark=None if marked_from is None else round(marked_from * width, 2))


def tint(part: int, whole: int) -> int:
    """A shade from 0 to 10; anything above nothing gets at least 1."""
    if not part or not whole:
        return 0
    return max(1, min(10, round(10 * part / whole)))


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None where there is no whole."""
    return part / whole if whole else None


def rows_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """A chart's numbers as (series, x, y) for the table beside it, long series thinned evenly."""
    for series in data["series"]:
        points = series.get("points") or list(
            zip(data["x"].get("labels", ()), series.get("values", ()), strict=False)
        )
        stride = max(1, math.ceil(len(points) / TABLE_ROWS))
        bands = series.get("band") or [None] * len(points)
        for (x, y), band in list(zip(points, bands, strict=False))[::stride]:
            said = _said(y, data["y"])
            if band:
                said += f" ({_said(band[0], data['y'])}–{_said(band[1], data['y'])})"
            yield series["name"], _said(x, data["x"]), said


def _said(value: Any, axis: Mapping[str, Any]) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if axis.get("format") == "percent":
        return f"{value * 100:.1f}%"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3g}"
