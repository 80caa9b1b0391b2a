"""What a task will ask of its members: all that the size of a run depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from banks.services.rounds.node import Node
from consortium.protocol.packing import layout_named
from consortium.protocol.sizes import RunShape
from consortium.protocol.spec import METRIC_BITS, METRICS, RISK_SIGNAL, Manifest, Step
from consortium.protocol.wire import Json, canonical, digest


@dataclass(frozen=True)
class Agreed:
    """A task as the coordinator describes it, or as a manifest says it.

    ``metric_values`` and ``first_step`` are None where a manifest says nothing of them.
    """

    task: str
    name: str
    shape: RunShape
    clip: str
    weight_cap: str
    first_step: Step | None = None
    metric_values: int | None = None
    next_run_at: datetime | None = None

    @property
    def terms(self) -> str:
        """SHA-256 of what the seconds and lengths depend on: equal terms, equal runs."""
        shape = self.shape
        return digest(
            canonical(
                [shape.protocol, shape.banks, shape.key_bits, shape.model, shape.recipe, self.clip]
            )
        )

    @property
    def metrics(self) -> Step | None:
        if self.metric_values is None or self.shape.purpose == RISK_SIGNAL:
            return None
        return Step(METRICS, METRIC_BITS, self.metric_values, 0)

    @classmethod
    def of_manifest(cls, manifest: Manifest, banks: int) -> Agreed:
        """``banks``: the members of the manifest's roster."""
        shape = RunShape(
            protocol=manifest.protocol,
            banks=banks,
            key_bits=manifest.key_bits,
            purpose=manifest.purpose,
            model=manifest.model,
            recipe=manifest.recipe,
        )
        return cls(manifest.task, "", shape, manifest.clip, manifest.weight_cap)


def step_of(manifest: Manifest) -> Step:
    """The sum that a manifest asked for."""
    bits = layout_named(manifest.layout).value_bits
    return Step(manifest.step, bits, manifest.length, 0)


def coming(node: Node) -> list[Agreed]:
    """The tasks with a key that this bank is a member of. Raises Unreachable, Refused."""
    tasks = sorted({row["task"] for row in node.centre.get("tasks")})
    wires = [node.centre.get(f"tasks/{task}/agreement") for task in tasks]
    return [_of_wire(wire) for wire in wires if wire["key_bits"]]


def agreed(node: Node, task: str) -> Agreed:
    """One task. Raises Unreachable, Refused."""
    return _of_wire(node.centre.get(f"tasks/{task}/agreement"))


def _of_wire(wire: Json) -> Agreed:
    when = wire["next_run_at"]
    shape = RunShape(
        protocol=wire["protocol"],
        banks=int(wire["banks"]),
        key_bits=int(wire["key_bits"]),
        purpose=str(wire["purpose"]),
        model=dict(wire["model"]),
        recipe=dict(wire["recipe"]),
    )
    return Agreed(
        task=str(wire["task"]),
        name=str(wire["name"]),
        shape=shape,
        clip=str(wire["clip"]),
        weight_cap=str(wire["weight_cap"]),
        first_step=Step.from_wire(wire["first_step"]),
        metric_values=int(wire["metric_values"]),
        next_run_at=datetime.fromisoformat(when) if when else None,
    )
