"""How long all features of a data set take, and those of one further day."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import polars as pl

from banks.ml.features import FeaturePlan, build_features, fraud_rate
from banks.ml.features.plan import NEW
from banks.ml.online import State
from banks.ml.schema import DAY, Mapping
from banks.ml.sources import read_sources


class Result(TypedDict):
    """CPU seconds of this process (one core when the libraries are held to one thread)."""

    rows: int
    features: int
    seconds: float
    peak_rss_mb: int
    seconds_next_day: float


def run(files: Sequence[Path | str], mapping: Mapping) -> Result:
    """Build the features of all rows, then take in the last day on top of the days before.

    Reading the files is not counted in the seconds, but in the peak of memory. The first-stage
    features are included, with the labels' own rate standing in for a score: their cost does not
    depend on its value.
    """
    frame = pl.concat(read_sources(files, mapping).values())
    frame = frame.with_columns(first_stage=pl.lit(fraud_rate(frame)))
    plan = FeaturePlan.for_mapping(
        mapping,
        first_stage=NEW if mapping.kind == "behaviour" else "",
        fraud_prior=fraud_rate(frame),
    )
    started = time.process_time()
    table = build_features(frame, plan)
    seconds = time.process_time() - started
    rows, features = len(table), table.width - 1
    del table
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Result(
        rows=rows,
        features=features,
        seconds=round(seconds, 3),
        peak_rss_mb=peak,
        seconds_next_day=round(_seconds_next_day(frame, plan), 3),
    )


def _seconds_next_day(frame: pl.DataFrame, plan: FeaturePlan) -> float:
    """Return the seconds of the last day; ready features carry no past."""
    day = pl.col("time") // DAY
    last = frame.select(day.max()).item()
    newest = frame.filter(day == last)
    if plan.kind == "ready":
        started = time.process_time()
        build_features(newest, plan)
        return time.process_time() - started
    state = State.from_frame(frame.filter(day < last), plan)
    started = time.process_time()
    state.advance(newest)
    return time.process_time() - started
