"""The leakage test of a version: on a bank's fraud rows, on small parts of them, with a control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.ml.models import Model
from banks.ml.privacy import shadows
from banks.ml.privacy.lira import SHADOWS, Leakage, halves, leakage, ratios, shadow_logits
from banks.ml.segments import Segment

MOST_FRAUDS, GENUINE_ROWS = 1_500, 3_000
LEAST_FRAUDS, LEAST_IN_A_SEGMENT = 20, 10
CAUGHT_FROM, LEAKS_FROM = 0.70, 0.60


@dataclass(frozen=True)
class SegmentLeakage:
    """Leakage among the frauds of one channel or band of amounts."""

    kind: str
    name: str
    found: Leakage


@dataclass(frozen=True)
class Audit:
    """What the test found; ``control`` is a model that learned by heart."""

    shadows: int
    found: Leakage
    control: Leakage
    segments: tuple[SegmentLeakage, ...]

    @property
    def verdict(self) -> str:
        """``blind`` where the control was not caught, ``leaks``, or ``quiet``."""
        if self.control.auc < CAUGHT_FROM:
            return "blind"
        worst = max([self.found, *(one.found for one in self.segments)], key=_sure)
        return "leaks" if _sure(worst) > LEAKS_FROM else "quiet"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def audit_model(
    model: Model,
    X: NDArray[np.floating],
    labels: NDArray[np.integer],
    segments: Sequence[Segment],
    *,
    seed: int = 0,
    count: int = SHADOWS,
) -> Audit | None:
    """Test the model's family, encoding and size on these rows; None where frauds are too few.

    Shadow models learn from this bank's rows alone. In a consortium each row is one among many
    more, so what is found here is the most that the joint model could show of this bank.
    """
    chosen = _chosen(labels, seed)
    y = labels[chosen]
    frauds = y == 1
    if int(frauds.sum()) < LEAST_FRAUDS:
        return None
    rows, member = X[chosen], halves(len(y), count, seed)
    scores = ratios(shadow_logits(shadows.like(model, rows, y), member, seed), member)
    control = ratios(shadow_logits(shadows.by_heart(rows, y), member, seed), member)
    found, caught = leakage(scores, member, frauds), leakage(control, member, frauds)
    if found is None or caught is None:
        return None
    parts = [
        SegmentLeakage(segment.kind, segment.name, one)
        for segment in segments
        if (inside := frauds & segment.rows[chosen]).sum() >= LEAST_IN_A_SEGMENT
        and (one := leakage(scores, member, inside))
    ]
    return Audit(count, found, caught, tuple(parts))


def _chosen(labels: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """All frauds or enough of them, and some genuine rows, in their order."""
    generator = np.random.default_rng(seed)
    kept = []
    for label, most in ((1, MOST_FRAUDS), (0, GENUINE_ROWS)):
        rows = np.flatnonzero(labels == label)
        kept.append(rows if len(rows) <= most else generator.choice(rows, most, replace=False))
    return np.sort(np.concatenate(kept))


def _sure(found: Leakage) -> float:
    """What the leakage is at least: few rows reach any figure by chance."""
    return found.interval.low
