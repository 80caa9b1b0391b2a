import itertools

import numpy as np
import pytest

from banks.ml.artifact import ModelArtifact
from banks.ml.encoding import Standardiser, statistics
from banks.ml.examples import prepare
from banks.ml.linear import solve, symmetric, triangle_length, upper_triangle
from banks.ml.models.logistic import Logistic
from banks.ml.newton import NewtonState, fit_logistic, newton_step, newton_sums
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from banks.ml.ranking import average_precision, log_loss, sigmoid
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

X, Y, IDS = world(rows=12_000)
NAMES = tuple(f"f{i}" for i in range(6))
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))
SIZES = (0, 5000, 8000, 10_500, 11_500, 12_000)


def banks(rate=0.5):
    return [
        prepare(ENCODER, X[a:b], Y[a:b], IDS[a:b], seed=1, rate=rate)
        for a, b in itertools.pairwise(SIZES)
    ]


@pytest.fixture(scope="module")
def federated():
    return fit_logistic(NAMES, ENCODER, banks())


def test_solving_agrees_with_lapack():
    generator = np.random.default_rng(0)
    half = generator.normal(size=(40, 30))
    matrix, vector = half.T @ half + np.eye(30), generator.normal(size=30)
    assert solve(matrix, vector) == pytest.approx(np.linalg.solve(matrix, vector))
    assert np.array_equal(symmetric(upper_triangle(matrix), 30), matrix)
    assert len(upper_triangle(matrix)) == triangle_length(30)


def test_a_matrix_that_no_data_have_is_refused():
    with pytest.raises(Refused):
        solve(-np.eye(2), np.ones(2))


def test_federated_is_pooled_training(federated):
    pooled = fit_logistic(NAMES, ENCODER, [prepare(ENCODER, X, Y, IDS, seed=1, rate=0.5)])
    difference = np.abs(sigmoid(federated.logits(X)) - sigmoid(pooled.logits(X)))
    assert difference.max() < 1e-5


def test_it_ends_where_scikit_learn_does():
    from sklearn.linear_model import LogisticRegression

    examples = prepare(ENCODER, X, Y, IDS, seed=1, rate=1.0)
    ours = fit_logistic(NAMES, ENCODER, [examples], rounds=10, penalty=3.0)
    theirs = LogisticRegression(C=1 / 3, max_iter=1000, tol=1e-8)
    theirs.fit(examples.inputs.astype(np.float64), examples.labels)
    expected = theirs.decision_function(examples.inputs.astype(np.float64))
    assert np.abs(sigmoid(ours.logits(X)) - sigmoid(expected)).max() < 2e-3


def test_it_learns_and_keeps_the_rate_of_fraud(federated):
    assert average_precision(federated.logits(X), Y) > 5 * Y.mean()
    assert sigmoid(federated.logits(X)).sum() == pytest.approx(Y.sum(), rel=0.1)


def test_a_bank_without_fraud_may_take_part():
    without = prepare(ENCODER, X[Y == 0][:500], np.zeros(500, int), IDS[:500], seed=1)
    model = fit_logistic(NAMES, ENCODER, [*banks(), without])
    assert np.isfinite(model.weights).all()


def test_a_step_that_made_it_worse_is_taken_back():
    one = banks()
    state = NewtonState.start(ENCODER.width)
    good = newton_step(state, sum(newton_sums(state, bank) for bank in one))
    too_far = NewtonState(good.weights * 50, good.best, good.best_loss)
    back = newton_step(too_far, sum(newton_sums(too_far, bank) for bank in one))
    assert np.allclose(back.weights, (too_far.weights + good.best) / 2)


def test_sums_of_another_length_are_refused():
    with pytest.raises(Refused):
        newton_step(NewtonState.start(3), np.zeros(4, dtype=np.int64))


def test_it_works_on_standardised_features_too():
    encoder = Standardiser.from_sums(statistics(X))
    model = fit_logistic(NAMES, encoder, [prepare(encoder, X, Y, IDS, seed=1)])
    examples = prepare(encoder, X, Y, IDS, seed=1)
    assert log_loss(model.logits(X), Y) < 0.8 * log_loss(np.full(len(Y), -3.0), Y)
    assert len(examples) == len(Y)


def test_reasons_are_exact(federated):
    typical = np.nanmedian(X, axis=0)
    for row in X[:20]:
        difference = np.subtract(*federated.logits(np.vstack([row, typical])))
        assert federated.contributions(row, typical).sum() == pytest.approx(difference, abs=1e-5)


def test_curves_say_what_the_model_does(federated):
    curve = next(curve for curve in federated.curves if curve.feature == "f1")
    rows = np.full((len(curve.at), 6), np.nan)
    rows[:, 1] = curve.at
    alone = federated.logits(rows) - federated.logits(np.full((1, 6), np.nan))
    assert alone + curve.adds_when_missing == pytest.approx(curve.adds, abs=1e-6)


def test_it_travels_in_a_file(federated):
    content = ModelArtifact(federated).to_bytes()
    again = ModelArtifact.from_bytes(content).model
    assert isinstance(again, Logistic)
    assert np.array_equal(again.logits(X), federated.logits(X))
