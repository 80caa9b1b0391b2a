"""The cross-bank signal without its encryption: what is sent, what is opened, what comes of it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banks.ml.features import FeaturePlan, Signal, build_features
from banks.ml.features.sums import BucketSums, Cells
from banks.ml.online import State
from banks.ml.risk_signal import OpenedSums, Span, Terms, others_of, watch_list_of
from banks.ml.risk_signal.noise import noise_share
from banks.ml.risk_signal.presence import Directory, presence_vector
from banks.ml.risk_signal.sums import capped, sums_length, sums_vector
from banks.ml.risk_signal.tokens import slots_of
from banks.ml.schema import DAY
from consortium.protocol.errors import Refused
from tests.ml.transactions import START, some_transactions

KEY = b"k" * 32
FIRST = START // DAY
TERMS = Terms(slots=1 << 12, cap=1_000_000)


def banks_of(frame: pl.DataFrame, count: int = 4) -> list[pl.DataFrame]:
    """The frame's accounts dealt out; rows without an account go to the first bank."""
    number = pl.col("account").str.slice(1).cast(pl.Int64).fill_null(0) % count
    return [frame.filter(number == place) for place in range(count)]


def own_signal(frame: pl.DataFrame, plan: FeaturePlan) -> tuple[Signal, np.ndarray]:
    signal = Signal.of_frame(frame, plan)
    return signal, slots_of(KEY, signal.counterparties.names, TERMS.slots)


def open_together(parts, plan, terms, span):
    """Both rounds, with plain sums in place of encrypted ones."""
    signals = [own_signal(part, plan) for part in parts]
    seen = sum(presence_vector(terms, span, own.sums.volume, slots) for own, slots in signals)
    directory = Directory.from_presence(terms, span, seen)
    total = sum(
        sums_vector(terms, directory, own.sums, slots, least_banks=3) for own, slots in signals
    )
    return OpenedSums.of(terms, directory, total), signals


def joint_features(part, plan, opened, signal, slots) -> pl.DataFrame:
    others = others_of([opened.told], signal.sums, [slots])
    joint = Signal(signal.counterparties, BucketSums.total([signal.sums, others]))
    return build_features(part, plan, joint)


