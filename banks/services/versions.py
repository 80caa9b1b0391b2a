"""A bank's model versions: how one comes to be, which one scores, how to step back."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from django.conf import settings as configuration
from django.db import transaction
from django.db.models import Max

from banks.ml.ensemble import choose_own_weight
from banks.ml.explanation import typical_values
from banks.ml.features.plan import FeaturePlan
from banks.ml.ranking import sigmoid
from banks.models import BankSettings, ModelVersion, TrainingRun
from banks.services import evaluation, thresholds
from banks.services.datasets import Prepared, Recipe, data_version, prepare
from banks.services.scorers import Ensemble, Scorer, ensemble_description, scorer_of
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

Origin = ModelVersion.Origin
Status = ModelVersion.Status
USABLE = (Status.ACCEPTED, Status.PUBLISHED, Status.RETIRED)


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """What a training, a round or a blend made, before it is a row."""

    origin: str
    family: str
    artifact: bytes
    recipe: Recipe
    parameters: int
    scorer: Scorer
    lineage: dict[str, Any] = field(default_factory=dict)
    run: TrainingRun | None = None
    status: str = Status.ACCEPTED
    leakage: dict[str, Any] = field(default_factory=dict)


def add_version(
    *, bank: Bank, new: NewVersion, prepared: Prepared, measured: dict[str, evaluation.Measured]
) -> ModelVersion:
    """Store a version with its counts and its first threshold; call in the bank's scope."""
    settings = settings_row(bank, lock=True)  # numbers follow one another
    last = ModelVersion.objects.filter(bank=bank).aggregate(last=Max("number"))["last"] or 0
    windows = prepared.windows
    version = ModelVersion.objects.create(
        bank=bank,
        number=last + 1,
        origin=new.origin,
        family=new.family,
        status=new.status,
        artifact=new.artifact,
        artifact_sha256=hashlib.sha256(new.artifact).hexdigest(),
        parameters=new.parameters,
        trained_from=evaluation.moment(windows.train_from),
        trained_until=evaluation.moment(windows.train_until),
        lineage={**new.lineage, "code": configuration.VERSION, "data": data_version(bank)},
        leakage=new.leakage,
        feature_plan=new.recipe.plan.to_json(),
        typical=_typical(prepared, new.scorer.features),
        run=new.run,
    )
    evaluation.store(version, measured)
    validation = measured["validation"]
    thresholds.initial_threshold(version, validation.histogram, days=validation.days).save()
    if settings.scoring_version_id is None and new.status == Status.ACCEPTED:
        _put_in_use(settings, version)  # a bank that scores with nothing gains by anything
    return version


def compare_with(
    version: ModelVersion,
    baseline: ModelVersion,
    ours: evaluation.Measured,
    theirs: evaluation.Measured,
) -> None:
    """Store how two versions do on the same test window; call in the bank's scope.

    Each gets as many alerts as the baseline raises at its threshold, as far as the bank can
    review them.
    """
    known = theirs.part.labels >= 0
    above = sigmoid(theirs.logits[known]) >= thresholds.threshold_of(baseline)
    raised = int(above.sum())
    capacity = int(settings_row(version.bank).reviews_a_day * theirs.days)
    budget = min(raised, capacity) or capacity
    evaluation.compare(version, baseline, ours, theirs, alerts=budget).save()


def newest(bank: Bank, origin: str) -> ModelVersion | None:
    """The newest usable version of one origin; needs the bank's scope."""
    return (
        ModelVersion.objects.filter(bank=bank, origin=origin, status__in=USABLE)
        .defer("artifact")
        .order_by("-number")
        .first()
    )


def newest_ids(bank: Bank, origins: Sequence[str]) -> list[uuid.UUID]:
    """The newest usable version of each of these origins; needs the bank's scope."""
    return list(
        ModelVersion.objects.filter(bank=bank, origin__in=origins, status__in=USABLE)
        .order_by("origin", "-number")
        .distinct("origin")
        .values_list("pk", flat=True)
    )


def add_consortium_version(
    *, bank: Bank, new: NewVersion, prepared: Prepared
) -> tuple[ModelVersion, ModelVersion | None]:
    """Store what the consortium learned, judged on this bank's own windows; and the ensemble.

    The bank's own newest version is judged again on the same rows, so that the three stand side
    by side. Returns the version and the ensemble (None while the bank has no version alone, or
    while the new one is not accepted).
    """
    ours = evaluation.measure(new.scorer, prepared)
    with bank_scope(bank.pk):
        alone = newest(bank, Origin.ALONE)
        if alone and alone.trained_until and alone.trained_until > ours["test"].since:
            alone = None  # it has seen the test window; nothing fair can be said
        own = scorer_of(alone) if alone else None
    recipe, seen = _for_both(bank, alone, new, prepared)
    theirs = evaluation.measure(own, seen) if own else None
    by_itself = evaluation.measure(own, _own_view(bank, alone, new)) if own and alone else None
    with bank_scope(bank.pk):
        version = add_version(bank=bank, new=new, prepared=prepared, measured=ours)
        if alone is None or theirs is None or by_itself is None:
            return version, None
        evaluation.store(alone, by_itself)
        compare_with(version, alone, ours["test"], by_itself["test"])
        if version.status not in USABLE:
            return version, None
        ensemble = build_ensemble(
            bank=bank,
            alone=alone,
            consortium=version,
            prepared=seen,
            recipe=recipe,
            measured=(theirs, ours),
            by_itself=by_itself,
        )
    return version, ensemble


