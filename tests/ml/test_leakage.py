"""The attack catches a model that learned by heart, and finds nothing in one that could not."""

import numpy as np
import pytest

from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.encoding import Standardiser, statistics
from banks.ml.examples import prepare, prepare_bins
from banks.ml.models import MLP, Blend, initial_parameters, mlp_spec
from banks.ml.newton import fit_logistic
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from banks.ml.privacy.audit import audit_model
from banks.ml.privacy.lira import halves, leakage, ratios
from banks.ml.segments import Segment
from tests.ml.worlds import world

X, Y, IDS = world(rows=2500)
NAMES = tuple(f"f{i}" for i in range(6))
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))


def logistic():
    return fit_logistic(NAMES, ENCODER, [prepare(ENCODER, X, Y, IDS, seed=1, rate=1.0)])


def blend():
    bins = prepare_bins(ENCODER, X, Y, IDS, seed=1, rate=1.0)
    trees = fit_trees(NAMES, ENCODER, [bins], [], TreePlan(trees=5, depth=3))
    return Blend((logistic(), trees), np.array([0.5, 0.5]))


def perceptron():
    spec = mlp_spec(NAMES, (8,))
    encoder = Standardiser.from_sums(statistics(X))
    return MLP(spec, encoder, initial_parameters(spec, 1))


@pytest.mark.parametrize("make", [logistic, blend, perceptron])
def test_restrained_models_are_quiet_and_the_control_is_caught(make):
    web = Segment("channel", "web", np.arange(len(Y)) % 3 == 0)
    found = audit_model(make(), X, Y, [web], count=8)
    assert found.found.auc < 0.60 < 0.70 <= found.control.auc
    assert found.verdict == "quiet"
    assert found.found.rows == (Y == 1).sum()
    assert found.segments[0].found.rows < found.found.rows
    assert found.to_json()["control"]["interval"]["low"] > 0.6


def test_every_row_is_in_half_of_the_shadows():
    member = halves(100, 8, seed=2)
    assert (member.sum(axis=0) == 4).all()


def test_a_shift_by_membership_is_found_and_noise_is_not():
    generator = np.random.default_rng(0)
    member = halves(400, 16, seed=1)
    noise = generator.normal(size=member.shape) + generator.normal(size=400) * 5
    everyone = np.ones(400, dtype=bool)
    nothing = leakage(ratios(noise, member), member, everyone)
    assert nothing.interval.low < 0.5 + 0.03
    assert abs(nothing.auc - 0.5) < 0.03
    plain = leakage(ratios(noise + 2.0 * member, member), member, everyone)
    assert plain.interval.low > 0.85


def test_few_frauds_are_not_tested():
    assert audit_model(logistic(), X[:200], np.zeros(200, dtype=np.int8), []) is None
