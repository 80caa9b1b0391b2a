import numpy as np
import pytest

from banks.ml.artifact import ModelArtifact
from banks.ml.blending import blend_losses, blend_weight
from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.calibration import (
    Platt,
    expected_calibration_error,
    fit_isotonic,
    fit_platt,
)
from banks.ml.examples import prepare, prepare_bins
from banks.ml.models import Blend
from banks.ml.newton import fit_logistic
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from banks.ml.ranking import sigmoid
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

X, Y, IDS = world(rows=8000)
NAMES = tuple(f"f{i}" for i in range(6))
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))


@pytest.fixture(scope="module")
def parts():
    binned = prepare_bins(ENCODER, X, Y, IDS, seed=1)
    return (
        fit_logistic(NAMES, ENCODER, [prepare(ENCODER, X, Y, IDS, seed=1)]),
        fit_trees(NAMES, ENCODER, [binned], [], TreePlan(trees=5, depth=3)),
    )


def noisy(noise, seed=0, rows=40_000):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=rows) * 2 - 3
    labels = (generator.random(rows) < sigmoid(logits)).astype(np.int8)
    return logits + noise * generator.normal(size=rows), labels


def test_a_blend_is_the_weighted_mean_of_logits_and_reasons(parts):
    blend = Blend(parts, np.array([0.3, 0.7]))
    expected = 0.3 * parts[0].logits(X) + 0.7 * parts[1].logits(X)
    assert blend.logits(X) == pytest.approx(expected)
    row, typical = X[3], np.nanmedian(X, axis=0)
    difference = np.subtract(*blend.logits(np.vstack([row, typical])))
    assert blend.contributions(row, typical).sum() == pytest.approx(difference, abs=1e-5)


def test_a_blend_travels_in_a_file(parts):
    blend = Blend(parts, np.array([0.5, 0.5]))
    again = ModelArtifact.from_bytes(ModelArtifact(blend).to_bytes()).model
    assert isinstance(again, Blend)
    assert np.array_equal(again.logits(X), blend.logits(X))


def test_parts_that_do_not_fit_are_refused(parts):
    for weights in ([0.5, 0.6], [1.0], [-0.5, 1.5]):
        with pytest.raises(Refused):
            Blend(parts, np.array(weights))


def test_equal_models_share_the_weight_and_a_clearly_better_one_gets_more():
    good, labels = noisy(0.0)
    bad = good + 4 * np.random.default_rng(5).normal(size=len(good))
    assert blend_weight(blend_losses(good, good, labels)) == 0.5
    assert blend_weight(blend_losses(good, bad, labels)) == 1.0
    assert blend_weight(blend_losses(bad, good, labels)) == 0.0


def test_the_weight_comes_from_the_banks_sum():
    good, labels = noisy(0.0)
    bad = good + 3
    parts = [blend_losses(good[i::3], bad[i::3], labels[i::3]) for i in range(3)]
    assert blend_weight(sum(parts)) == blend_weight(blend_losses(good, bad, labels))


def test_platt_mends_a_shifted_and_stretched_logit():
    logits, labels = noisy(0.0)
    platt = fit_platt(2 * logits + 3, labels)
    assert (platt.slope, platt.shift) == (
        pytest.approx(0.5, abs=0.03),
        pytest.approx(-1.5, abs=0.1),
    )
    before = expected_calibration_error(Platt().probabilities(2 * logits + 3), labels)
    after = expected_calibration_error(platt.probabilities(2 * logits + 3), labels)
    assert after < 0.01 < before


def test_isotonic_rises_and_calibrates():
    logits, labels = noisy(0.0)
    isotonic = fit_isotonic(logits, labels)
    p = isotonic.probabilities(np.linspace(-15, 10, 500))
    assert (np.diff(p) >= 0).all()
    assert p.min() >= 0
    assert p.max() <= 1
    assert expected_calibration_error(isotonic.probabilities(logits), labels) < 0.005


def test_one_class_cannot_calibrate():
    for fit in (fit_platt, fit_isotonic):
        with pytest.raises(Refused):
            fit([0.0, 1.0], [0, 0])
