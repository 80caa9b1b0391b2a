"""The invented banks: reproducible, plausible, skewed, and never to be taken for real ones."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from banks.importing.reading import open_source
from banks.importing.rows import RowChecker
from banks.ml.schema import Mapping
from consortium.demo.simulator import BANKS, MAPPING, SCALES, BankData, simulate
from consortium.demo.simulator.banks import (
    REFUND,
    SPECIAL,
    SPREE,
    TAKEOVER,
    TERMINAL,
    TYPOLOGIES,
)
from consortium.demo.simulator.table import COLUMNS, Table

UNTIL = datetime(2026, 4, 1, tzinfo=ZoneInfo("Asia/Tokyo"))
DAY = 86_400


@pytest.fixture(scope="module")
def small() -> dict[str, BankData]:
    return simulate("small", seed=7, until=UNTIL)


@pytest.fixture(scope="module")
def normal() -> dict[str, BankData]:
    return simulate("normal", seed=7, until=UNTIL)


def seconds(table: Table, column: str = "time") -> np.ndarray:
    """Instants as seconds since 1970; NaN where there is none."""
    text = np.char.rstrip(table.columns[column], "Z")
    parsed = np.where(text == "", "NaT", text).astype("datetime64[s]")
    return np.where(np.isnat(parsed), np.nan, parsed.astype("int64"))


def of_kind(table: Table, typology: str) -> np.ndarray:
    return table.kind == TYPOLOGIES.index(typology) + 1


def counterparties(table: Table, typology: str) -> set[str]:
    return set(table.columns["counterparty"][of_kind(table, typology)])


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    again = simulate("small", seed=7, until=UNTIL)
    other = simulate("small", seed=8, until=UNTIL)
    files = []
    for name, simulated in (("a", small), ("b", again), ("c", other)):
        path = tmp_path / name
        simulated["hinata"].history.write_csv(path)
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize("part", ["history", "today"])
def test_every_file_passes_the_import_rules(small, tmp_path, part):
    mapping = Mapping.from_json(MAPPING)
    now = int(UNTIL.timestamp() * 1_000_000)
    for slug, data in small.items():
        path = tmp_path / slug
        getattr(data, part).write_csv(path)
        checker = RowChecker(mapping, "0" * 64, now)
        for batch in open_source(path).batches(mapping.source_columns()):
            assert checker.check(batch).errors == []


def test_every_identifier_says_that_it_is_a_demo(small):
    for data in small.values():
        for name in ("id", "account", "counterparty"):
            assert np.char.startswith(data.history.columns[name], "demo-").all()


def test_ids_are_unique_and_customers_belong_to_one_bank(small):
    ids = [
        x for data in small.values() for t in (data.history, data.today) for x in t.columns["id"]
    ]
    assert len(set(ids)) == len(ids)
    accounts = [set(data.history.columns["account"]) for data in small.values()]
    assert sum(map(len, accounts)) == len(set().union(*accounts))


def test_sizes_and_base_rates_are_as_promised(normal):
    sizes = [len(data.history) for data in normal.values()]
    assert sum(sizes) / len(sizes) == pytest.approx(40_000, rel=0.03)
    assert max(sizes) > 2.5 * min(sizes)
    for data in normal.values():
        assert 0.005 < (data.history.kind > 0).mean() < 0.0125


def test_a_small_world_still_has_enough_fraud_to_learn_from(small):
    for data in small.values():
        assert 3_000 < len(data.history) < 5_000
        assert (data.history.kind > 0).sum() > 50


def test_history_and_today_meet_and_end_at_the_given_midnight(small):
    end = UNTIL.timestamp()
    for data in small.values():
        past, today = seconds(data.history), seconds(data.today)
        assert end - 121 * DAY <= past.min()
        assert past.max() < end - DAY <= today.min()
        assert today.max() < end
        assert (np.diff(past) >= 0).all()


def test_only_labels_known_at_the_end_of_history_are_told(small):
    for data in small.values():
        known_at = seconds(data.history, "label_known_at")
        label = data.history.columns["label"]
        told = label != ""
        assert (np.isnan(known_at) == ~told).all()
        assert (known_at[told] <= UNTIL.timestamp() - DAY).all()
        assert (known_at[told] > seconds(data.history)[told]).all()
        assert ((label[told] == "1") == (data.history.kind[told] > 0)).all()
        assert 0 < (~told).sum() < 0.2 * len(label)


def test_today_has_something_to_find_and_no_labels(small):
    for data in small.values():
        assert set(data.today.columns["label"]) == {""}
        assert set(data.today.columns["label_known_at"]) == {""}
        assert {TYPOLOGIES[kind - 1] for kind in data.today.kind if kind} == set(TYPOLOGIES)


def test_every_bank_hardly_knew_some_typology_that_it_meets_later(normal):
    for bank in BANKS:
        history = normal[bank.slug].history
        day = (seconds(history) - (UNTIL.timestamp() - 121 * DAY)) / DAY
        rates = {}
        for typology in TYPOLOGIES:
            kind = of_kind(history, typology)
            rates[typology] = (kind[day < 80].sum() / 80, kind[day >= 80].sum() / 40)
        assert any(late > 2.5 * early for early, late in rates.values())
        assert any(early > 0.2 * sum(r[0] for r in rates.values()) for early, _ in rates.values())


def test_bad_shops_and_mule_accounts_are_shared_between_banks(normal):
    for typologies in ([TERMINAL], [TAKEOVER, SPECIAL, REFUND]):
        seen = [
            set().union(*(counterparties(data.history, typology) for typology in typologies))
            for data in normal.values()
        ]
        everywhere = set.intersection(*seen)
        assert len(everywhere) >= 3


def test_a_bad_counterparty_cannot_be_told_by_its_name_or_only_by_fraud(normal):
    genuine = {
        name
        for data in normal.values()
        for name in data.history.columns["counterparty"][data.history.kind == 0]
    }
    for data in normal.values():
        for typology in TYPOLOGIES:
            bad = counterparties(data.history, typology)
            assert len(bad & genuine) > 0.9 * len(bad)


def test_amounts_are_whole_yen_and_frauds_look_like_their_kind(normal):
    history = normal["hinata"].history
    amount = history.columns["amount"].astype(np.int64)
    assert amount.min() >= 100
    channel = history.columns["channel"]
    assert set(channel[of_kind(history, SPREE)]) == {"card"}
    assert set(channel[of_kind(history, TAKEOVER)]) == {"internet"}
    assert set(channel[of_kind(history, SPECIAL)]) == {"transfer"}
    assert np.median(amount[of_kind(history, SPECIAL)]) > 800_000
    assert amount[of_kind(history, REFUND)].max() < 500_000


def test_customers_keep_to_habits_of_their_own(normal):
    history = normal["tsubame"].history
    cards = (history.columns["channel"] == "card") & (history.kind == 0)
    account = history.columns["account"][cards]
    log_amount = np.log(history.columns["amount"][cards].astype(float))
    _, who = np.unique(account, return_inverse=True)
    counts = np.bincount(who)
    means = np.bincount(who, log_amount) / counts
    within = np.bincount(who, (log_amount - means[who]) ** 2).sum() / len(who)
    assert np.average((means - log_amount.mean()) ** 2, weights=counts) > 0.2 * within


def test_an_end_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        simulate("small", until=UNTIL.replace(tzinfo=None))


def test_scales_are_the_two_of_the_command():
    assert set(SCALES) == {"small", "normal"}
    assert set(MAPPING["columns"]) == set(COLUMNS)
