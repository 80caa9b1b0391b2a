"""The page about the signal: what it tells, what it is worth, who agreed."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from django.test import Client

from banks.coordinator import Unreachable
from banks.ml.features import FeaturePlan
from banks.ml.risk_signal import Span, Terms
from banks.models import SignalPrice
from banks.selectors import signal as selectors
from banks.services import datasets
from banks.services.signal import price
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests import make
from tests.banks import signalling, world

pytestmark = pytest.mark.django_db
TERMS = Terms(slots=1 << 12, cap=10_000)


@pytest.fixture(autouse=True)
def _far_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(bank: Bank) -> Any:
        raise Unreachable("no answer")

    monkeypatch.setattr(selectors, "agreements", nobody)


def page(client: Client, who: str = "yui") -> str:
    client.force_login(make.person(who))
    answer = client.get("/bank/sakura/signal/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def told(bank: Bank) -> Bank:
    banks = [bank, *(make.bank(slug) for slug in ("fuji", "ume", "momo"))]
    for place, one in enumerate(banks):
        world.with_history(one, rows=2000 if place else 5000, seed=place)
    first = (world.START.date() - date(1970, 1, 1)).days
    plan = FeaturePlan(joint=True)
    frames = [datasets.frame(one) for one in banks]
    signalling.tell(bank, signalling.opened_sums(frames, plan, TERMS, Span(first, first + 110, 1)))
    return bank


def test_before_the_first_sum_the_page_says_what_is_used_instead(
    bank: Bank, client: Client
) -> None:
    text = page(client)
    assert "Nothing has been opened yet" in text
    assert "coordinator does not answer" in text
    assert "Measure what it is worth" not in text


def test_it_says_how_old_the_newest_sums_are_and_what_they_disclose(
    told: Bank, client: Client
) -> None:
    text = page(client)
    assert "The newest sums are late" in text
    assert "at least three banks" in text
    assert "no noise was agreed" in text


def test_each_step_of_the_policy_has_its_price_on_the_banks_own_data(
    told: Bank, client: Client
) -> None:
    measured = price.measure(told)
    assert [step["step"] for step in measured.steps] == ["off", "watch-list", "counts"]
    assert measured.frauds >= 10
    for step in measured.steps:
        low, high = step["difference"][1:]
        assert low <= step["difference"][0] <= high
        assert np.isfinite(step["average_precision"])
    text = page(client)
    assert "watch-list: frauds and their day only" in text
    assert f"{measured.steps[2]['average_precision']:.3f}" in text


def test_with_nothing_told_there_is_nothing_to_measure(bank: Bank) -> None:
    world.with_history(bank, rows=300)
    with pytest.raises(Refused, match="nothing to measure"):
        price.measure(bank)
    with bank_scope(bank.pk):
        assert not SignalPrice.objects.exists()
