"""A forest while it grows, in and out of a course's state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.ml.boosting import Splits
from banks.ml.courses.base import State
from banks.ml.encoding import Arrays, FloatArray, IntArray
from banks.ml.models.trees import NOT_SPLIT

Tree = tuple[list[Splits], FloatArray]


@dataclass(frozen=True, eq=False)
class Growth:
    """Whole trees, the levels of the growing one, the sums of its last level, the best so far."""

    trees: list[Tree] = field(default_factory=list)
    levels: list[Splits] = field(default_factory=list)
    sums: IntArray = field(default_factory=lambda: np.zeros((0, 0, 2), dtype=np.int64))
    best: int = 0
    best_loss: float = np.inf

    @property
    def asked(self) -> NDArray[np.intp]:
        """The nodes whose sums are wanted: the root, or the left children of what was split."""
        if not self.levels:
            return np.zeros(1, dtype=np.intp)
        return 2 * np.flatnonzero(self.levels[-1].feature != NOT_SPLIT)

    def judged(self, loss: float, rows: float) -> Growth:
        """With the validation loss of the whole trees; without rows the newest is the best."""
        mean = loss / rows if rows > 0 else -float(len(self.trees))
        if mean >= self.best_loss:
            return self
        return replace(self, best=len(self.trees), best_loss=mean)

    @property
    def facts(self) -> dict[str, Any]:
        return {"trees": len(self.trees), "best": self.best}

    @property
    def arrays(self) -> Arrays:
        named: dict[str, NDArray[Any]] = {}
        if self.trees:
            levels = [_joined(levels) for levels, _ in self.trees]
            named |= {f"tree.{name}": np.stack([t[name] for t in levels]) for name in levels[0]}
            named["tree.value"] = np.stack([values for _, values in self.trees])
        if self.levels:
            named |= {f"open.{name}": array for name, array in _joined(self.levels).items()}
            named["open.sums"] = self.sums
        if np.isfinite(self.best_loss):
            named["best_loss"] = np.array([self.best_loss])
        return named

    @classmethod
    def of(cls, state: State) -> Growth:
        """Inverse of ``facts`` and ``arrays``."""
        stored = state.arrays
        trees = [
            (_levels({name: stored[f"tree.{name}"][tree] for name in NAMES}), value)
            for tree, value in enumerate(stored.get("tree.value", []))
        ]
        growing = "open.sums" in stored
        levels = _levels({name: stored[f"open.{name}"] for name in NAMES}) if growing else []
        return cls(
            trees=trees,
            levels=levels,
            sums=stored["open.sums"] if growing else cls().sums,
            best=int(state.facts["best"]),
            best_loss=float(stored["best_loss"][0]) if "best_loss" in stored else np.inf,
        )


NAMES = ("feature", "cut", "missing_right")


def _joined(levels: list[Splits]) -> dict[str, NDArray[Any]]:
    """Levels one after the other: nodes in heap order."""
    joined = {name: np.concatenate([getattr(s, name) for s in levels]) for name in NAMES}
    return joined | {"missing_right": joined["missing_right"].astype(np.uint8)}


def _levels(joined: Arrays) -> list[Splits]:
    found, start = [], 0
    while start < len(joined["feature"]):
        nodes = slice(start, 2 * start + 1)
        found.append(
            Splits(
                joined["feature"][nodes],
                joined["cut"][nodes],
                joined["missing_right"][nodes].astype(np.bool_),
            )
        )
        start = 2 * start + 1
    return found