@pytest.mark.parametrize("hours", [24, 6])
def test_with_nothing_below_the_floor_every_bank_sees_the_joint_view(hours):
    plan = FeaturePlan(bucket_hours=hours)
    terms = replace(TERMS, bucket_hours=hours)
    parts = banks_of(some_transactions(3000))
    span = Span(FIRST * 24 // hours, (FIRST + 110) * 24 // hours, 24 // hours)
    opened, signals = open_together(parts, plan, terms, span)
    whole = Signal.total([signal for signal, _slots in signals])
    for part, (signal, slots) in zip(parts, signals, strict=True):
        here = joint_features(part, plan, opened, signal, slots)
        assert here.equals(build_features(part, plan, whole), null_equal=True)


def test_unexplained_frauds_travel_where_the_members_share_a_first_stage():
    plan = FeaturePlan(first_stage="v1")
    parts = banks_of(some_transactions(2000))
    span = Span(FIRST, FIRST + 110, 1)
    opened, signals = open_together(parts, plan, replace(TERMS, first_stage="v1"), span)
    whole = Signal.total([signal for signal, _slots in signals])
    here = joint_features(parts[1], plan, opened, *signals[1])
    assert here.equals(build_features(parts[1], plan, whole), null_equal=True)


def test_a_counterparty_of_two_banks_is_never_opened():
    frame = some_transactions(1500, counterparties=3)
    lonely = pl.col("account").is_in(["a2", "a3", "a6", "a7"]) & (pl.col("counterparty") == "c0")
    parts = banks_of(frame.filter(~lonely.fill_null(value=False)))
    opened, signals = open_together(parts, FeaturePlan(), TERMS, Span(FIRST, FIRST + 60, 1))
    slots = dict(
        zip(("c0", "c1", "c2"), slots_of(KEY, ["c0", "c1", "c2"], TERMS.slots), strict=True)
    )
    told = set(opened.cells.counterparty.tolist())
    assert slots["c0"] not in told
    assert {slots["c1"], slots["c2"]} <= told
    signal, where = signals[0]
    others = others_of([opened.told], signal.sums, [where])
    assert signal.counterparties.code("c0") not in others.volume.counterparty


def test_what_is_not_summed_yet_is_the_banks_own_view():
    plan = FeaturePlan()
    parts = banks_of(some_transactions(2000))
    opened, signals = open_together(parts, plan, TERMS, Span(FIRST, FIRST + 30, 1))
    signal, slots = signals[0]
    others = others_of([opened.told], signal.sums, [slots])
    assert others.volume.bucket.max() < FIRST + 30
    joint = BucketSums.total([signal.sums, others])
    later = joint.volume.where(joint.volume.bucket >= FIRST + 30)
    mine = signal.sums.volume.where(signal.sums.volume.bucket >= FIRST + 30)
    assert later["payments"].tolist() == mine["payments"].tolist()


def test_a_watch_list_tells_of_frauds_and_of_nothing_else():
    plan = FeaturePlan()
    parts = banks_of(some_transactions(3000))
    terms = replace(TERMS, policy="watch-list")
    opened, signals = open_together(parts, plan, terms, Span(FIRST, FIRST + 110, 1))
    assert set(opened.cells.sums) == {"frauds"}
    assert opened.cells["frauds"].max() <= len(parts)
    signal, slots = signals[0]
    others = others_of([opened.told], signal.sums, [slots])
    assert not len(others.volume)
    assert (others.labels["known"] == others.labels["frauds"]).all()
    whole, _signals = open_together(parts, plan, TERMS, Span(FIRST, FIRST + 110, 1))
    counts = others_of([whole.told], signal.sums, [slots])
    would = watch_list_of(counts, len(parts) - 1)
    assert set(would.labels.bucket) >= set(others.labels.bucket)


def test_a_further_day_adds_what_was_opened_since():
    plan = FeaturePlan()
    parts = banks_of(some_transactions(2500))
    span = Span(FIRST, FIRST + 60, 1)
    opened, signals = open_together(parts, plan, TERMS, span)
    signal, slots = signals[0]
    others = others_of([opened.told], signal.sums, [slots])
    expected = joint_features(parts[0], plan, opened, signal, slots)
    frame = parts[0].sort("time", "id")
    cut = START + 40 * DAY
    past, later = frame.filter(pl.col("time") < cut), frame.filter(pl.col("time") >= cut)

    def between(sums: BucketSums, first: int, end: int) -> Signal:
        kept = [c.where((c.bucket >= first) & (c.bucket < end)) for c in (sums.volume, sums.labels)]
        return Signal(signal.counterparties, BucketSums(sums.counterparties, *kept))

    joint = BucketSums.total([signal.sums, others])
    state = State.from_frame(past, plan, between(joint, 0, FIRST + 40))
    got = state.advance(later, signal=between(joint, FIRST + 40, 10**6))
    wanted = later.select("id").join(expected, on="id", how="left", maintain_order="left")
    assert got.equals(wanted, null_equal=True)


cells = st.integers(1, 400).flatmap(
    lambda payments: st.tuples(
        st.just(payments),
        st.integers(-payments * 14_000, payments * 14_000),
        st.integers(0, payments),
    )
)


@given(st.lists(cells, min_size=1, max_size=20), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_no_bank_weighs_more_than_the_cap_and_means_stay(drawn, cap):
    payments, logs, frauds = (np.array(column, np.int64) for column in zip(*drawn, strict=True))
    where = np.arange(len(drawn))
    volume = capped(
        replace(TERMS, cap=cap), Cells(where, where, {"payments": payments, "log_amount": logs})
    )
    labels = capped(
        replace(TERMS, cap=cap), Cells(where, where, {"known": payments, "frauds": frauds})
    )
    assert volume["payments"].max() <= cap
    assert (labels["frauds"] <= labels["known"]).all()
    mean, before = volume["log_amount"] / volume["payments"], logs / payments
    assert np.abs(mean - before).max() <= 1
    under = payments <= cap
    assert (volume["log_amount"][under] == logs[under]).all()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_opened_sums_survive_their_bytes(data):
    span = Span(100, 100 + data.draw(st.integers(1, 70)), 1)
    terms = replace(TERMS, policy=data.draw(st.sampled_from(["counts", "watch-list"])))
    open_slots = tuple(
        np.array(sorted(data.draw(st.sets(st.integers(0, 50), max_size=4))), np.int64)
        for _chunk in span.chunks
    )
    directory = Directory(span, open_slots)
    length = sums_length(terms, directory)
    opened = np.random.default_rng(length).integers(0, 3, length)
    sums = OpenedSums.of(terms, directory, opened)
    again = OpenedSums.from_bytes(terms, span, sums.to_bytes())
    assert again.to_bytes() == sums.to_bytes()
    for name in terms.values:
        assert again.cells[name].sum() == sums.cells[name].sum()


@pytest.mark.parametrize("content", [b"", b"\0" * 16, b"\xff" * 64, b"\0" * 15 + b"\1" + b"\0" * 8])
def test_damaged_sums_are_refused(content):
    with pytest.raises(Refused):
        OpenedSums.from_bytes(TERMS, Span(0, 10, 1), content)


def test_stretches_cover_a_span_and_end_with_it():
    span = Span(1000, 1100, 1)
    assert [chunk.end - chunk.first for chunk in span.chunks] == [10, 30, 30, 30]
    assert span.chunks[0].first == 1000
    assert span.chunks[-1].end == 1100
    assert span.chunks[0].looks_back.first == 980
    assert Span.from_text(span.text, TERMS) == span


def test_presence_counts_from_the_day_that_the_window_names():
    whole = Span.from_text("2026-04-01/2026-04-02", TERMS)
    anew = Span.from_text("2026-04-01/2026-04-02/2026-03-20", TERMS)
    assert whole.end - whole.presence_counts_from == 30
    assert anew.end - anew.presence_counts_from == 13
    assert anew.text == "2026-04-01/2026-04-02/2026-03-20"
    before = Span.from_text("2026-03-10/2026-03-20", TERMS)
    assert whole.counts_presence_with(before)
    assert not anew.counts_presence_with(before)
    for text in ("2026-04-01/2026-04-02/2026-04-02", "2026-04-01/2026-04-02/2026-03-01/2026-03-02"):
        with pytest.raises(Refused):
            Span.from_text(text, TERMS)


def test_noise_of_all_banks_together_has_the_spread_it_promises():
    epsilon, banks = 2.0, 4
    total = sum(noise_share(40_000, epsilon, 1, banks) for _bank in range(banks))
    q = np.exp(-epsilon)
    assert abs(total.mean()) < 0.05
    assert total.var() == pytest.approx(2 * q / (1 - q) ** 2, rel=0.1)


def test_with_noise_an_empty_cell_may_be_told_and_none_is_negative():
    terms = replace(TERMS, epsilon="1.5")
    parts = banks_of(some_transactions(300))
    opened, _signals = open_together(parts, FeaturePlan(), terms, Span(FIRST, FIRST + 60, 1))
    assert terms.words == "k56w64"
    assert terms.epsilon_of_a_payment == 6.0
    assert all((values >= 0).all() for values in opened.cells.sums.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "all"},
        {"slots": 1000},
        {"floor": 2},
        {"cap": 0},
        {"cap": "9"},
        {"epsilon": "x"},
        {"epsilon": "-1"},
        {"bucket_hours": 5},
        {"history_days": 0},
        {"more": 1},
    ],
)
def test_terms_that_make_no_sense_are_refused(wrong):
    with pytest.raises(Refused):
        Terms.from_json({**Terms().to_json(), **wrong})
    assert Terms.from_json(Terms().to_json()) == Terms()
