"""Phase 0: a bank trains alone on its own transactions, in its own worker."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from croniter import croniter
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from banks.ml.features.plan import NEW
from banks.models import BankSettings, LabelEvent, ModelVersion, TrainingRun
from banks.services import datasets, evaluation, first_stages, leakage, runs, versions
from banks.services.datasets import Prepared, Recipe
from consortium.accounts import audit
from consortium.accounts.actors import Actor, system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

log = structlog.get_logger(__name__)

STEPS: Final = ("features", "learning", "judging")
LEAST_FRAUDS: Final = 20
FAMILIES: Final = ("logistic", "blend", "trees", "elm", "mlp")

Losses = list[dict[str, float | None]]
Status = TrainingRun.Status
Trigger = TrainingRun.Trigger


def request_training(
    *,
    bank: Bank,
    actor: Actor,
    trigger: str = Trigger.PERSON,
    family: str = "",
    windows: dict[str, Any] | None = None,
) -> TrainingRun:
    """Queue a run alone; the caller wakes the worker once this has been committed.

    ``family`` is the kind of model (empty: the same as last time). ``windows`` overrides the
    periods that follow from the data's span. Raises Refused when there is nothing to train on, or
    a run alone is already under way.
    """
    if family and family not in FAMILIES:
        raise Refused(
            "family",
            gettext_noop("There is no model family %(name)s."),
            field="family",
            name=family,
        )
    recipe = datasets.recipe_for(bank, windows=windows)
    if recipe.plan.can_explain:
        recipe = replace(recipe, plan=replace(recipe.plan, first_stage=NEW))
    try:
        with bank_scope(bank.pk):
            run = TrainingRun.objects.create(
                bank=bank,
                phase=TrainingRun.Phase.ALONE,
                trigger=trigger,
                started_by=actor.user,
                steps_total=len(STEPS),
                settings={
                    **recipe.to_json(),
                    "seed": secrets.randbits(31),
                    "family": family or usual_family(bank),
                },
            )
            audit.record(actor=actor, verb="training.requested", target=run, bank=bank)
    except IntegrityError as error:
        raise Refused(
            "already_training",
            gettext_noop("A training alone is already under way. Wait for it, or cancel it."),
        ) from error
    return run


def usual_family(bank: Bank) -> str:
    """The family that this bank trained alone last; needs the bank's scope."""
    last = TrainingRun.objects.filter(bank=bank, phase=TrainingRun.Phase.ALONE).first()
    return str(last.settings.get("family", FAMILIES[0])) if last else FAMILIES[0]


def cancel_training(*, bank: Bank, actor: Actor, run_id: uuid.UUID | str) -> None:
    """Stop a run alone; its worker notices at its next report and leaves nothing behind."""
    with bank_scope(bank.pk):
        cancelled = TrainingRun.objects.filter(
            pk=run_id,
            phase=TrainingRun.Phase.ALONE,
            status__in=[Status.QUEUED, Status.RUNNING],
        ).update(status=Status.CANCELLED, finished_at=timezone.now())
        if not cancelled:
            raise Refused("not_running", gettext_noop("This training is not under way any more."))
        audit.record(
            actor=actor, verb="training.cancelled", target=f"trainingrun:{run_id}", bank=bank
        )


def run_training(*, bank: Bank, run_id: uuid.UUID | str) -> None:
    """Do a queued run, or take one over whose worker fell silent; else nothing.

    However often and wherever this is called, a run makes at most one model version.
    """
    lease = runs.claim(bank=bank, run_id=run_id)
    if lease is None:
        return
    try:
        _train(lease)
    except runs.LeaseLost:
        log.info("training_left", run=str(run_id))
    except Refused as refused:
        runs.fail(lease, refused)
    except Exception:
        log.exception("training_broke", run=str(run_id))
        runs.fail(
            lease,
            Refused(
                "unexpected",
                gettext_noop("Something unexpected happened. The worker's log says what."),
            ),
        )


