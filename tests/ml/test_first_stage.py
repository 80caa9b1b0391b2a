import numpy as np
import pytest

from banks.ml.first_stage import FirstStageRows, first_stage
from banks.ml.ranking import average_precision
from banks.ml.sampling import row_keys
from tests.ml.worlds import world

NAMES = tuple(f"f{i}" for i in range(6))


def bank(seed, rows=6000):
    X, y, ids = world(rows=rows, seed=seed)
    accounts = row_keys([f"a{seed}-{number % 300}" for number in range(rows)])
    early = np.arange(rows) < rows // 2
    return FirstStageRows(X.astype(np.float32), y, row_keys(ids), accounts, early)


BANKS = [bank(1), bank(2)]


def test_it_scores_every_row_and_knows_fraud_when_it_sees_it():
    for rows, scores in zip(BANKS, first_stage(NAMES, BANKS, seed=3), strict=True):
        for part in (rows.early, ~rows.early):
            assert average_precision(scores[part], rows.labels[part]) > 3 * rows.labels.mean()
        assert scores.sum() == pytest.approx(rows.labels.sum(), rel=0.2)


@pytest.mark.parametrize("early", [True, False])
def test_a_rows_score_never_knows_the_rows_own_label(early):
    rows = BANKS[0]
    before = first_stage(NAMES, BANKS, seed=3)[0]
    target = np.flatnonzero((rows.early == early) & (rows.labels == 1))[0]
    companions = rows.account_keys == rows.account_keys[target]
    labels = rows.labels.copy()
    labels[companions & (rows.early == early)] = 0
    changed = FirstStageRows(rows.X, labels, rows.row_keys, rows.account_keys, rows.early)
    after = first_stage(NAMES, [changed, BANKS[1]], seed=3)[0]
    assert after[target] == before[target]


def test_without_any_early_fraud_nothing_is_explained():
    rows = BANKS[0]
    genuine = np.where(rows.early, 0, rows.labels)
    quiet = FirstStageRows(rows.X, genuine, rows.row_keys, rows.account_keys, rows.early)
    assert not first_stage(NAMES, [quiet], seed=3)[0].any()
