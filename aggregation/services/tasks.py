"""Making a task: an agreement that the operator writes down and the banks then sign rosters for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from aggregation.models import Task
from aggregation.services.schedules import next_run
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.packing import require_laboratory_size
from consortium.protocol.spec import Step
from consortium.protocol.wire import canonical, digest, parse

LARGEST_TEXT = 256 * 1024
LONGEST_VECTOR = 10_000_000
MOST_VALUES = 2_000_000
OBJECTS = ("model", "recipe")


@dataclass(frozen=True)
class Definition:
    """What a model owner hands over: the model, how to train it, and the sum a run begins with."""

    first_step: dict[str, Any]
    metric_values: int
    model: dict[str, Any]
    recipe: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form, to compare with the model owner's."""
        return digest(canonical(vars(self)))


def read_definition(text: str | bytes) -> Definition:
    """The definition in a JSON text; Refused (field ``definition``) says what is wrong with it."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > LARGEST_TEXT:
        raise _bad(gettext_noop("The definition is larger than 256 kB."))
    try:
        found = parse(data)
    except Refused as refused:
        where = str(refused.params.get("where", "")).replace("The message", "The definition")
        params = {**refused.params, "where": where}
        raise Refused(refused.code, refused.sentence, field="definition", **params) from refused
    return check_definition(found)


def check_definition(found: object) -> Definition:
    """The definition that parsed JSON holds; nothing missing, nothing unknown, no floats."""
    if not isinstance(found, dict):
        raise _bad(gettext_noop("The definition must be one JSON object."))
    names = {"first_step", "metric_values", *OBJECTS}
    if missing := sorted(names - set(found)):
        raise _bad(gettext_noop("The definition lacks %(names)s."), names=", ".join(missing))
    if unknown := sorted(map(str, set(found) - names)):
        raise _bad(
            gettext_noop("The definition has unknown entries: %(names)s."),
            names=", ".join(unknown)[:200],
        )
    _check_sizes(found)
    for name in OBJECTS:
        if not isinstance(found[name], dict) or not found[name]:
            raise _bad(gettext_noop("%(name)s must be a JSON object with entries."), name=name)
    definition = Definition(**found)
    canonical(vars(definition))
    return definition


def _check_sizes(found: dict[str, Any]) -> None:
    try:
        first = Step.from_wire(found["first_step"])
    except Refused as refused:
        raise Refused(
            "bad_definition", refused.sentence, field="definition", **refused.params
        ) from refused
    for name, value in (
        ("first_step.length", first.length),
        ("metric_values", found["metric_values"]),
    ):
        if type(value) is not int or not 1 <= value <= LONGEST_VECTOR:
            raise _bad(
                gettext_noop("%(name)s must be a whole number from 1 to %(most)s."),
                name=name,
                most=LONGEST_VECTOR,
            )


@transaction.atomic
def create_task(
    *,
    actor: Actor,
    name: str,
    definition: Definition,
    name_ja: str = "",
    purpose: str = "fraud-detection",
    protocol: str = Task.Protocol.PAILLIER_THRESHOLD,
    most_rounds: int | None = None,
    most_values: int = MOST_VALUES,
    round_seconds: int = 3600,
    vote_seconds: int = 24 * 3600,
    cron: str = "0 3 * * *",
    zone: str = "Asia/Tokyo",
    enabled: bool = False,
) -> Task:
    """Write an agreement down. Nobody takes part before its members have signed a roster.

    ``most_rounds`` None allows the sums that the definition itself expects.
    """
    name, purpose = name.strip(), purpose.strip()
    if not name or not purpose:
        field = "purpose" if name else "name"
        raise Refused(
            "name_missing", gettext_noop("Give the task a name and a purpose."), field=field
        )
    if Task.objects.filter(name=name).exists():
        raise Refused(
            "task_exists",
            gettext_noop("There is a task named %(name)s. Choose another name."),
            field="name",
            name=name,
        )
    _check_protocol(protocol, definition)
    following = next_run(cron=cron, zone=zone, after=timezone.now())
    task = Task.objects.create(
        name=name,
        name_ja=name_ja.strip(),
        purpose=purpose,
        protocol=protocol,
        most_rounds=most_rounds or 1 + definition.first_step["remaining"],
        most_values=most_values,
        round_seconds=round_seconds,
        vote_seconds=vote_seconds,
        cron=cron,
        zone=zone,
        enabled=enabled,
        next_run_at=following if enabled else None,
        **vars(definition),
    )
    audit.record(
        actor=actor, verb="task.created", target=task, name=name, definition=definition.hash
    )
    return task


def _check_protocol(protocol: str, definition: Definition) -> None:
    """Refuse a protocol that there is not, or one that may not close the definition's vectors."""
    if protocol not in Task.Protocol.values:
        raise Refused(
            "unknown_protocol",
            gettext_noop("There is no protocol %(name)s."),
            field="protocol",
            name=protocol,
        )
    if protocol != Task.Protocol.PAILLIER_PHE:
        return
    try:
        for length in (definition.first_step["length"], definition.metric_values):
            require_laboratory_size(length)
    except Refused as refused:
        raise Refused(
            refused.code, refused.sentence, field="protocol", **refused.params
        ) from refused


def _bad(sentence: str, **params: object) -> Refused:
    return Refused("bad_definition", sentence, field="definition", **params)
