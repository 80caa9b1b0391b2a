"""What the families give away about the frauds they learned from, on any imported data."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from banks.ml.privacy.audit import audit_model
from banks.ml.privacy.lira import SHADOWS
from banks.ml.schema import Mapping
from consortium.benchmarks.detection import contenders, data
from consortium.benchmarks.detection.data import Window

FAMILIES = ("logistic", "trees", "mlp")


def run(
    files: Sequence[Path],
    mapping: Mapping,
    banks_file: Path | None,
    train_until: str,
    validate: str,
    test: str,
    label_delay: int = 7,
    seed: int = 0,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """LiRA on the fraud rows of all banks' training windows, each family and its control.

    Federated logistic regression and trees equal those on the joined rows, so their shadow models
    are trained there; the perceptron's are trained there too. Features are each bank's own view.
    """
    frames = data.read(files, mapping, banks_file)
    when = data.periods(frames, mapping, train_until, validate, test)
    plan = replace(data.plan_for(frames, mapping, when, label_delay, 24), first_stage="")
    view = data.view(frames, plan, when, joint=False)
    say(f"features of {len(view.banks)} banks")
    parties = contenders.Parties.of(
        [Window.joined([bank.train for bank in view.banks])],
        [Window.joined([bank.validation for bank in view.banks])],
        view.rate,
        seed,
    )
    trained = contenders.train_all(view.features, parties, FAMILIES, seed)
    say("trained")
    [rows] = parties.train
    results = []
    for family in FAMILIES:
        started = time.process_time()
        found = audit_model(trained.models[family], rows.X, rows.y, [], seed=seed, count=SHADOWS)
        if found:
            results.append(
                {"model": family, **found.to_json(), "seconds": time.process_time() - started}
            )
            say(f"{family}: {found.found.auc:.3f}, control {found.control.auc:.3f}")
    return {"results": results}
