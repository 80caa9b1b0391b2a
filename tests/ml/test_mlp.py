import numpy as np
import pytest

from banks.ml.encoding import Standardiser, statistics
from banks.ml.examples import Examples, prepare
from banks.ml.explanation import reasons, typical_values
from banks.ml.models import (
    MLP,
    ModelSpec,
    apply_update,
    initial_parameters,
    mlp_spec,
    parameter_count,
    predict_logits,
)
from banks.ml.ranking import average_precision, sigmoid
from banks.ml.training import TrainingPlan, fit_local, local_update, torch_module
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

SPEC = mlp_spec(tuple(f"f{i}" for i in range(6)), hidden=(16, 8))
KNOWN_START = [0.5908571481704712, 0.16225288808345795, -0.4395289719104767]  # of seed 5
PLAN = TrainingPlan(epochs=8, batch_size=128, learning_rate_ppm=5000)


@pytest.fixture(scope="module")
def data():
    X, y, ids = world()
    encoder = Standardiser.from_sums(statistics(X))
    return encoder, X, y, prepare(encoder, X, y, ids, seed=1)


@pytest.fixture(scope="module")
def fitted(data):
    encoder, _, _, examples = data
    X, y, ids = world(seed=9)
    validation = prepare(encoder, X, y, ids, seed=1, rate=1.0)
    return fit_local(SPEC, examples, validation, PLAN, seed=3)


def test_the_default_has_between_two_and_five_thousand_parameters():
    for features in (25, 60):
        assert 2000 <= parameter_count(mlp_spec(tuple(map(str, range(features))))) <= 5000


def test_initial_parameters_are_known_bytes_of_the_public_seed():
    first = initial_parameters(SPEC, seed=5)
    assert first.tobytes() == initial_parameters(SPEC, seed=5).tobytes()
    assert first.tobytes() != initial_parameters(SPEC, seed=6).tobytes()
    assert first[:3].tolist() == pytest.approx(KNOWN_START, abs=0)


def test_numpy_scores_as_torch_does(data, fitted):
    import torch

    _, _, _, examples = data
    module = torch_module(SPEC, fitted.parameters)
    ours = predict_logits(SPEC, fitted.parameters, examples.inputs)
    with torch.no_grad():
        single = module(torch.from_numpy(examples.inputs))[:, 0].numpy()
        double = module.double()(torch.from_numpy(examples.inputs).double())[:, 0].numpy()
    assert np.abs(ours - double).max() < 1e-12
    assert np.abs(sigmoid(ours) - sigmoid(single)).max() < 1e-6


def test_training_alone_learns_and_repeats_to_the_byte(data, fitted):
    encoder, _, _, examples = data
    X, y, ids = world(seed=9)
    validation = prepare(encoder, X, y, ids, seed=1, rate=1.0)
    again = fit_local(SPEC, examples, validation, PLAN, seed=3)
    assert again.parameters.tobytes() == fitted.parameters.tobytes()
    logits = MLP(SPEC, encoder, fitted.parameters).logits(X)
    assert average_precision(logits, y) > 3 * y.mean()


def test_training_alone_reports_every_epoch_and_keeps_the_best(data):
    _encoder, _X, _y, examples = data
    seen = []
    result = fit_local(
        SPEC,
        examples,
        examples,
        TrainingPlan(epochs=4, learning_rate_ppm=5000),
        seed=1,
        progress=seen.append,
    )
    assert [step.epoch for step in seen] == [1, 2, 3, 4]
    assert result.history == seen
    best = min(seen, key=lambda step: step.validation_loss)
    assert result.best_epoch == best.epoch


def test_training_stops_when_validation_no_longer_improves(data):
    _encoder, _, _, examples = data
    upside_down = Examples(examples.inputs, 1 - examples.labels)
    plan = TrainingPlan(epochs=50, patience=2, learning_rate_ppm=20_000)
    result = fit_local(SPEC, examples, upside_down, plan, seed=1)
    assert len(result.history) < 50


def test_sampling_genuine_rows_leaves_the_predicted_number_of_frauds_right(data):
    encoder, X, y, _ = data
    X, y, ids = world(rows=12_000, seed=4)
    examples = prepare(encoder, X, y, ids, seed=1, rate=0.25)
    assert len(examples) < 0.5 * len(y)
    assert examples.frauds == y.sum()
    fitted = fit_local(SPEC, examples, examples, PLAN, seed=2)
    predicted = sigmoid(MLP(SPEC, encoder, fitted.parameters).logits(X)).sum()
    assert predicted == pytest.approx(y.sum(), rel=0.15)


