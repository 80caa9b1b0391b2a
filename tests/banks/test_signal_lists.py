"""With how many banks a counterparty deals: never counted with one bank more or fewer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from banks.ml.risk_signal import Terms
from banks.models import ProtocolAct, RoundPart, TrainingRun
from banks.services.signal import consent, summing
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from consortium.protocol.spec import RISK_SIGNAL, Manifest
from tests.cast import a_manifest, by_centre, digest_of, first_roster, identifier, players

pytestmark = pytest.mark.django_db
ROSTER = first_roster(players(5)).roster
ALL, FOUR = ROSTER.banks, ROSTER.banks[:4]


def presence(name: str, days: str, /, **changes: Any) -> Manifest:
    facts = {
        "run": identifier(f"run {name}"),
        "round": identifier(name),
        "number": 0,
        "step": summing.PRESENCE,
        "purpose": RISK_SIGNAL,
        "recipe": consent.recipe_of(Terms()),
        "window": days,
    }
    return a_manifest(ROSTER, **{**facts, **changes})


@pytest.fixture
def node(bank: Bank) -> Any:
    """A bank that has signed that all five be counted up to the end of March."""
    manifest = presence("march", "2026-03-01/2026-04-01")
    with bank_scope(bank.pk):
        RoundPart.objects.create(
            bank=bank,
            task=manifest.task,
            consortium_run=manifest.run,
            round=manifest.round,
            number=0,
            purpose=manifest.step,
            run=TrainingRun.objects.create(bank=bank, phase="consortium"),
            manifest=by_centre(manifest).to_wire(),
        )
        ProtocolAct.objects.create(
            bank=bank,
            kind="signed",
            task=manifest.task,
            round=manifest.round,
            subject=manifest.subject,
            proposal=digest_of("list"),
            banks=list(ALL),
        )
    return SimpleNamespace(bank=bank)


@pytest.mark.parametrize(
    "window",
    ["2026-04-01/2026-04-02", "2026-04-01/2026-04-20", "2026-04-01/2026-04-02/2026-03-31"],
)
def test_one_bank_fewer_over_days_that_count_in_both_is_refused(node: Any, window: str) -> None:
    with pytest.raises(Refused) as refused:
        summing.check_list(node, presence("april", window), FOUR)
    assert refused.value.code == "other_participants"
    summing.check_list(node, presence("april", window), ALL)


def test_days_that_were_not_counted_before_may_be_counted_with_others(node: Any) -> None:
    """Either because the window says from when it counts, or because thirty days have passed."""
    for window in ("2026-04-01/2026-04-02/2026-04-01", "2026-05-01/2026-05-02"):
        summing.check_list(node, presence("later", window), FOUR)


def test_a_difference_of_a_whole_cohort_is_a_sum_like_any_other(node: Any) -> None:
    others = tuple(sorted((ALL[0], *(identifier(f"new {n}") for n in range(4)))))
    summing.check_list(node, presence("april", "2026-04-01/2026-04-02"), others)


def test_another_task_and_other_sums_are_no_presence(node: Any) -> None:
    window = "2026-04-01/2026-04-02"
    for changes in (
        {"task": identifier("other task")},
        {"number": 1, "step": summing.SUMS, "window": ""},
        {"purpose": "fraud-detection"},
    ):
        summing.check_list(node, presence("april", window, **changes), FOUR)
