"""Sizes reckoned before a round are those of the messages themselves; a calibration is a line."""

from __future__ import annotations

from itertools import count

import pytest

from consortium.protocol.calibration import PHASES, Line, Pace, measure
from consortium.protocol.packing import ciphertexts_needed, layout_named
from consortium.protocol.sizes import (
    RunShape,
    Traffic,
    bank_traffic,
    body_bytes,
    round_traffic,
    run_traffic,
    traffic_in_all,
    working_bytes,
)
from consortium.protocol.spec import METRICS, Step

PROTOCOLS = ["paillier-threshold", "secagg", "paillier-phe"]
UPDATE = Step("update", 16, 5_000, 3)
HESSIAN = Step("newton", 56, 20_000, 0)
SUM = Step(METRICS, 32, 1_024, 0)


def shape(protocol: str, banks: int = 5) -> RunShape:
    return RunShape(protocol, banks, 2048)  # type: ignore[arg-type]


def test_a_closed_vector_has_the_bytes_of_its_layout() -> None:
    packed = ciphertexts_needed(5_000, layout_named("k16b24"), 2048)
    assert body_bytes(shape("paillier-threshold"), UPDATE) == packed * 512
    assert body_bytes(shape("secagg"), UPDATE) == 5_000 * 19 // 8
    assert body_bytes(shape("secagg"), HESSIAN) == 20_000 * 59 // 8


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_banks_together_are_those_that_give_and_the_others(protocol: str) -> None:
    of, giving = shape(protocol), shape(protocol).custodians
    one = [bank_traffic(of, UPDATE, custodian=custodian) for custodian in (True, False)]
    assert traffic_in_all(of, UPDATE) == one[0] * giving + one[1] * (5 - giving)
    by_phase = round_traffic(of, UPDATE, custodian=True)
    assert sum(by_phase.values(), Traffic()) == one[0]
    assert (by_phase["keys"].sent > 0) is (protocol == "secagg")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_is_the_sum_of_its_rounds(protocol: str) -> None:
    of = shape(protocol)
    steps = [UPDATE, UPDATE, SUM]
    run = run_traffic(of, steps)
    assert run.in_all == sum(traffic_in_all(of, step).sent for step in steps)
    assert [(kind.name, kind.times, kind.length) for kind in run.kinds] == [
        ("update", 2, 5_000),
        (METRICS, 1, 1_024),
    ]
    assert run.sums == 3


def test_more_banks_receive_more_and_send_more_boxes() -> None:
    few, many = (
        bank_traffic(shape("paillier-threshold", banks), UPDATE, custodian=True) for banks in (3, 9)
    )
    assert many.received > 2 * few.received
    assert many.sent > 2 * few.sent
    assert working_bytes(shape("secagg", 9), UPDATE) > working_bytes(shape("secagg", 3), UPDATE)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_calibration_goes_through_every_phase_that_the_protocol_has(protocol: str) -> None:
    """By a clock that ticks once each time it is read, so that no machine's speed matters."""
    ticks = count()
    pace = measure(RunShape(protocol, 3, 512), clock=lambda: float(next(ticks)))  # type: ignore[arg-type]
    seconds = pace.seconds(RunShape(protocol, 3, 512), UPDATE)  # type: ignore[arg-type]
    assert tuple(seconds) == PHASES
    assert {phase for phase, taken in seconds.items() if not taken} == (
        {"open"} if protocol == "paillier-phe" else set()
    )
    assert Pace.from_json(pace.to_json()) == pace


def test_a_line_goes_through_two_sizes_and_never_falls() -> None:
    line = Line.through((10, 1.0), (30, 2.0))
    assert line.seconds(20) == pytest.approx(1.5)
    assert Line.through((10, 2.0), (30, 1.0)).each == 0