def test_one_class_alone_is_refused(data):
    _, _, _, examples = data
    genuine = Examples(examples.inputs, np.zeros_like(examples.labels))
    with pytest.raises(Refused) as refusal:
        fit_local(SPEC, genuine, examples, PLAN, seed=1)
    assert refusal.value.code == "one_class"


def test_no_labelled_row_is_refused(data):
    encoder, X, y, _ = data
    with pytest.raises(Refused):
        prepare(encoder, X, np.full_like(y, -1), np.arange(len(y)).astype(str), seed=1)


def test_a_round_of_averaged_updates_improves_on_its_start(data):
    encoder, X, y, examples = data
    parameters = initial_parameters(SPEC, seed=1)
    before = average_precision(predict_logits(SPEC, parameters, encoder.encode(X)), y)
    half = len(examples) // 2
    banks = [
        Examples(examples.inputs[part], examples.labels[part], examples.rate)
        for part in (slice(None, half), slice(half, None))
    ]
    for round_index in range(3):
        updates = [
            local_update(SPEC, parameters, bank, PLAN, round_index=round_index, seed=seed)
            for seed, bank in enumerate(banks)
        ]
        total = sum(update.weight for update in updates)
        mean = sum(update.weight / total * update.delta for update in updates)
        parameters = apply_update(parameters, mean)
    after = average_precision(predict_logits(SPEC, parameters, encoder.encode(X)), y)
    assert after > before + 0.2


def test_a_local_update_repeats_to_the_byte_and_depends_on_its_seed(data):
    _, _, _, examples = data
    start = initial_parameters(SPEC, seed=1)
    plan = TrainingPlan(epochs=1)
    first, second, other = (
        local_update(SPEC, start, examples, plan, round_index=0, seed=seed) for seed in (1, 1, 2)
    )
    assert first.delta.dtype == np.float64
    assert first.delta.shape == (parameter_count(SPEC),)
    assert first.delta.tobytes() == second.delta.tobytes()
    assert first.delta.tobytes() != other.delta.tobytes()


def test_fedprox_stays_nearer_to_the_round_than_fedavg(data):
    _, _, _, examples = data
    start = initial_parameters(SPEC, seed=1)
    free = local_update(SPEC, start, examples, TrainingPlan(), round_index=0, seed=1)
    pulled = local_update(
        SPEC, start, examples, TrainingPlan(proximal_ppm=1_000_000), round_index=0, seed=1
    )
    assert np.linalg.norm(pulled.delta) < np.linalg.norm(free.delta)


def test_an_applied_update_has_the_same_bytes_everywhere_and_refuses_infinity():
    start = np.array([0.1, -2.5], dtype=np.float32)
    applied = apply_update(start, np.array([1e-9, 0.5]))
    assert applied.tobytes() == np.array([0.1, -2.0], dtype="<f4").tobytes()
    with pytest.raises(Refused):
        apply_update(start, np.array([np.inf, 0.0]))


def test_parameters_of_another_length_are_refused():
    with pytest.raises(Refused):
        predict_logits(SPEC, np.zeros(3), np.zeros((1, SPEC.inputs)))


def test_reasons_add_up_to_the_difference_from_a_typical_transaction(data, fitted):
    encoder, X, y, _ = data
    model = MLP(SPEC, encoder, fitted.parameters)
    typical = typical_values(X)
    for row in X[np.flatnonzero(y)[:20]]:
        shares = model.contributions(row, typical)
        difference = np.subtract(*model.logits(np.vstack([row, typical])))
        assert shares.sum() == pytest.approx(difference, abs=0.01 * abs(difference) + 0.01)


def test_reasons_are_sorted_and_name_value_and_typical_value(data, fitted):
    encoder, X, _, _ = data
    model = MLP(SPEC, encoder, fitted.parameters)
    typical = typical_values(X)
    row = typical.copy()
    row[1], row[4] = 1e12, np.nan
    found = reasons(model, row, typical, strongest=3)
    assert found[0].feature == "f1"
    assert (found[0].value, found[0].typical) == (1e12, pytest.approx(typical[1]))
    sizes = [abs(reason.contribution) for reason in found]
    assert sizes == sorted(sizes, reverse=True)
    assert {reason.feature: reason.value for reason in found}["f4"] is None


def test_plans_and_specs_survive_json_and_refuse_anything_else():
    assert TrainingPlan.from_json(PLAN.to_json()) == PLAN
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC
    for body in (None, {}, {**PLAN.to_json(), "epochs": 0}, {**PLAN.to_json(), "epochs": 1.5}):
        with pytest.raises(Refused):
            TrainingPlan.from_json(body)
    for change in ({"family": "?"}, {"features": ["a", "a"]}, {"inputs": True}, {"hidden": [0]}):
        with pytest.raises(Refused):
            ModelSpec.from_json({**SPEC.to_json(), **change})
