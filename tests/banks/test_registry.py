"""A version's way: tested, shadowed, exported, with a card that says what it is."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from banks.ml.artifact import ModelArtifact
from banks.models import (
    Alert,
    BankSettings,
    Import,
    ImportStatus,
    ModelVersion,
    ShadowScore,
    TrainingRun,
    Transaction,
)
from banks.selectors.shadow import agreement_of
from banks.services import acceptance, batch_scoring, datasets, shadow, training
from banks.services.scorers import scorer_of
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import world
from tests.banks.test_performance import alone, from_the_consortium

__all__ = ["alone"]
pytestmark = pytest.mark.django_db


def test_a_challenger_scores_along_and_raises_nothing(
    bank: Bank, owner: Actor, alone: ModelVersion
) -> None:
    challenger = from_the_consortium(bank, alone)
    with pytest.raises(Refused, match="scores already"):
        shadow.start_shadow(bank=bank, actor=owner, version_id=alone.pk)
    shadow.start_shadow(bank=bank, actor=owner, version_id=challenger.pk)
    with bank_scope(bank.pk):
        source = Import.objects.create(bank=bank, file_name="new.csv", status=ImportStatus.DONE)
        newest = Transaction.objects.order_by("-time").values_list("pk", flat=True)[:300]
        Transaction.objects.filter(pk__in=list(newest)).update(source=source, label=None)
    raised = batch_scoring.score_waiting(bank=bank)
    with bank_scope(bank.pk):
        assert set(Alert.objects.values_list("version", flat=True)) <= {alone.pk}
        assert Alert.objects.count() == raised > 0
        assert ShadowScore.objects.filter(version=challenger, champion=alone).count() == 300
        found = agreement_of(challenger)
        assert found is not None
        assert found.rows == 300
        assert found.neither + found.both.alerts >= 300 * found.share  # type: ignore[operator]
        assert found.both.alerts + found.only_champion.alerts == raised
    shadow.stop_shadow(bank=bank, actor=owner)
    with bank_scope(bank.pk):
        assert BankSettings.objects.get().shadow_version is None
        assert agreement_of(challenger) is not None, "what it said stays"
    with pytest.raises(Refused, match="No challenger"):
        shadow.stop_shadow(bank=bank, actor=owner)


def test_a_candidate_is_tested_against_the_best_and_the_result_is_kept(
    bank: Bank, alone: ModelVersion
) -> None:
    recipe = world.recipe_of(bank)
    prepared = datasets.prepare(bank, recipe)
    artifact = ModelArtifact.from_bytes(bytes(alone.artifact))
    with bank_scope(bank.pk):
        run = TrainingRun.objects.create(bank=bank, phase="consortium", status="running")
    first = acceptance.examine(bank, run, artifact, recipe, prepared)
    assert first.accepted
    assert first.against is None
    from_the_consortium(bank, alone)
    with bank_scope(bank.pk):
        ModelVersion.objects.filter(origin="consortium").update(status="published")
    again = acceptance.examine(bank, run, artifact, recipe, prepared)
    assert again.accepted
    run.refresh_from_db()
    checks = run.result["acceptance"]["checks"]
    assert checks[0]["kind"] == "all"
    assert {one["kind"] for one in checks} == {"all", "channel", "amount"}


def test_the_model_can_be_taken_along_and_says_what_ours_says(
    bank: Bank, alone: ModelVersion, sign_in: Callable[[str], Client]
) -> None:
    from_the_consortium(bank, alone)
    owner = sign_in("yui")
    prepared = datasets.prepare(bank, world.recipe_of(bank))
    for number in (1, 2, 3):
        answer = owner.get(reverse("banks:model-onnx", args=[bank.slug, number]))
        assert answer.status_code == 200
        with bank_scope(bank.pk):
            ours = scorer_of(ModelVersion.objects.get(number=number))
        session = onnxruntime.InferenceSession(answer.content, providers=["CPUExecutionProvider"])
        rows = prepared.test.X[:500]
        [logit] = session.run(["logit"], {"features": rows})
        assert np.abs(logit - ours.logits(rows)).max() < 1e-5
    assert sign_in("aiko").get(reverse("banks:model-onnx", args=[bank.slug, 1])).status_code == 403


def test_a_card_says_the_same_on_the_page_and_in_the_file(
    bank: Bank, alone: ModelVersion, sign_in: Callable[[str], Client]
) -> None:
    world_of = sign_in("yui")
    page = world_of.get(reverse("banks:model-card", args=[bank.slug, 1]))
    assert page.status_code == 200
    assert alone.artifact_sha256 in page.content.decode()
    card = json.loads(world_of.get(reverse("banks:model-card-file", args=[bank.slug, 1])).content)
    assert card["lineage"]["seed"] == alone.lineage["seed"]
    assert card["lineage"]["code"]
    assert card["evaluation"]["standing"]["frauds"] == card["evaluation"]["frauds"] > 0
    assert {part["kind"] for part in card["evaluation"]["segments"]} == {"channel", "amount"}


def test_a_version_is_tested_for_leakage_before_it_is_offered(
    bank: Bank, owner: Actor, settings: LazySettings, sign_in: Callable[[str], Client]
) -> None:
    settings.LEAKAGE_SHADOWS = 8
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=owner)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        found = ModelVersion.objects.get().leakage
    assert found["shadows"] == 8
    assert found["found"]["rows"] > 50
    assert found["control"]["auc"] > 0.7
    page = sign_in("sora").get(reverse("banks:model-card", args=[bank.slug, 1]))
    assert "control that learned by heart" in page.content.decode()
