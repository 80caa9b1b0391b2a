import numpy as np
import pytest

from banks.ml.artifact import ModelArtifact
from banks.ml.examples import Examples, prepare
from banks.ml.models import ELM
from banks.ml.models.elm import HiddenLayer
from banks.ml.oneshot import fit_elm, gram_length, gram_sums, output_weights
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from banks.ml.ranking import average_precision, sigmoid
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

X, Y, IDS = world(rows=12_000)
NAMES = tuple(f"f{i}" for i in range(6))
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))
ALL = prepare(ENCODER, X, Y, IDS, seed=1, rate=0.5)


def divided(parts=4):
    owner = np.random.default_rng(0).integers(0, parts, len(ALL))
    return [
        Examples(ALL.inputs[owner == bank], ALL.labels[owner == bank], ALL.rate)
        for bank in range(parts)
    ]


@pytest.fixture(scope="module")
def machine():
    return fit_elm(NAMES, ENCODER, [ALL], seed=7, neurons=32)


def test_one_federated_round_is_pooled_training(machine):
    federated = fit_elm(NAMES, ENCODER, divided(), seed=7, neurons=32)
    assert np.abs(sigmoid(federated.logits(X)) - sigmoid(machine.logits(X))).max() < 1e-4


def test_it_is_ridge_regression_of_the_labels(machine):
    outputs = machine.hidden.outputs(ALL.inputs).astype(np.float64)
    ridge = np.linalg.solve(
        outputs.T @ outputs + 10 * np.eye(outputs.shape[1]), outputs.T @ ALL.labels
    )
    ours = outputs @ machine.weights
    assert np.corrcoef(ours, outputs @ ridge)[0, 1] == pytest.approx(1, abs=1e-6)


def test_its_scores_are_logits(machine):
    assert average_precision(machine.logits(X), Y) > 4 * Y.mean()
    assert sigmoid(machine.logits(X)).sum() == pytest.approx(Y.sum(), rel=0.4)


def test_the_hidden_layer_is_the_seeds():
    first, again, other = (HiddenLayer.from_seed(8, 5, seed) for seed in (1, 1, 2))
    assert first.weights.tobytes() == again.weights.tobytes()
    assert first.weights.tobytes() != other.weights.tobytes()
    assert HiddenLayer.from_seed(200, 100, 1).weights.var() == pytest.approx(1 / 20, rel=0.05)


def test_reasons_add_up(machine):
    typical = np.nanmedian(X, axis=0)
    for row in X[:20]:
        difference = np.subtract(*machine.logits(np.vstack([row, typical])))
        shares = machine.contributions(row, typical)
        assert shares.sum() == pytest.approx(difference, abs=0.01 * abs(difference) + 0.01)


def test_one_class_and_sums_of_another_length_are_refused():
    layer = HiddenLayer.from_seed(4, ENCODER.width, 1)
    genuine = Examples(ALL.inputs, np.zeros_like(ALL.labels))
    sums = gram_sums(layer, genuine)
    assert len(sums) == gram_length(4, ENCODER.width)
    for vector in (sums, sums[:-1]):
        with pytest.raises(Refused):
            output_weights(vector, 4 + ENCODER.width + 1)


def test_it_travels_in_a_file_and_a_broken_one_is_refused(machine):
    again = ModelArtifact.from_bytes(ModelArtifact(machine).to_bytes()).model
    assert isinstance(again, ELM)
    assert np.array_equal(again.logits(X), machine.logits(X))
    with pytest.raises(Refused):
        ELM.from_arrays(
            machine.spec, ENCODER, {**machine.arrays(), "hidden_bias": np.zeros(3, np.float32)}
        )
