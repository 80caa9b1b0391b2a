"""The matrix, the rows it opens and the file of them are one count."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from banks.ml.evaluation import GRID
from banks.ml.scored import CELLS
from banks.models import Evaluation, ModelVersion
from banks.selectors import drilldown, performance, together
from banks.services import datasets, training, versions
from banks.services.scorers import scorer_of
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from tests.banks import world

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


class Blurred:
    """Another model: the own one's scores, each moved a little."""

    def __init__(self, scorer: Any) -> None:
        self.scorer, self.features = scorer, scorer.features

    def logits(self, X: Any) -> Any:
        return self.scorer.logits(X) + np.random.default_rng(3).normal(0, 2.5, len(X))


@pytest.fixture
def both(bank: Bank, owner: Actor) -> list[ModelVersion]:
    """The own model, and the consortium's."""
    world.with_history(bank, rows=2500)
    run = training.request_training(bank=bank, actor=owner)
    training.run_training(bank=bank, run_id=run.pk)
    recipe = world.recipe_of(bank)
    with bank_scope(bank.pk):
        alone = ModelVersion.objects.get()
        new = versions.NewVersion(
            origin="consortium",
            family="mlp",
            artifact=bytes(alone.artifact),
            recipe=recipe,
            parameters=alone.parameters,
            scorer=Blurred(scorer_of(alone)),  # type: ignore[arg-type]
        )
    prepared = datasets.prepare(bank, recipe)
    consortium, _ = versions.add_consortium_version(bank=bank, new=new, prepared=prepared)
    return [alone, consortium]


def file_of(client: Client, version: ModelVersion, **query: Any) -> list[dict[str, str]]:
    address = reverse("banks:export-rows", args=[version.bank.slug, version.number])
    answer = client.get(address, query)
    assert answer.content.startswith("\ufeff".encode())
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_matrix_rows_and_file_agree_at_twenty_thresholds_for_both_models(
    bank: Bank, both: list[ModelVersion], sign_in: SignIn
) -> None:
    client = sign_in("ren")
    cuts = [0, GRID.bins, *np.random.default_rng(11).integers(1, GRID.bins, 18).tolist()]
    for version in both:
        for cut in cuts:
            with bank_scope(bank.pk):
                figures = performance.figures_of(version, cut=cut)
                assert figures is not None
                window = drilldown.window_of(figures.evaluation)
                assert window is not None
                opened = {cell: window.rows.cell(cell, cut) for cell in CELLS}
                parts = drilldown.splits(window)
            cell = list(CELLS)[cut % 4]
            assert {name: int(which.sum()) for name, which in opened.items()} == {
                name: getattr(figures.confusion, name) for name in CELLS
            }
            lines = file_of(client, version, cell=cell, cut=cut)
            assert len(lines) == getattr(figures.confusion, cell)
            assert sum(int(line["amount"]) for line in lines) == int(
                window.rows.amounts[opened[cell]].sum()
            )
            by_channel = [one.confusion(cut) for one in parts if one.kind == "channel"]
            assert sum(getattr(one, cell) for one in by_channel) == len(lines)


def test_a_cell_opens_its_transactions_with_a_chip_and_pages(
    bank: Bank, both: list[ModelVersion], sign_in: SignIn
) -> None:
    version = both[1]
    client = sign_in("aiko")
    address = reverse("banks:rows", args=[bank.slug, version.number])
    query: dict[str, Any] = {"cell": "tn", "cut": 256}
    seen = 0
    while query:
        answer = client.get(address, query)
        found = answer.context["found"]
        seen += len(found.rows)
        query = {**query, "after": found.next_after} if found.next_after else {}
    assert seen == found.total
    only = client.get(address, {"cell": "tn", "cut": 256, "split": "channel", "value": "card"})
    rows = only.context["found"].rows
    assert rows
    assert {row.transaction.channel for row in rows} == {"card"}
    assert "cell=tn&amp;cut=256" in only.content.decode(), "the chip takes the filter away"
    assert client.get(address, {"cell": "all"}).status_code == 404
    assert (
        client.get(address, {"cell": "tn", "split": "channel", "value": "pigeon"}).status_code
        == 404
    )


def test_whose_frauds_each_model_caught_are_the_comparison_s_counts(
    bank: Bank, both: list[ModelVersion], sign_in: SignIn
) -> None:
    consortium = both[1]
    with bank_scope(bank.pk):
        comparison = together.newest_comparison(consortium)
        assert comparison is not None
        found = together.pairing(comparison)
        assert found is not None
    assert found.counts() == {who: getattr(comparison, f"caught_by_{who}") for who in together.WHO}
    assert sum(part.frauds for part in found.months("UTC")) == sum(found.counts().values())
    client = sign_in("ren")
    page = client.get(reverse("banks:together", args=[bank.slug]))
    assert page.status_code == 200
    for who, count in found.counts().items():
        address = reverse("banks:caught", args=[bank.slug, consortium.number])
        assert client.get(address, {"by": who}).context["found"].total == count
        file = reverse("banks:export-caught", args=[bank.slug, consortium.number])
        lines = client.get(file, {"by": who}).content.decode("utf-8-sig").splitlines()
        assert len(lines) - 1 == count


def test_versions_judged_on_different_windows_are_not_compared(
    bank: Bank, both: list[ModelVersion], sign_in: SignIn
) -> None:
    with bank_scope(bank.pk):
        of_alone = Evaluation.objects.filter(version=both[0], window="test")
        later = of_alone.get().window_until + timedelta(days=1)
        of_alone.update(window_until=later)
    page = sign_in("ren").get(reverse("banks:together", args=[bank.slug])).content.decode()
    assert "v1 (alone) was judged on another period" in page
    assert '<th scope="row"><a href="/bank/sakura/performance/?version=1"' not in page


def test_who_takes_a_file_is_written_down_and_who_may_not_open_is_told(
    bank: Bank, both: list[ModelVersion], sign_in: SignIn
) -> None:
    file_of(sign_in("sora"), both[0], cell="tp", cut=256)
    entry = AuditEntry.objects.filter(bank=bank, verb="table.exported").get()
    assert entry.facts["cell"] == "tp"
    page = sign_in("yui").get(reverse("banks:performance", args=[bank.slug]))
    assert "/rows/" not in page.content.decode()
    assert b"Analysts, leads and auditors can open each cell." in page.content


def test_a_threshold_follows_what_is_aimed_at_and_the_real_share_of_fraud(
    bank: Bank, both: list[ModelVersion], sign_in: SignIn
) -> None:
    client, address = sign_in("ren"), reverse("banks:performance", args=[bank.slug])
    asked = {"version": both[1].number}
    few = client.get(address, {**asked, "aim": "reviews", "reviews": 0.5}).context["studio"]
    assert few.alerts_a_day <= 0.5
    caught = client.get(address, {**asked, "aim": "recall", "recall": 60}).context["studio"]
    assert caught.figures.confusion.recall >= 0.6
    best = client.get(address, {**asked, "aim": "value"}).context["studio"]
    assert best.value_a_day == round(best.values.max() / best.figures.days)
    sure = client.get(address, {**asked, "aim": "precision", "precision": 80}).context["studio"]
    assert sure.precision >= 0.8
    rare = client.get(address, {**asked, "cut": sure.figures.cut, "prevalence": 0.01})
    assert rare.context["studio"].figures.confusion == sure.figures.confusion
    assert rare.context["studio"].precision < sure.precision
    assert rare.context["studio"].figures.confusion.recall == sure.figures.confusion.recall
    assert client.get(address, {**asked, "prevalence": "lots"}).status_code == 422
