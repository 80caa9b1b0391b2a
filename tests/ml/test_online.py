import io
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.ml.features import FeaturePlan, Signal, build_features
from banks.ml.features.rows import fixed_point
from banks.ml.online import (
    AccountPast,
    CounterpartyPast,
    State,
    Transaction,
    features_from_history,
)
from banks.ml.schema import DAY, HOUR
from consortium.protocol.errors import Refused
from tests.ml.transactions import some_transactions

PLANS = [
    FeaturePlan(),
    FeaturePlan(bucket_hours=6, first_stage="v1", zone="America/New_York", label_delay_days=3),
]


def by_day(frame: pl.DataFrame) -> list[pl.DataFrame]:
    return pieces(frame, DAY)


def pieces(frame: pl.DataFrame, width: int) -> list[pl.DataFrame]:
    """Return the frame in stretches of ``width`` µs, in order."""
    numbered = frame.with_columns(piece=pl.col("time") // width).sort("time", "id")
    return numbered.partition_by("piece", maintain_order=True, include_key=False)


def equal_bits(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Compare by id; NaN equals NaN."""
    left, right = left.sort("id"), right.sort("id")
    return left["id"].equals(right["id"]) and np.array_equal(
        left.drop("id").to_numpy(), right.drop("id").to_numpy(), equal_nan=True
    )


def transaction_of(row: dict) -> Transaction:
    return Transaction(
        time=row["time"],
        amount=row["amount"],
        account=row["account"],
        counterparty=row["counterparty"],
    )


@pytest.mark.parametrize("plan", PLANS)
def test_day_by_day_equals_the_batch_bit_by_bit(plan):
    frame = some_transactions(1500, days=110, accounts=12)
    days = by_day(frame)
    state = State.from_frame(pl.concat(days[:40]), plan)
    online = pl.concat([state.advance(day) for day in days[40:]])
    batch = build_features(frame, plan).filter(pl.col("id").is_in(online["id"].implode()))
    assert equal_bits(online, batch)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    cut=st.integers(1, 99),
    step=st.integers(1, 50),
    hours=st.sampled_from([1, 6, 24]),
    delay=st.integers(0, 9),
)
def test_any_cut_into_steps_equals_the_batch(seed, cut, step, hours, delay):
    plan = FeaturePlan(bucket_hours=hours, label_delay_days=delay, first_stage="v1")
    frame = some_transactions(250, days=100, accounts=4, counterparties=3, seed=seed).filter(
        pl.col("label_known_at").is_null() | (pl.col("label_known_at") >= 0)
    )
    days = by_day(frame)
    cut = min(cut, len(days) - 1)
    state = State.from_frame(pl.concat(days[:cut]), plan)
    online = pl.concat(
        [state.advance(pl.concat(days[i : i + step])) for i in range(cut, len(days), step)]
    )
    batch = build_features(frame, plan).filter(pl.col("id").is_in(online["id"].implode()))
    assert equal_bits(online, batch)


@pytest.mark.parametrize("plan", PLANS)
def test_one_transaction_equals_the_batch_bit_by_bit(plan):
    frame = some_transactions(1500, days=80, accounts=12).with_columns(extra_v=pl.lit(2.5))
    plan = FeaturePlan.from_json(plan.to_json() | {"extra": ["v"]})
    days = by_day(frame)
    batch = {row[0]: np.array(row[1:], np.float32) for row in build_features(frame, plan).rows()}
    state = State.from_frame(pl.concat(days[:60]), plan)
    # An account sees its payments at once, a counterparty when its bucket is complete; buckets
    # of any zone end with an hour.
    for hour in pieces(pl.concat(days[60:]), HOUR):
        for row in hour.iter_rows(named=True):
            asked = Transaction(**vars(transaction_of(row)) | {"extra": {"v": 2.5}})
            np.testing.assert_array_equal(state.features_for(asked), batch[row["id"]])
            state.observe(asked, risk=int(fixed_point(np.array(row["first_stage"]))))
        state.advance(hour)


def test_a_stranger_has_features_and_no_history():
    plan = PLANS[1]
    frame = some_transactions(500)
    state = State.from_frame(frame, plan)
    stranger = Transaction(
        time=int(frame["time"].max()) + DAY, amount=10**14, account="new", counterparty="new"
    )
    nobody = features_from_history(plan, stranger, AccountPast(), CounterpartyPast())
    np.testing.assert_array_equal(state.features_for(stranger), nobody)
    later = frame.head(1).with_columns(
        time=pl.lit(stranger.time),
        amount=pl.lit(10**14),
        account=pl.lit("new"),
        counterparty=pl.lit("new"),
        label=pl.lit(None, pl.Int8),
        label_known_at=pl.lit(None, pl.Int64),
        id=pl.lit("new"),
    )
    batch = build_features(pl.concat([frame, later]), plan)
    np.testing.assert_array_equal(nobody, batch.drop("id").row(-1))


def test_a_saved_state_goes_on_where_it_stopped():
    frame = some_transactions(900, days=90)
    days = by_day(frame)
    state = State.from_frame(pl.concat(days[:70]), PLANS[1])
    state.observe(transaction_of(days[70].row(0, named=True)))
    file = io.BytesIO()
    state.save(file)
    file.seek(0)
    again = State.load(file)
    asked = transaction_of(days[70].row(-1, named=True))
    np.testing.assert_array_equal(again.features_for(asked), state.features_for(asked))
    for day in days[70:]:
        assert equal_bits(again.advance(day), state.advance(day))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_what_is_no_saved_state_is_refused(content):
    with pytest.raises(Refused):
        State.load(io.BytesIO(content))


def test_payments_before_those_taken_in_are_refused_and_change_nothing():
    frame = some_transactions(600, days=80)
    days = by_day(frame)
    state = State.from_frame(pl.concat(days[:60]), PLANS[0])
    state.advance(days[60])
    with pytest.raises(Refused):
        state.advance(days[10])
    batch = build_features(frame, PLANS[0])
    online = state.advance(days[61])
    assert equal_bits(online, batch.filter(pl.col("id").is_in(online["id"].implode())))


def test_a_label_learned_later_counts_as_if_it_had_come_with_its_payment():
    plan = FeaturePlan(first_stage="v1")
    frame = some_transactions(1200, days=100, accounts=6)
    days = by_day(frame)
    open_then = pl.col("label_known_at") > pl.col("time") + plan.label_delay_days * DAY
    bare = [
        day.with_columns(
            label=pl.when(open_then.fill_null(value=False)).then(None).otherwise("label")
        )
        for day in days
    ]
    waiting = frame.filter(open_then)
    state = State.from_frame(pl.concat(bare[:50]), plan)
    now = int(pl.concat(bare[:50])["time"].max())
    told = waiting.filter(pl.col("time") <= now, pl.col("label_known_at") > now)
    # Those known before the cut count in the batch and not here: keep them out of both.
    lost = waiting.filter(pl.col("label_known_at") <= now)["id"].implode()
    expected = build_features(
        frame.with_columns(label=pl.when(pl.col("id").is_in(lost)).then(None).otherwise("label")),
        plan,
    )
    online = [state.advance(bare[50], learned=told)]
    for before, day in pairwise(bare[50:]):
        more = waiting.filter(pl.col("id").is_in(before["id"].implode()))
        online.append(state.advance(day, learned=more))
    result = pl.concat(online)
    assert equal_bits(result, expected.filter(pl.col("id").is_in(result["id"].implode())))


def test_a_joint_signal_goes_on_day_by_day():
    plan = FeaturePlan(first_stage="v1")
    frame = some_transactions(2000, days=90, accounts=20)
    own = pl.col("account").is_in(["a1", "a2", "a3"])
    joint = Signal.of_frame(frame, plan)
    days = by_day(frame)
    past = pl.concat(days[:60])
    state = State.from_frame(past.filter(own), plan, Signal.of_frame(past, plan))
    online = pl.concat(
        [state.advance(day.filter(own), signal=Signal.of_frame(day, plan)) for day in days[60:]]
    )
    batch = build_features(frame.filter(own), plan, joint)
    assert equal_bits(online, batch.filter(pl.col("id").is_in(online["id"].implode())))
    with pytest.raises(Refused):
        state.advance(days[-1].filter(own))
