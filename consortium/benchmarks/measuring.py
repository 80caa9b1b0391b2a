"""Vectors to add, a clock for the steps of a protocol, and the row that comes out."""

from __future__ import annotations

import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

PHASES = ("offline", "seal", "add", "open")
CLIP = 0.1
REPEATS = 7
"""A sum of milliseconds is done this often: the first finds cold memory and caches."""

_BYTES_PER_SECOND = 100e6 / 8
_SECONDS_PER_EXCHANGE = 0.020


def machine() -> dict[str, str]:
    """What measured, and when: figures of two machines are not compared."""
    named = Path("/proc/cpuinfo")
    lines = named.read_text(encoding="utf-8").splitlines() if named.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "python": platform.python_version(),
        "day": datetime.now(UTC).date().isoformat(),
    }


@dataclass(frozen=True)
class Workload:
    """The updates of all banks: float64[banks, parameters], well within the clip."""

    vectors: NDArray[np.float64]

    @classmethod
    def random(cls, parameters: int, banks: int) -> Workload:
        """Normally distributed updates, the same in every run."""
        draws = np.random.default_rng(7).normal(0.0, CLIP / 6, (banks, parameters))
        return cls(np.clip(draws, -CLIP, CLIP))

    @property
    def banks(self) -> int:
        return len(self.vectors)

    @property
    def parameters(self) -> int:
        return int(self.vectors.shape[1])


class Stopwatch:
    """CPU seconds by phase and step.

    A step that several parties do at the same time is measured for each; the median counts once.
    """

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], list[float]] = defaultdict(list)

    @contextmanager
    def measure(self, phase: str, step: str) -> Iterator[None]:
        """Count the time until the block ends as one party's ``step`` of ``phase``."""
        began = time.process_time()
        yield
        self._samples[phase, step].append(time.process_time() - began)

    @property
    def steps(self) -> dict[str, float]:
        """Seconds of each step, named "phase: step"."""
        return {f"{p}: {s}": median(found) for (p, s), found in self._samples.items()}

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each phase on the critical path."""
        totals = dict.fromkeys(PHASES, 0.0)
        for (phase, _), found in self._samples.items():
            totals[phase] += median(found)
        return totals


@dataclass(frozen=True)
class Row:
    """One protocol on one workload. Bytes are of one bank; ``body`` is its ciphertext alone."""

    protocol: str
    work: Workload
    key_bits: int | None
    seconds: dict[str, float]
    body: int
    exact: bool
    bytes_up: int
    bytes_down: int
    exchanges: tuple[str, ...]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def total_seconds(self) -> float:
        return sum(self.seconds.values())

    @property
    def modelled_seconds(self) -> float:
        """End to end over 100 Mb/s and 20 ms: processors but for offline, bytes, exchanges."""
        online = self.total_seconds - self.seconds["offline"]
        transfer = (self.bytes_up + self.bytes_down) / _BYTES_PER_SECOND
        return online + transfer + len(self.exchanges) * _SECONDS_PER_EXCHANGE

    def to_json(self, naive: Row, plain: Row) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "parameters": self.work.parameters,
            "banks": self.work.banks,
            "key_bits": self.key_bits,
            "seconds": self.seconds,
            "bytes_per_parameter": self.body / self.work.parameters,
            "exact": self.exact,
            "times_faster_than_naive_phe": naive.total_seconds / self.total_seconds,
            "exchanges": list(self.exchanges),
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
            "modelled_seconds": self.modelled_seconds,
            "modelled_times_plain": self.modelled_seconds / plain.modelled_seconds,
            **self.more,
        }


def repeated(measure: Callable[[Workload, Stopwatch], Row], work: Workload) -> Row:
    """The quickest of several runs: what else the machine does only ever adds to one."""
    rows = [measure(work, Stopwatch()) for _ in range(REPEATS)]
    return min(rows, key=lambda row: row.total_seconds)
