"""Who scores for a bank now, and whose opinion is noted beside an alert."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from banks import keys
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.ranking import sigmoid
from banks.models import ModelVersion
from banks.services.samples import Draws
from banks.services.scorers import Scorer, aligned, scorer_of
from banks.services.thresholds import NEWEST, NOTHING_ALERTS, threshold_of
from banks.services.versions import newest_ids
from consortium.accounts.models import Bank

Matrix = NDArray[np.float32]
Origin = ModelVersion.Origin

# By hand, because each payment asks it and Django composes it longer than PostgreSQL answers.
SETTINGS: Final = """
    SELECT scoring_version_id, ({scoring}), shadow_version_id, ({shadow}),
        recoverable_share, blind_share, sample_share
    FROM banks_banksettings s WHERE bank_id = %s
"""
IN_USE: Final = SETTINGS.format(
    scoring=NEWEST.format(version="s.scoring_version_id"),
    shadow=NEWEST.format(version="s.shadow_version_id"),
)


@dataclass(frozen=True, eq=False)
class Skill:
    """What never changes about a version: the model, and the features that it is given."""

    version: ModelVersion
    scorer: Scorer
    plan: FeaturePlan


@dataclass(frozen=True, eq=False)
class Judge:
    """A version with all that scoring needs of it."""

    skill: Skill
    threshold: float

    @property
    def version(self) -> ModelVersion:
        return self.skill.version

    @property
    def scorer(self) -> Scorer:
        return self.skill.scorer

    @property
    def plan(self) -> FeaturePlan:
        return self.skill.plan

    def probabilities(self, matrix_for: Callable[[FeaturePlan], Matrix]) -> NDArray[np.float64]:
        """p(fraud) for the rows whose features ``matrix_for`` gives."""
        return sigmoid(self.scorer.logits(self.inputs(matrix_for)))

    def inputs(self, matrix_for: Callable[[FeaturePlan], Matrix]) -> Matrix:
        """The columns the version was trained on, in its order."""
        return aligned(matrix_for(self.plan), feature_names(self.plan), self.scorer.features)


@dataclass(frozen=True, eq=False)
class Bench:
    """The version in use, and the others whose opinion is noted beside an alert."""

    bank: Bank
    judge: Judge
    recoverable: float
    draws: Draws
    challenger: Judge | None = None
    blind_share: float = 0.0
    sample_share: float = 0.0

    @property
    def judges(self) -> tuple[Judge, ...]:
        """Everybody who needs the features."""
        return (self.judge, *self.others, *((self.challenger,) if self.challenger else ()))

    @cached_property
    def others(self) -> tuple[Judge, ...]:
        """Read when first asked for, since most payments raise no alert; in the bank's scope."""
        found = newest_ids(self.bank, (Origin.ALONE, Origin.CONSORTIUM))
        skills = [skill_of(pk, self.bank.pk) for pk in found if pk != self.judge.version.pk]
        return tuple(Judge(skill, threshold_of(skill.version)) for skill in skills)


def bench_of(bank: Bank) -> Bench | None:
    """Who scores for this bank now; None before the first version. Needs the bank's scope."""
    with connection.cursor() as cursor:
        cursor.execute(IN_USE, [bank.pk])
        found = cursor.fetchone()
    if found is None or found[0] is None:
        return None
    scoring, threshold, shadow, its_threshold, recoverable, blind_share, sample_share = found
    return Bench(
        bank=bank,
        judge=_judge(scoring, bank, threshold),
        recoverable=recoverable,
        draws=Draws(keys.draws(bank.slug)),
        challenger=_judge(shadow, bank, its_threshold) if shadow not in (None, scoring) else None,
        blind_share=blind_share,
        sample_share=sample_share,
    )


def _judge(version_id: uuid.UUID, bank: Bank, threshold: float | None) -> Judge:
    skill = skill_of(version_id, bank.pk)
    return Judge(skill, NOTHING_ALERTS if threshold is None else threshold)


@lru_cache(maxsize=32)
def skill_of(version_id: uuid.UUID, bank_id: uuid.UUID) -> Skill:
    """Read a version once for each process; needs the bank's scope."""
    version = ModelVersion.objects.defer("artifact").get(pk=version_id, bank_id=bank_id)
    return Skill(version, scorer_of(version), FeaturePlan.from_json(version.feature_plan))
