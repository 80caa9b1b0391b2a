"""A course: a family's way from nothing to a model by a few sums over the banks.

A course is a pure state machine. Each bank turns the present state and its own rows into a vector
of integers; the opened sum of the vectors turns the state into the next one, or into the model.
States are bytes that every bank derives alike: banks sign them, start the next step from them, and
find them again after a restart. One bank that is its own sum trains alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from numpy.typing import NDArray

from banks.ml import container
from banks.ml.encoding import IntArray
from banks.ml.models.base import Model
from consortium.protocol.spec import Step

MAGIC = b"CONSCRSE"


class Window(Protocol):
    """The rows of one period, all of length n: features with NaN for missing, labels 1 fraud,
    0 genuine, −1 unknown, ids and accounts as text ("" where there is no account).
    """

    @property
    def X(self) -> NDArray[Any]: ...  # noqa: N802

    @property
    def labels(self) -> NDArray[Any]: ...

    @property
    def ids(self) -> NDArray[Any]: ...

    @property
    def accounts(self) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Own:
    """What one bank brings: its rows, its seed, and its place among the members."""

    train: Window
    validation: Window
    seed: int
    place: int = 0


@dataclass(frozen=True, eq=False)
class Opened:
    """An opened sum, and the places of the members whose vectors are in it."""

    values: IntArray
    places: frozenset[int] = frozenset({0})


@dataclass(frozen=True, eq=False)
class State:
    """Where a course stands: the sum that it waits for, and what is known so far.

    Nothing in it names the run, nor anything that the sums do not depend on: two runs that would
    sum the same rows from the same state must be known as the same, or a bank could be found by
    subtraction.
    """

    step: Step
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The canonical file, whose SHA-256 the banks sign."""
        return self._bytes

    @cached_property
    def _bytes(self) -> bytes:
        header = {"step": self.step.to_wire(), "facts": dict(self.facts)}
        return container.write(MAGIC, header, dict(sorted(self.arrays.items())))

    @classmethod
    def from_bytes(cls, content: bytes) -> State:
        """Parse a file; every deviation from the one valid encoding is Refused("artifact")."""
        try:
            header, arrays = container.read(MAGIC, content, {"step", "facts"})
            state = cls(Step.from_wire(header["step"]), header["facts"], arrays)
        except (KeyError, TypeError, ValueError, OverflowError):
            container.refuse("its header is not complete")
        if state.to_bytes() != content:
            container.refuse("it is not in the canonical encoding")
        return state


class Course(Protocol):
    """A family's steps. The same arguments give the same bytes at every bank."""

    def begin(self, seed: int) -> State:
        """The state of a run's first step; ``seed`` is public."""

    def vector(self, state: State, own: Own) -> IntArray:
        """This bank's int64[state.step.length]."""

    def advance(self, state: State, opened: Opened) -> State | Model:
        """What follows from the opened sum; raises Refused when it cannot be a sum of ours."""
