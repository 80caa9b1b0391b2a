"""Figures follow from counts, and say how sure they are."""

from __future__ import annotations

import pytest

from banks.ml.evaluation import GRID
from banks.models import Comparison, Evaluation, ModelVersion
from banks.selectors import performance
from banks.services import datasets, evaluation, training, versions
from banks.services.scorers import scorer_of
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def alone(bank: Bank, owner: Actor) -> ModelVersion:
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=owner)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        return ModelVersion.objects.get()


def from_the_consortium(bank: Bank, alone: ModelVersion) -> ModelVersion:
    """The own model once more, as if the banks had made it together."""
    recipe = world.recipe_of(bank)
    prepared = datasets.prepare(bank, recipe)
    with bank_scope(bank.pk):
        new = versions.NewVersion(
            origin="consortium",
            family="mlp",
            artifact=bytes(alone.artifact),
            recipe=recipe,
            parameters=alone.parameters,
            scorer=scorer_of(alone),
        )
    version, ensemble = versions.add_consortium_version(bank=bank, new=new, prepared=prepared)
    assert ensemble is not None
    return version


def test_counts_at_a_threshold_are_those_of_the_scores(bank: Bank, alone: ModelVersion) -> None:
    prepared = datasets.prepare(bank, world.recipe_of(bank))
    with bank_scope(bank.pk):
        scorer = scorer_of(alone)
        measured = evaluation.measure(scorer, prepared)["test"]
        for cut in range(0, GRID.bins, 25):
            figures = performance.figures_of(alone, cut=cut)
            assert figures is not None
            above = measured.logits >= figures.logit if cut else measured.logits > -1e9
            labels = measured.part.labels
            found = figures.confusion
            assert found.tp == int((above & (labels == 1)).sum())
            assert found.fp == int((above & (labels == 0)).sum())
            assert found.tp + found.fn == int((labels == 1).sum())
            caught = measured.part.amounts[above & (labels == 1)].sum()
            assert figures.value_caught == caught


def test_a_threshold_survives_the_way_to_a_probability_and_back() -> None:
    for cut in range(1, GRID.bins):
        figures = performance.Figures(None, None, cut)  # type: ignore[arg-type]
        assert performance.bin_of(figures.threshold) == cut
    assert performance.bin_of(1.0) == GRID.bins


def test_equal_models_differ_by_nothing_and_the_ensemble_leaves_the_own_out(
    bank: Bank, alone: ModelVersion
) -> None:
    consortium = from_the_consortium(bank, alone)
    with bank_scope(bank.pk):
        found = Comparison.objects.get(version=consortium)
        together = ModelVersion.objects.get(origin="ensemble")
        sides = performance.side_by_side(bank)
        assert Evaluation.objects.filter(version=alone, window="test").count() == 1
    assert (found.difference, found.caught_by_version, found.caught_by_baseline) == (0.0, 0, 0)
    assert together.lineage["own_weight"] == pytest.approx(0, abs=0.05)
    assert [side.figures.version.origin for side in sides] == ["alone", "consortium", "ensemble"]
    alerts = {side.figures.confusion.alerts for side in sides}
    assert len(alerts) == 1, "equal models at an equal budget"
    assert found.alerts == sides[0].figures.confusion.alerts, "page and comparison agree"


def test_no_more_alerts_than_the_bank_can_review(bank: Bank, alone: ModelVersion) -> None:
    with bank_scope(bank.pk):
        [side] = performance.side_by_side(bank, alerts_a_day=0.5)
    assert side.figures.alerts_a_day <= 0.5


def test_choosing_and_going_back(bank: Bank, owner: Actor, alone: ModelVersion) -> None:
    consortium = from_the_consortium(bank, alone)
    chosen = {"bank": bank, "actor": owner, "reason": "better on our own test window"}
    versions.choose_scoring_version(**chosen, version_id=consortium.pk)
    with pytest.raises(Refused):
        versions.retire(bank=bank, actor=owner, version_id=consortium.pk)
    assert versions.roll_back(**chosen) == alone
    versions.retire(bank=bank, actor=owner, version_id=consortium.pk)
    with bank_scope(bank.pk):
        consortium.refresh_from_db()
    assert consortium.status == "retired"


def test_a_version_the_banks_have_not_accepted_cannot_score(
    bank: Bank, owner: Actor, alone: ModelVersion
) -> None:
    with bank_scope(bank.pk):
        ModelVersion.objects.update(status="rejected")
    with pytest.raises(Refused) as refused:
        versions.choose_scoring_version(bank=bank, actor=owner, version_id=alone.pk, reason="hope")
    assert refused.value.code == "version_not_accepted"


def test_a_changed_artifact_does_not_score(bank: Bank, alone: ModelVersion) -> None:
    from banks.services import scorers

    scorers._model.cache_clear()
    scorers._stored.cache_clear()
    with bank_scope(bank.pk):
        changed = bytes(alone.artifact)[:-1] + b"?"
        ModelVersion.objects.update(artifact=changed)
        with pytest.raises(Refused) as refused:
            scorer_of(alone)
    assert refused.value.code == "artifact_changed"
