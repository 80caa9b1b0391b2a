"""Keeps a set of child processes running, and takes all of them down again in order."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from consortium import processes

LONGEST_PAUSE = 30.0  # seconds before a child that keeps crashing is tried again
SETTLED = 60.0  # seconds after which a child's earlier crashes are forgotten


@dataclass(frozen=True)
class Child:
    """One process to keep running. Children of a lower `stage` are stopped first."""

    name: str
    argv: tuple[str, ...]
    stage: int = 0
    grace: float = 10.0


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    crashes: int = 0
    start_again: float | None = None


@dataclass
class Supervisor:
    """Call `want` and `tend` every second or so, always from the thread that made it.

    Children are bound to the life of the thread that started them (see `processes.start`), so a
    supervisor that is killed takes them along. `note` receives sentences for people.
    """

    logs: Path
    note: Callable[[str], None]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    restarts: int = field(default=0, init=False)
    _running: dict[str, _Running] = field(default_factory=dict, init=False)

    def want(self, children: Iterable[Child]) -> None:
        """Start what is missing and stop what is wanted no longer."""
        wanted = {child.name: child for child in children}
        self._stop([entry for name, entry in self._running.items() if name not in wanted])
        for name, child in wanted.items():
            if name not in self._running:
                self._running[name] = self._start(child)

    def tend(self) -> None:
        """Start crashed children again, after a pause that doubles while they keep crashing."""
        for name, entry in self._running.items():
            if entry.start_again is not None:
                if time.monotonic() >= entry.start_again:
                    self._running[name] = self._start(entry.child, crashes=entry.crashes)
            elif processes.has_ended(entry.process):
                self._mourn(entry)

    def processes(self) -> dict[str, int]:
        """Process ids by name, of those that run."""
        return {
            name: entry.process.pid
            for name, entry in self._running.items()
            if not processes.has_ended(entry.process)
        }

    def stop(self) -> None:
        """Stop all, stage by stage; nothing of theirs is left when this returns."""
        for stage in sorted({entry.child.stage for entry in self._running.values()}):
            self._stop([entry for entry in self._running.values() if entry.child.stage == stage])

    def log_of(self, child: Child) -> Path:
        return self.logs / f"{child.name}.log"

    def _start(self, child: Child, *, crashes: int = 0) -> _Running:
        process = processes.start(child.argv, log=self.log_of(child), env=self.env, cwd=self.cwd)
        return _Running(child, process, time.monotonic(), crashes)

    def _mourn(self, entry: _Running) -> None:
        status = processes.bury(entry.process)
        settled = time.monotonic() - entry.started > SETTLED
        entry.crashes = 1 if settled else entry.crashes + 1
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (entry.crashes - 1))
        entry.start_again = time.monotonic() + pause
        self.restarts += 1
        self.note(
            f"{entry.child.name} ended by itself (status {status}) and is started again; "
            f"see {self.log_of(entry.child)}"
        )

    def _stop(self, entries: list[_Running]) -> None:
        if entries:
            processes.stop(
                [entry.process for entry in entries],
                grace=max(entry.child.grace for entry in entries),
            )
        for entry in entries:
            del self._running[entry.child.name]