def _for_both(
    bank: Bank, alone: ModelVersion | None, new: NewVersion, prepared: Prepared
) -> tuple[Recipe, Prepared]:
    """Rows that the own model understands too: its first stage explains where the new has none."""
    named = FeaturePlan.from_json(alone.feature_plan).first_stage if alone else ""
    plan = new.recipe.plan
    if not named or plan.first_stage or not plan.can_explain:
        return new.recipe, prepared
    recipe = Recipe(replace(plan, first_stage=named), new.recipe.windows)
    return recipe, prepare(bank, recipe)


def _own_view(bank: Bank, alone: ModelVersion, new: NewVersion) -> Prepared:
    """The same rows as the bank's own model was made to see them: without other banks' help."""
    plan = FeaturePlan.from_json(alone.feature_plan)
    return prepare(bank, Recipe(plan, new.recipe.windows))


def build_ensemble(
    *,
    bank: Bank,
    alone: ModelVersion,
    consortium: ModelVersion,
    prepared: Prepared,
    recipe: Recipe,
    measured: Sequence[dict[str, evaluation.Measured]] | None = None,
    by_itself: dict[str, evaluation.Measured] | None = None,
) -> ModelVersion:
    """Join the own model to the consortium's, with the weight that validation supports.

    ``measured`` are the logits of (alone, consortium) where the caller has them already,
    ``by_itself`` those of the own model on its own view, against which the gain is told. Call in
    the bank's scope.
    """
    own, shared = scorer_of(alone), scorer_of(consortium)
    theirs, ours = measured or (
        evaluation.measure(own, prepared),
        evaluation.measure(shared, prepared),
    )
    chosen = choose_own_weight(
        theirs["validation"].logits, ours["validation"].logits, prepared.validation.labels
    )
    scorer = Ensemble(own=own, consortium=shared, weight=chosen.weight)  # type: ignore[arg-type]
    together = evaluation.measure(scorer, prepared)
    version = add_version(
        bank=bank,
        new=NewVersion(
            origin=Origin.ENSEMBLE,
            family="ensemble",
            artifact=ensemble_description(alone, consortium, chosen.weight),
            recipe=recipe,
            parameters=alone.parameters + consortium.parameters,
            scorer=scorer,
            lineage={
                "own": str(alone.pk),
                "consortium": str(consortium.pk),
                "own_weight": chosen.weight,
                "best_weight": chosen.best,
                "validation_frauds": chosen.frauds,
            },
            run=consortium.run,
        ),
        prepared=prepared,
        measured=together,
    )
    compare_with(version, alone, together["test"], (by_itself or theirs)["test"])
    return version


@transaction.atomic
def choose_scoring_version(
    *, bank: Bank, actor: Actor, version_id: uuid.UUID | str, reason: str
) -> ModelVersion:
    """From now on this version scores; the one before stays at hand."""
    with bank_scope(bank.pk):
        version = _usable(bank, version_id)
        settings = settings_row(bank, lock=True)
        if settings.scoring_version_id == version.pk:
            raise Refused("already_scoring", gettext_noop("This version already scores."))
        _put_in_use(settings, version)
        audit.record(
            actor=actor, verb="version.chosen", target=version, bank=bank, reason=reason[:200]
        )
    return version


@transaction.atomic
def roll_back(*, bank: Bank, actor: Actor, reason: str) -> ModelVersion:
    """Score again with the version before the present one."""
    with bank_scope(bank.pk):
        previous = settings_row(bank).previous_version_id
    if previous is None:
        raise Refused("no_previous", gettext_noop("There is no earlier version to go back to."))
    return choose_scoring_version(bank=bank, actor=actor, version_id=previous, reason=reason)


@transaction.atomic
def retire(*, bank: Bank, actor: Actor, version_id: uuid.UUID | str) -> None:
    """Put a version aside; the one that scores can't be."""
    with bank_scope(bank.pk):
        if settings_row(bank, lock=True).scoring_version_id == _usable(bank, version_id).pk:
            raise Refused(
                "version_in_use",
                gettext_noop("This version scores now. Choose another one first."),
            )
        retired = ModelVersion.objects.filter(
            bank=bank, pk=version_id, status__in=[Status.ACCEPTED, Status.PUBLISHED]
        ).update(status=Status.RETIRED)
        if not retired:
            raise Refused("already_retired", gettext_noop("This version is already retired."))
        audit.record(
            actor=actor, verb="version.retired", target=f"modelversion:{version_id}", bank=bank
        )


def settings_row(bank: Bank, *, lock: bool = False) -> BankSettings:
    """The bank's settings, made on first use; locked until the transaction ends if asked."""
    BankSettings.objects.get_or_create(bank=bank)
    rows = BankSettings.objects.select_for_update() if lock else BankSettings.objects
    return rows.get(bank=bank)


def _usable(bank: Bank, version_id: uuid.UUID | str) -> ModelVersion:
    version = ModelVersion.objects.filter(bank=bank, pk=version_id).first()
    if version is None:
        raise Refused("no_version", gettext_noop("There is no such model version."))
    if version.status not in USABLE:
        raise Refused(
            "version_not_accepted",
            gettext_noop("The banks have not accepted this version; it cannot score."),
        )
    return version


def _put_in_use(settings: BankSettings, version: ModelVersion) -> None:
    BankSettings.objects.filter(pk=settings.pk).update(
        scoring_version=version, previous_version=settings.scoring_version_id
    )
    ModelVersion.objects.filter(pk=version.pk, status__in=[Status.ACCEPTED, Status.RETIRED]).update(
        status=Status.PUBLISHED
    )


def _typical(prepared: Prepared, features: tuple[str, ...]) -> list[float | None]:
    places = [prepared.features.index(name) for name in features]
    values = typical_values(prepared.train.X[:, places])
    return [None if np.isnan(value) else float(value) for value in values]
