from __future__ import annotations

import json

import pytest

from consortium.benchmarks import aggregation
from consortium.benchmarks.measuring import PHASES, Row, Stopwatch, Workload, repeated


@pytest.fixture(scope="module")
def report():
    return aggregation.run([7, 60], 3, [512], peers=False)


def rows(report, protocol):
    return [row for row in report["results"] if row["protocol"] == protocol]


def test_every_protocol_has_a_row_for_every_length(report):
    found = {(row["protocol"], row["parameters"]) for row in report["results"]}
    names = {"naive-phe", "plain-float32", "secagg", "paillier-threshold", "paillier-phe"}
    assert found == {(name, length) for name in names for length in (7, 60)}


def test_a_row_has_the_promised_keys(report):
    for row in report["results"]:
        assert set(row["seconds"]) == set(PHASES)
        assert row["banks"] == 3
        for key in ("key_bits", "bytes_per_parameter", "exact", "times_faster_than_naive_phe"):
            assert key in row
    assert json.loads(json.dumps(report)) == report


def test_sums_of_integers_are_exact_always(report):
    for protocol in ("secagg", "paillier-threshold", "paillier-phe"):
        assert all(row["exact"] for row in rows(report, protocol))


def test_bytes_are_those_of_the_ciphertexts(report):
    (_, naive), (_, ours), (_, masked) = (
        rows(report, name) for name in ("naive-phe", "paillier-threshold", "secagg")
    )
    assert naive["bytes_per_parameter"] == 128
    assert ours["bytes_per_parameter"] == 4 * 128 / 60
    assert masked["bytes_per_parameter"] == (60 * 2 + 2 * 8) / 60  # three banks: 18 bits


def test_the_naive_row_says_that_it_is_scaled_and_compares_with_itself(report):
    short, long = rows(report, "naive-phe")
    assert (short["scaled"], short["measured_parameters"]) == (False, 7)
    assert (long["scaled"], long["measured_parameters"]) == (True, 12)
    assert short["times_faster_than_naive_phe"] == long["times_faster_than_naive_phe"] == 1


def test_vectors_too_long_for_paillier_are_summed_by_masks_only(monkeypatch):
    monkeypatch.setattr(aggregation, "LONGEST_ENCRYPTED", 10)
    monkeypatch.setattr(aggregation, "LARGEST_VECTOR", 10)
    found = {row["protocol"] for row in aggregation.run([20], 3, [512], peers=False)["results"]}
    assert found == {"naive-phe", "plain-float32", "secagg"}


def test_peers_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    report = aggregation.run([7], 3, [512], peers=True)
    assert report["method"]["peers_not_installed"] == ["tenseal", "flwr"]


def test_equal_parties_count_once_by_their_median(monkeypatch):
    times = iter([0.0, 1.0, 10.0, 15.0, 20.0, 22.0, 30.0, 30.5])
    monkeypatch.setattr("time.process_time", lambda: next(times))
    watch = Stopwatch()
    for _ in range(3):
        with watch.measure("seal", "encrypt"):
            pass
    with watch.measure("seal", "prove"):
        pass
    assert watch.seconds == {"offline": 0.0, "seal": 2.5, "add": 0.0, "open": 0.0}
    assert watch.steps == {"seal: encrypt": 2.0, "seal: prove": 0.5}


def test_foreign_uploads_are_refused_and_the_time_is_told(report):
    refusals = report["refusals"]
    assert set(refusals["seconds"]) == {
        "another task",
        "another round",
        "another model",
        "another key",
        "another bank's signature",
        "one byte changed",
    }
    assert refusals["bytes"] > 60 * 3


def test_a_further_bank_s_vector_has_its_own_figure(report):
    for protocol in ("secagg", "paillier-threshold"):
        assert all(row["add_per_further_bank"] > 0 for row in rows(report, protocol))


def test_exchanges_are_named(report):
    (row, _) = rows(report, "secagg")
    assert row["exchanges"] == ["upload", "sign the list", "release shares", "read shares"]
    (plain, _) = rows(report, "plain-float32")
    assert plain["exchanges"] == ["upload", "read"]


def test_of_repeated_runs_the_quickest_counts():
    seconds = iter([3.0, 1.0, 2.0, 9.0, 8.0, 7.0, 6.0])

    def measure(work, watch):
        phases = {"offline": 0.0, "seal": next(seconds), "add": 0.0, "open": 0.0}
        return Row(
            "plain-float32",
            work,
            None,
            phases,
            body=4,
            exact=True,
            bytes_up=4,
            bytes_down=4,
            exchanges=("upload",),
        )

    assert repeated(measure, Workload.random(1, 3)).total_seconds == 1.0
