"""The page of measured figures."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from consortium.measured import figures, goals


def test_every_measured_protocol_has_a_name_and_says_who_can_open_it() -> None:
    found = figures.report("aggregation")
    assert found is not None
    rows = figures.aggregation_rows(found)
    assert {row["protocol"] for row in rows} >= {"paillier-threshold", "secagg", "naive-phe"}
    assert all(row["opens_one_bank"] and row["name"] for row in rows)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_anybody_reads_the_figures_in_their_language(client: Client, language: str) -> None:
    page = client.get("/guide/measured/", headers={"accept-language": language})
    assert page.status_code == 200
    assert ("しきい値Paillier" in page.content.decode()) == (language == "ja")


def test_without_figures_the_page_says_how_to_get_them(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "report", lambda _name: None)
    assert "benchmark aggregation" in client.get("/guide/measured/").content.decode()


def test_a_goal_is_held_on_its_good_side_only() -> None:
    for at_least, good, bad in ((True, 2.1, 1.9), (False, 1.9, 2.1)):
        for measured, held in ((good, True), (bad, False), (2.0, True)):
            assert goals.Goal("figure", 2.0, measured, "times", at_least).held is held


def a_run() -> dict[str, Any]:
    """As small as a run can be that has every goal's rows."""

    def row(protocol: str, parameters: int, bits: int | None = None, **more: Any) -> dict[str, Any]:
        return {
            "protocol": protocol,
            "parameters": parameters,
            "key_bits": bits,
            "seconds": {"offline": 0.001, "seal": 0.001},
            "bytes_up": 1000,
            "times_faster_than_naive_phe": 60,
            "bytes_per_parameter": 6.1,
            "add_per_further_bank": 0.004,
            "open_over_classic_partials": 0.5,
            "modelled_times_plain": 1.8,
            **more,
        }

    return {
        "results": [
            row("paillier-threshold", 50_000, 2048),
            row("paillier-threshold", 5_000, 3072),
            row("secagg", 50_000),
            row("flower-secagg-plus", 50_000, bytes_up=3000, seconds={"offline": 0.01, "seal": 0}),
        ],
        "refusals": {"seconds": {"another task": 0.0003, "another round": 0.002}},
    }


def test_every_goal_is_told_with_whether_it_is_held() -> None:
    told = [(goal.unit, round(goal.measured, 3), goal.held) for goal in goals.sum_goals(a_run())]
    assert told == [
        ("times", 60, True),
        ("bytes", 6.1, True),
        ("seconds", 0.004, True),
        ("times", 0.5, True),
        ("times", 5, True),
        ("times", 0.333, True),
        ("times", 1.8, False),
        ("seconds", 0.002, False),
    ]


def test_a_run_without_peers_tells_the_goals_that_it_measured() -> None:
    run = a_run()
    run["results"] = run["results"][:3]
    assert len(goals.sum_goals(run)) == 6


def test_the_page_tells_every_goal_and_marks_the_missed(client: Client) -> None:
    found = figures.report("aggregation")
    assert found is not None
    told = goals.sum_goals(found)
    page = client.get("/guide/measured/", headers={"accept-language": "en"}).content.decode()
    assert page.count("#warning") >= sum(not goal.held for goal in told)
    for goal in told:
        assert escape(str(goal.name)) in page
