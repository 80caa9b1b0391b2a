from dataclasses import dataclass, replace

import numpy as np
import pytest

from banks.ml import courses
from banks.ml.courses import Opened, Own, State
from banks.ml.courses.plans import NewtonPlan, to_json
from banks.ml.features import FeaturePlan, build_features
from banks.ml.features.plan import NEW
from banks.ml.features.rows import RISK_UNIT, Names, Rows
from banks.ml.features.single import AccountPast
from banks.ml.first_stage import FirstStage, half_of, plan_below
from banks.ml.ranking import average_precision
from banks.ml.sampling import row_keys, uniform
from consortium.protocol.errors import Refused
from tests.ml.transactions import some_transactions
from tests.ml.worlds import world

PLAN = FeaturePlan(first_stage=NEW)
BELOW = plan_below(PLAN)
TRAINING = to_json(NewtonPlan(rounds=3, cells=256))
WIDTH = 24


@dataclass(frozen=True)
class Window:
    X: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    accounts: np.ndarray


def window(seed, count=4000):
    X, labels, ids = world(rows=count, features=WIDTH, seed=seed)
    accounts = np.array([f"a{seed}-{number % 300}" for number in range(count)])
    return Window(X.astype(np.float32), labels, ids, accounts)


def own(seed, place=0):
    return Own(train=window(seed), validation=window(seed + 100), seed=7, place=place)


BANKS = [own(1), own(2, 1)]
COURSE = courses.first_stage_course(PLAN, TRAINING)


@pytest.fixture(scope="module")
def learned() -> FirstStage:
    return courses.learn_first_stage(COURSE, BANKS)


def test_it_knows_fraud_when_it_sees_it(learned):
    rows = BANKS[0].train
    score = learned.risk(rows.X, half_of(rows.accounts)) / RISK_UNIT
    assert average_precision(score, rows.labels) > 3 * rows.labels.mean()
    assert score.sum() == pytest.approx(rows.labels.sum(), rel=0.25)


def test_a_rows_score_never_knows_a_label_of_its_own_account(learned):
    rows = BANKS[0].train
    halves = half_of(rows.accounts)
    target = np.flatnonzero(rows.labels == 1)[0]
    labels = np.where(halves == halves[target], 0, rows.labels).astype(np.int8)
    changed = replace(BANKS[0], train=replace(rows, labels=labels))
    after = courses.learn_first_stage(COURSE, [changed, BANKS[1]])
    one = slice(target, target + 1)
    assert after.risk(rows.X[one], halves[one]) == learned.risk(rows.X[one], halves[one])
    assert after.version != learned.version


def test_it_rests_in_a_file_that_names_it(learned):
    again = FirstStage.from_bytes(learned.to_bytes())
    assert (again.version, again.plan) == (learned.version, BELOW)
    rows = BANKS[1].train
    halves = half_of(rows.accounts)
    np.testing.assert_array_equal(again.risk(rows.X, halves), learned.risk(rows.X, halves))
    with pytest.raises(Refused):
        FirstStage.from_bytes(learned.to_bytes()[:-1])


def test_without_any_fraud_nothing_is_explained():
    quiet = replace(
        BANKS[0], train=replace(BANKS[0].train, labels=np.zeros_like(BANKS[0].train.labels))
    )
    first = courses.learn_first_stage(COURSE, [quiet])
    assert first.halves == (None, None)
    assert not first.risk(quiet.train.X, half_of(quiet.train.accounts)).any()
    assert FirstStage.from_bytes(first.to_bytes()).version == first.version


def test_a_half_without_rows_takes_part_with_nothing():
    rows = BANKS[0].train
    only = half_of(rows.accounts) == 0
    half = Window(rows.X[only], rows.labels[only], rows.ids[only], rows.accounts[only])
    first = courses.learn_first_stage(COURSE, [replace(BANKS[0], train=half), BANKS[1]])
    assert all(first.halves)


def test_one_payment_gets_the_same_bits_as_the_table(learned):
    frame = some_transactions(400, days=60, accounts=5)
    X = build_features(frame, BELOW).select(learned.features).to_numpy()
    table = learned.risk(X, half_of(frame["account"].fill_null("").to_numpy().astype(str)))
    accounts = Names(frame["account"].drop_nulls().unique().to_list())
    rows = Rows.of_frame(frame, BELOW, accounts, Names())
    for number, name in enumerate(accounts.names):
        mine = np.flatnonzero(rows.account == number)
        one = rows.taken(mine)
        one = replace(one, account=np.zeros(len(one), np.int64))
        past = AccountPast().with_later(one)
        for place, index in enumerate(mine):
            alone = learned.risk_of(name, one.taken(np.array([place])), past)
            assert alone == table[index]


def test_later_states_carry_it_and_the_same_inputs_give_the_same_bytes():
    later = courses.course_of(
        courses.model_of("logistic", tuple(f"f{i}" for i in range(WIDTH))), TRAINING
    )
    ends = []
    for seed in (1, 2):
        course = courses.staged(later, PLAN, TRAINING)
        state, steps, first = course.begin(seed), [], None
        while isinstance(state, State):
            steps.append(state.step)
            read = State.from_bytes(state.to_bytes())
            first = courses.first_stage_in(read)
            assert (first is None) == courses.is_first(read)
            total = sum(course.vector(read, bank) for bank in BANKS)
            state = course.advance(read, Opened(total, frozenset({0, 1})))
        ends.append((first.to_bytes(), state.weights.tobytes()))
        assert [step.name for step in steps[:2]] == [
            "first stage histograms",
            "first stage newton",
        ]
        assert [step.remaining for step in steps] == list(range(len(steps) - 1, -1, -1))
    assert ends[0] == ends[1]


def test_halves_are_of_about_one_size_and_not_those_of_the_sampling():
    accounts = np.array([f"c{number}" for number in range(4000)])
    assert 0.45 < half_of(accounts).mean() < 0.55
    together = half_of(accounts) == (uniform(row_keys(accounts), 7) < 0.5)
    assert 0.45 < together.mean() < 0.55
