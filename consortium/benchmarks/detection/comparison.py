"""The whole comparison in one process: alone, federated, pooled and ensemble, every family of
models, with and without the cross-bank signal, for all banks and each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from banks.ml.schema import Mapping
from consortium.benchmarks.detection import data, scopes
from consortium.benchmarks.detection.adding import adder
from consortium.benchmarks.detection.data import View
from consortium.benchmarks.detection.judging import Scored, differences, report_rows
from consortium.benchmarks.measuring import machine

Say = Callable[[str], None]


def run(
    files: Sequence[Path],
    mapping: Mapping,
    banks_file: Path | None,
    train_until: str,
    validate: str,
    test: str,
    label_delay: int = 7,
    bucket_hours: int = 24,
    seed: int = 0,
    *,
    encrypt: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Compare everything on these data; days are ISO dates in the mapping's zone, ends included.

    ``encrypt`` runs the real protocols instead of packing alone: the same figures, more time.
    ``label_delay`` in days, ``bucket_hours`` the width of the signal's buckets. Returns "results"
    (the rows of DESIGN §8 and more keys), "differences" (paired bootstrap of average precision),
    "protocol" (what crossed the wire) and "seconds".
    """
    started = time.perf_counter()

    def tell(what: str) -> None:
        say(f"{time.perf_counter() - started:6.0f} s  {what}")

    frames = data.read(files, mapping, banks_file)
    when = data.periods(frames, mapping, train_until, validate, test)
    plan = data.plan_for(frames, mapping, when, label_delay, bucket_hours)
    tell(f"{sum(map(len, frames.values())):,} transactions of {len(frames)} banks")
    sums = adder("k56b64", encrypt=encrypt)
    separate = data.with_first_stage(frames, plan, when, seed=seed, add=sums, together=False)
    shared = data.with_first_stage(frames, plan, when, seed=seed, add=sums, together=True)
    tell("first stage scored")
    scored: list[Scored] = []
    protocol: dict[str, Any] = {"first_stage_values": sums.values}
    for signal in (False, True) if plan.uses_counterparties else (False,):
        together = data.view(shared, plan, when, joint=signal)
        alone = together if signal else data.view(separate, plan, when, joint=False)
        tell(f"features {'with' if signal else 'without'} signal")
        found, wire = _compare(
            alone, together, signal=signal, seed=seed, encrypt=encrypt, tell=tell
        )
        scored += found
        protocol["with_signal" if signal else "without_signal"] = wire
    rows = [row for contender in scored for row in report_rows(contender, together.banks)]
    paired = differences(_pairs(scored), together.banks, seed)
    seconds = round(time.perf_counter() - started, 1)
    return {
        "results": rows,
        "differences": paired,
        "protocol": protocol,
        "seconds": seconds,
        "machine": machine(),
    }


def _compare(
    alone: View, together: View, *, signal: bool, seed: int, encrypt: bool, tell: Say
) -> tuple[list[Scored], dict[str, Any]]:
    own, own_scored = scopes.alone(alone, signal=signal, seed=seed)
    tell("  trained alone")
    shared, wire, shared_scored = scopes.federated(
        together, signal=signal, seed=seed, encrypt=encrypt
    )
    tell("  trained together")
    pooled, pooled_scored = scopes.pooled(together, shared, signal=signal, seed=seed)
    tell("  trained on pooled rows")
    wire["largest_difference_to_pooled"] = {
        family: scopes.largest_difference(together, shared, pooled, family)
        for family in ("logistic", "trees", "elm")
    }
    mixed = scopes.ensemble(alone, together, own, shared, signal=signal)
    return [*own_scored, *shared_scored, *pooled_scored, mixed], wire


def _pairs(scored: Sequence[Scored]) -> list[tuple[Scored, Scored]]:
    """Each federated model with the signal against the ceiling, and against the banks alone."""
    by_name = {(one.scope, one.model, one.signal): one for one in scored}
    signal = ("federated", "blend", True) in by_name
    ceiling_names = ("xgboost", "xgboost_selected", "blend")
    against = [by_name.get(("pooled", name, signal)) for name in ceiling_names]
    against.append(by_name.get(("alone", "xgboost", False)) or by_name[("alone", "blend", False)])
    return [
        (one, other)
        for one in scored
        if one.scope == "federated" and one.signal == signal
        for other in against
        if other is not None
    ]
