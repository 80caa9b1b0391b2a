"""Drift: days counted once, judged with their uncertainty; a person approves a training."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from banks.models import (
    BankSettings,
    ModelVersion,
    MonitorDay,
    MonitorReference,
    RetrainingProposal,
    Transaction,
)
from banks.services import monitor, training
from banks.services.monitor.judging import judged
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import world
from tests.banks.test_training import trained

pytestmark = pytest.mark.django_db


@pytest.fixture
def watched(bank: Bank, owner: Actor) -> Bank:
    """A bank whose first model scores, with about twenty days after its validation window."""
    world.with_history(bank, rows=9_000)
    trained(bank, owner)
    return bank


def reference() -> MonitorReference:
    return MonitorReference.objects.get()


@pytest.fixture
def drifted(bank: Bank, owner: Actor) -> Bank:
    """The same, but in the last ten days all amounts are forty times as large."""
    world.with_history(bank, rows=9_000)
    with bank_scope(bank.pk):
        last = Transaction.objects.order_by("-time")[0].time
        late = Transaction.objects.filter(time__gte=last - timedelta(days=10))
        late.update(amount=F("amount") * 40)
    trained(bank, owner)
    return bank


def test_each_whole_day_after_the_reference_is_counted_once(watched: Bank) -> None:
    counted = monitor.follow(bank=watched)
    with bank_scope(watched.pk):
        found, days = reference(), list(MonitorDay.objects.all())
        for day in days:
            inside = Transaction.objects.filter(time__date=day.day)
            assert day.payments == inside.count() == day.rows == sum(day.scores)
            assert all(sum(bins) == day.rows for bins in day.counts.values())
    assert counted == len(days) > 10
    assert sum(found.scores) == found.rows == found.payments
    assert found.window_until
    assert days[0].day > found.window_until.date()
    assert monitor.follow(bank=watched) == 0, "a second look counts nothing again"


def test_a_day_that_got_more_payments_is_counted_again(watched: Bank) -> None:
    monitor.follow(bank=watched)
    with bank_scope(watched.pk):
        day = MonitorDay.objects.order_by("-day")[1]
        one = Transaction.objects.filter(time__date=day.day)[0]
        one.pk, one.external_id = None, "late"
        one.save(force_insert=True)
    assert monitor.follow(bank=watched) == 1
    with bank_scope(watched.pk):
        assert MonitorDay.objects.get(pk=day.pk).payments == day.payments + 1


def test_a_bank_that_stays_as_it_was_is_asked_nothing(watched: Bank) -> None:
    monitor.follow(bank=watched)
    with bank_scope(watched.pk):
        found = judged(reference())
        assert found.score.band in {"stable", "unknown"}
        assert found.alerts.ratio_band in {"stable", "unknown", "watch"}
        assert not RetrainingProposal.objects.exists()


def test_payments_of_another_kind_propose_one_training(drifted: Bank) -> None:
    monitor.follow(bank=drifted)
    monitor.follow(bank=drifted)
    with bank_scope(drifted.pk):
        proposal = RetrainingProposal.objects.get()
        amount = next(one for one in judged(reference()).features if one.name == "amount")
    assert amount.shift.band == "act"
    assert amount.shift.low is not None
    assert amount.shift.low > 0.1
    assert proposal.status == "open"
    assert proposal.reasons
    assert AuditEntry.objects.filter(verb="retraining.proposed").count() == 1


def test_a_no_needs_its_reason_and_is_not_asked_again_at_once(drifted: Bank, lead: Actor) -> None:
    monitor.follow(bank=drifted)
    with bank_scope(drifted.pk):
        proposal = RetrainingProposal.objects.get()
    with pytest.raises(Refused, match="Say why"):
        monitor.decline(bank=drifted, actor=lead, proposal_id=proposal.pk, note=" ")
    monitor.decline(bank=drifted, actor=lead, proposal_id=proposal.pk, note="a sale in the shops")
    monitor.follow(bank=drifted)
    with bank_scope(drifted.pk):
        assert RetrainingProposal.objects.get().status == "declined"


@pytest.fixture
def asked(bank: Bank) -> Bank:
    """A bank that could train, and a version that scores."""
    world.with_history(bank, rows=300)
    with bank_scope(bank.pk):
        version = ModelVersion.objects.create(
            bank=bank,
            number=1,
            origin="alone",
            family="logistic",
            status="published",
            artifact=b"",
            artifact_sha256="",
        )
        BankSettings.objects.update(scoring_version=version)
    return bank


@pytest.fixture
def proposal(asked: Bank) -> RetrainingProposal:
    with bank_scope(asked.pk):
        return RetrainingProposal.objects.create(
            bank=asked, version=ModelVersion.objects.get(), reasons=[{"what": "score"}]
        )


def test_a_person_s_yes_queues_a_training_under_their_name(
    asked: Bank, proposal: RetrainingProposal, owner: Actor
) -> None:
    run = monitor.approve(bank=asked, actor=owner, proposal_id=proposal.pk)
    with bank_scope(asked.pk):
        proposal.refresh_from_db()
    assert (proposal.status, proposal.decided_by, proposal.run) == ("approved", owner.user, run)
    assert (run.trigger, run.started_by, run.status) == ("drift", owner.user, "queued")
    with pytest.raises(Refused, match="no longer waits"):
        monitor.decline(bank=asked, actor=owner, proposal_id=proposal.pk, note="too late")


def test_a_yes_that_cannot_be_carried_out_leaves_the_proposal_open(
    asked: Bank, proposal: RetrainingProposal, owner: Actor
) -> None:
    training.request_training(bank=asked, actor=owner)
    with pytest.raises(Refused, match="under way"), transaction.atomic():
        monitor.approve(bank=asked, actor=owner, proposal_id=proposal.pk)
    with bank_scope(asked.pk):
        proposal.refresh_from_db()
    assert proposal.status == "open"


def test_another_model_overtakes_a_proposal(asked: Bank, proposal: RetrainingProposal) -> None:
    with bank_scope(asked.pk):
        other = ModelVersion.objects.get()
        other.pk, other.number, other.run = None, 99, None
        other.save(force_insert=True)
        BankSettings.objects.update(scoring_version=other)
    monitor.follow(bank=asked)
    with bank_scope(asked.pk):
        proposal.refresh_from_db()
        assert MonitorReference.objects.get(version=other).problem == "no_validation"
    assert proposal.status == "overtaken"
    assert not monitor.due(asked), "the next look comes in an hour"


def test_two_lookers_at_once_count_once(asked: Bank) -> None:
    with bank_scope(asked.pk):
        MonitorReference.objects.create(
            bank=asked, version=ModelVersion.objects.get(), claimed_at=timezone.now()
        )
    assert monitor.follow(bank=asked) == 0
    with bank_scope(asked.pk):
        assert not MonitorDay.objects.exists()


def test_without_a_model_there_is_nothing_to_follow(bank: Bank) -> None:
    assert not monitor.due(bank)
    assert monitor.follow(bank=bank) == 0


def test_labels_that_stay_away_are_seen_and_ask_for_no_training(watched: Bank) -> None:
    with bank_scope(watched.pk):
        Transaction.objects.update(label_known_at=F("time") + timedelta(days=2))
        last = Transaction.objects.order_by("-time")[0].time
        late = Transaction.objects.filter(time__gte=last - timedelta(days=15))
        late.update(label_known_at=F("time") + timedelta(days=9))
    monitor.follow(bank=watched)
    with bank_scope(watched.pk):
        part = judged(reference()).labels_at(4)
        assert part is not None
        assert (part.usual, part.gap_band) == (1.0, "act")
        assert part.share is not None
        assert part.share < 0.5
        assert not RetrainingProposal.objects.exists()


def test_a_column_that_goes_missing_is_seen(watched: Bank) -> None:
    with bank_scope(watched.pk):
        last = Transaction.objects.order_by("-time")[0].time
        late = Transaction.objects.filter(time__gte=last - timedelta(days=10))
        late.update(channel="", account="")
    monitor.follow(bank=watched)
    with bank_scope(watched.pk):
        found = judged(reference())
    bands = {one.name: one.gap_band for one in found.blanks}
    assert bands == {"account": "act", "channel": "act", "counterparty": "stable"}
    assert found.channels[0].band == "act"
