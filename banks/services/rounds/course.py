"""Where a run stands at this bank: its course, the state that a round starts from, what follows.

States live in the parts whose sums they were derived from, so a restarted bank goes on from its
own bytes, and a manifest that starts from any others is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from banks.ml import courses
from banks.ml.artifact import ModelArtifact
from banks.ml.courses import Course, Opened, Own, State
from banks.ml.encoding import IntArray
from banks.ml.federation import metrics_vector
from banks.models import RoundPart
from banks.services import datasets, first_stages
from banks.services.rounds import agreement
from banks.services.rounds.node import Node
from banks.services.rounds.recipe import RunRecipe
from banks.services.signal import summing
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody
from consortium.protocol.envelope import digest
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import METRICS, RISK_SIGNAL, Manifest, Step, starting_point


@dataclass(frozen=True)
class Derived:
    """What follows from an opened sum: bytes that all banks derive alike, and the next step."""

    content: bytes
    next: Step | None

    @property
    def digest(self) -> str:
        return digest(self.content)


def check_start(node: Node, manifest: Manifest) -> None:
    """Refuse a round that does not start from what this bank derived, or asks for another sum."""
    if manifest.step == METRICS:
        _derived(node, manifest)
        return
    if manifest.purpose == RISK_SIGNAL:
        summing.check(node, manifest)
    step = state_of(node, manifest).step
    if (manifest.step, manifest.length) != (step.name, step.length):
        raise Refused(
            "other_step",
            gettext_noop("The manifest asks for another sum than the run has come to."),
        )


def vector(node: Node, manifest: Manifest) -> IntArray:
    """What this bank contributes: its share of the course's sum, or its score histograms."""
    if manifest.purpose == RISK_SIGNAL:
        return summing.vector(node, manifest, state_of(node, manifest))
    recipe = RunRecipe.from_json(manifest.recipe)
    if manifest.step == METRICS:
        artifact = ModelArtifact.from_bytes(_derived(node, manifest))
        prepared = datasets.prepare(node.bank, recipe.for_bank(node.bank, artifact.first_stage))
        return metrics_vector(artifact.model, prepared.test.X, prepared.test.labels)
    state = state_of(node, manifest)
    prepared = _prepared(node, manifest, recipe, state)
    own = Own(
        train=prepared.train,
        validation=prepared.validation,
        seed=bank_seed(manifest, node.identity),
        place=agreement.roster(node, manifest).banks.index(node.identity),
    )
    return course_of(node, manifest).vector(state, own)


def _prepared(node: Node, manifest: Manifest, recipe: RunRecipe, state: State) -> datasets.Prepared:
    """This bank's rows with the features that the state's sum is about."""
    if courses.is_first(state):
        return datasets.prepare(node.bank, recipe.for_first_stage(node.bank))
    first = courses.first_stage_in(state)
    version = first_stages.keep(node.bank, first) if first else ""
    prepared = datasets.prepare(node.bank, recipe.for_bank(node.bank, version))
    recipe.require_features(courses.features_of(manifest.model), prepared.features)
    return prepared


def advance(node: Node, manifest: Manifest, sums: IntArray, banks: tuple[str, ...]) -> Derived:
    """The state, or the candidate, that follows from the opened sum over ``banks``."""
    if manifest.purpose == RISK_SIGNAL:
        return Derived(*summing.advance(node, manifest, state_of(node, manifest), sums, banks))
    members = agreement.roster(node, manifest).banks
    places = frozenset(members.index(bank) for bank in banks)
    state = state_of(node, manifest)
    follows = course_of(node, manifest).advance(state, Opened(sums, places))
    if isinstance(follows, State):
        return Derived(follows.to_bytes(), follows.step)
    about = {"task": manifest.task, "run": manifest.run, "round": manifest.number}
    if first := courses.first_stage_in(state):
        about["first_stage"] = first_stages.keep(node.bank, first)
    elif named := RunRecipe.from_json(manifest.recipe).plan.first_stage:
        about["first_stage"] = named
    return Derived(ModelArtifact(follows, about).to_bytes(), None)


def course_of(node: Node, manifest: Manifest) -> Course:
    """The course that the manifest's model and recipe describe, for the roster's banks."""
    recipe = RunRecipe.from_json(manifest.recipe)
    course = courses.course_of(
        manifest.model,
        recipe.training,
        members=len(agreement.roster(node, manifest).banks),
        clip=manifest.clip,
        weight_cap=manifest.weight_cap,
    )
    return courses.staged(course, recipe.plan, recipe.first_stage)


def state_of(node: Node, manifest: Manifest) -> State:
    """The state that a round starts from; a run's first one follows from its public seed."""
    if manifest.number > 0:
        return State.from_bytes(_derived(node, manifest))
    if manifest.base_model != starting_point(manifest.seed, manifest.model):
        raise Refused(
            "other_model",
            gettext_noop("The manifest does not start from its own public seed."),
        )
    if manifest.purpose == RISK_SIGNAL:
        return summing.begin(manifest)
    return course_of(node, manifest).begin(int(manifest.seed[:15], 16))


def _derived(node: Node, manifest: Manifest) -> bytes:
    with bank_scope(node.bank.pk):
        part = RoundPart.objects.filter(
            consortium_run=manifest.run, derived_hash=manifest.base_model
        ).first()
    if part is None:
        raise Refused(
            "base_model_missing",
            gettext_noop("This bank has not derived the model that the round starts from."),
        )
    content = bytes(part.derived)
    custody.check_base_model(manifest, content)
    return content


def bank_seed(manifest: Manifest, bank: str) -> int:
    """The bank's own seed for a run: recorded with the manifest, so the work is repeatable."""
    return int(digest(f"{manifest.seed}:{bank}".encode())[:15], 16)
