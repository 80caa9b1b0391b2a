"""The page of measured figures."""

from __future__ import annotations

import pytest
from django.test import Client

from consortium.measured import figures


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