def _train(lease: runs.Lease) -> None:
    with bank_scope(lease.bank.pk):
        run = lease.rows().get()
    recipe = datasets.Recipe.from_json(run.settings)
    with lease.step("features", 1, len(STEPS)):
        recipe = _with_first_stage(lease, recipe, run.settings["seed"])
        prepared = datasets.prepare(lease.bank, recipe)
        _require_frauds(prepared)
    with lease.step("learning", 2, len(STEPS)):
        new = _learn(lease, run, recipe, prepared)
    with lease.step("judging", 3, len(STEPS)):
        measured = evaluation.measure(new.scorer, prepared)
        lease.report(progress=0.2)
        tested = leakage.examine(new.scorer, prepared, seed=run.settings["seed"])  # type: ignore[arg-type]
        new = replace(new, leakage=tested)
    with bank_scope(lease.bank.pk):
        version = versions.add_version(
            bank=lease.bank, new=new, prepared=prepared, measured=measured
        )
        LabelEvent.objects.filter(
            bank=lease.bank,
            learned_by__isnull=True,
            known_at__lte=run.created_at,
            transaction__time__lt=evaluation.moment(prepared.windows.train_until),
        ).update(learned_by=run)
        runs.finish(lease, result={**run.result, **new.lineage, "version": version.number})
        audit.record(
            actor=system("training", bank=lease.bank),
            verb="version.trained",
            target=version,
            bank=lease.bank,
        )


def _with_first_stage(lease: runs.Lease, recipe: Recipe, seed: int) -> Recipe:
    """The recipe under a first stage that this bank learns from its own accounts."""
    from banks.ml import courses

    if recipe.plan.first_stage != NEW:
        return recipe
    course = courses.first_stage_course(recipe.plan)
    below = datasets.prepare(lease.bank, Recipe(course.below, recipe.windows))
    own = courses.Own(train=below.train, validation=below.validation, seed=seed)
    first = courses.learn_first_stage(course, [own])
    version = first_stages.keep(lease.bank, first)
    return replace(recipe, plan=replace(recipe.plan, first_stage=version))


def _learn(
    lease: runs.Lease, run: TrainingRun, recipe: Recipe, prepared: Prepared
) -> versions.NewVersion:
    from banks.ml.alone import learn_alone
    from banks.ml.artifact import ModelArtifact
    from banks.ml.courses import Own
    from banks.ml.models.registry import size_of

    seed, family = run.settings["seed"], run.settings["family"]
    own = Own(train=prepared.train, validation=prepared.validation, seed=seed)

    def report(share: float, losses: Losses) -> None:
        lease.report(progress=share, **({"result": {"losses": losses}} if losses else {}))

    model, notes = learn_alone(family, prepared.features, own, seed=seed, report=report)
    first_stage = {"first_stage": version} if (version := recipe.plan.first_stage) else {}
    about = {"seed": seed, "family": family, **first_stage}
    return versions.NewVersion(
        origin=ModelVersion.Origin.ALONE,
        family=family,
        artifact=ModelArtifact(model, about=about).to_bytes(),
        recipe=recipe,
        parameters=size_of(model),
        scorer=model,
        lineage={
            **first_stage,
            "seed": seed,
            "rows": len(prepared.train),
            "frauds": prepared.train.frauds,
            **notes,
        },
        run=run,
    )


def _require_frauds(prepared: Prepared) -> None:
    if prepared.train.frauds < LEAST_FRAUDS:
        raise Refused(
            "too_few_frauds",
            gettext_noop(
                "There are %(frauds)s known frauds in the training window and at least %(least)s "
                "are needed. Import a longer period, or label more transactions."
            ),
            frauds=prepared.train.frauds,
            least=LEAST_FRAUDS,
        )


def start_due(*, bank: Bank, now: datetime) -> TrainingRun | None:
    """Queue the scheduled run if its time has come; two callers queue one.

    A schedule that cannot be met (no data, already training) waits for its next time.
    """
    with bank_scope(bank.pk):
        due = BankSettings.objects.filter(
            bank=bank, training_enabled=True, next_training_at__lte=now
        ).first()
        if due is None:
            return None
        moved = BankSettings.objects.filter(
            pk=due.pk, next_training_at=due.next_training_at
        ).update(next_training_at=next_time(due.training_cron, due.zone, now))
    if not moved:
        return None
    try:
        return request_training(
            bank=bank, actor=system("schedule", bank=bank), trigger=Trigger.SCHEDULE
        )
    except Refused as refused:
        log.info("scheduled_training_refused", bank=bank.slug, code=refused.code)
        return None


def next_time(cron: str, zone: str, after: datetime) -> datetime:
    """When a cron line next falls due, in the wall-clock time of ``zone``."""
    due: datetime = croniter(cron, after.astimezone(ZoneInfo(zone))).get_next(datetime)
    return due


def waiting_labels(bank: Bank) -> int:
    """Labels said since the last training that learned; needs the bank's scope."""
    return LabelEvent.objects.filter(
        Q(value__isnull=False), bank=bank, learned_by__isnull=True
    ).count()
