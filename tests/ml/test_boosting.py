import numpy as np
import pytest

from banks.ml.artifact import ModelArtifact
from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.examples import Examples, prepare_bins
from banks.ml.models.trees import Trees
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from banks.ml.ranking import average_precision, sigmoid
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

X, Y, IDS = world(rows=12_000)
NAMES = tuple(f"f{i}" for i in range(6))
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))
PLAN = TreePlan(trees=12, depth=3, learning_rate_ppm=300_000, seed=4)
ALL = prepare_bins(ENCODER, X, Y, IDS, seed=1, rate=0.5)


def divided(examples, parts=5):
    owner = np.random.default_rng(0).integers(0, parts, len(examples))
    return [
        Examples(examples.inputs[owner == bank], examples.labels[owner == bank], examples.rate)
        for bank in range(parts)
    ]


@pytest.fixture(scope="module")
def pooled():
    return fit_trees(NAMES, ENCODER, [ALL], [ALL], PLAN)


def test_federated_trees_are_the_pooled_ones_bit_for_bit(pooled):
    federated = fit_trees(NAMES, ENCODER, divided(ALL), divided(ALL), PLAN)
    assert ModelArtifact(federated).to_bytes() == ModelArtifact(pooled).to_bytes()


def test_a_leaf_holds_what_its_rows_say():
    one = fit_trees(NAMES, ENCODER, [ALL], [], TreePlan(trees=1, depth=1, feature_share_ppm=10**6))
    feature, cut = int(one.forest.feature[0, 0]), int(one.forest.cut[0, 0])
    found = ALL.inputs[:, feature]
    right = np.where(found == 0, one.forest.missing_right[0, 0], found > cut)
    p = sigmoid(one.forest.base + ALL.offset)
    for side, value in zip((~right, right), one.forest.value[0], strict=True):
        gradient, hessian = (p - ALL.labels[side]).sum(), side.sum() * p * (1 - p)
        assert value == pytest.approx(-0.1 * gradient / (hessian + 2), rel=1e-4)


def test_no_other_first_split_gains_more():
    plan = TreePlan(trees=1, depth=1, feature_share_ppm=10**6)
    one = fit_trees(NAMES, ENCODER, [ALL], [], plan)
    p = sigmoid(one.forest.base + ALL.offset)

    def gain(right):
        score = 0.0
        for side in (right, ~right):
            hessian = side.sum() * p * (1 - p)
            if hessian < 5:
                return -np.inf
            score += (p - ALL.labels[side]).sum() ** 2 / (hessian + 2)
        return score

    gains = []
    for feature in range(6):
        found = ALL.inputs[:, feature]
        for cut in range(1, found.max()):
            gains += [gain(found > cut), gain((found > cut) | (found == 0))]
    feature, cut = one.forest.feature[0, 0], one.forest.cut[0, 0]
    found = ALL.inputs[:, feature]
    ours = gain(np.where(found == 0, one.forest.missing_right[0, 0], found > cut))
    assert ours == pytest.approx(max(gains), rel=1e-6)


def test_trees_learn_and_keep_the_rate_of_fraud(pooled):
    assert average_precision(pooled.logits(X), Y) > 5 * Y.mean()
    assert sigmoid(pooled.logits(X)).sum() == pytest.approx(Y.sum(), rel=0.15)


def test_growing_stops_when_validation_no_longer_improves():
    shuffled = np.random.default_rng(0).permutation(ALL.labels)
    unlike = Examples(ALL.inputs, shuffled, ALL.rate)
    plan = TreePlan(trees=60, depth=3, patience=3)
    model = fit_trees(NAMES, ENCODER, [ALL], [unlike], plan)
    assert 1 <= len(model.forest.feature) < 50


def test_a_row_scores_alike_alone_and_in_company(pooled):
    together = pooled.logits(X[:300])
    assert [pooled.logits(row[None])[0] for row in X[:300]] == together.tolist()
    assert np.array_equal(pooled.logits(X[:5]), together[:5])


def test_scores_follow_the_decisions_of_each_tree(pooled):
    forest = pooled.forest
    for row in X[:50]:
        bins = ENCODER.bins(row[None])[0]
        right = forest.goes_right(bins)
        total = forest.base
        for tree in range(len(forest.value)):
            node = 0
            while node < forest.feature.shape[1]:
                node = 2 * node + 1 + int(right[tree, node])
            total += forest.value[tree, node - forest.feature.shape[1]]
        assert pooled.logits(row[None])[0] == total


def test_reasons_are_exact_shapley_values(pooled):
    from itertools import combinations
    from math import factorial

    typical = np.nanmedian(X, axis=0)
    row = X[np.flatnonzero(Y)[0]].copy()
    row[3] = np.nan

    def value(chosen):
        mixed = typical.copy()
        mixed[list(chosen)] = row[list(chosen)]
        return pooled.logits(mixed[None])[0]

    for feature in range(6):
        others = [other for other in range(6) if other != feature]
        share = sum(
            factorial(size)
            * factorial(5 - size)
            / factorial(6)
            * (value((*chosen, feature)) - value(chosen))
            for size in range(6)
            for chosen in combinations(others, size)
        )
        assert pooled.contributions(row, typical)[feature] == pytest.approx(share, abs=1e-9)


def test_trees_travel_in_a_file_and_broken_ones_are_refused(pooled):
    again = ModelArtifact.from_bytes(ModelArtifact(pooled).to_bytes()).model
    assert isinstance(again, Trees)
    assert np.array_equal(again.logits(X), pooled.logits(X))
    for name, broken in (("feature", pooled.forest.feature + 9), ("value", np.zeros((1, 1)))):
        with pytest.raises(Refused):
            Trees.from_arrays(pooled.spec, ENCODER, {**pooled.arrays(), name: broken})
