from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from aggregation.models import RosterVersion, Round, Task, TrainingRun
from aggregation.services import enrolment, rosters, runs
from aggregation.services.comparing import compare_keys, number_of
from consortium.accounts.actors import Actor, system
from consortium.accounts.models import Bank, Membership, Role, User
from tests import make
from tests.aggregation.nodes import Node, play
from tests.protocol.keys import shared_key

OPERATOR = system("test operator")


@pytest.fixture
def second(db: None) -> Actor:
    """A second operator: who compares a number does not propose."""
    user = User.objects.create_user("second@centre.example", make.PASSWORD, name="Rei Ogawa")
    Membership.objects.create(user=user, bank=None, role=Role.OPERATOR)
    return Actor(label=str(user), user=user, role=Role.OPERATOR)


@pytest.fixture(autouse=True)
def _centre(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.ALLOW_SMALL_KEYS = True


@dataclass
class Consortium:
    """A task and its banks, with what they can do at any moment."""

    task: Task
    nodes: list[Node]

    def start(self, window: str = "") -> TrainingRun:
        return runs.start_run(actor=OPERATOR, task=self.task, window=window)

    @property
    def round(self) -> Round:
        """The newest round."""
        return Round.objects.order_by("-opened_at", "-number", "-attempt").first()

    def node(self, bank: Bank | uuid.UUID | str) -> Node:
        return next(n for n in self.nodes if n.bank == str(getattr(bank, "pk", bank)))

    def bank(self, node: Node) -> Bank:
        return Bank.objects.get(pk=node.bank)


def invited(name: str) -> tuple[Node, str]:
    bank, text = enrolment.invite_bank(actor=OPERATOR, name=name)
    return Node(str(bank.pk)), text


def joined(name: str) -> Node:
    node, text = invited(name)
    answer = node.join(text)
    assert answer.status_code == 201, answer.content
    return node


def compared(node: Node) -> Node:
    """As if an operator had compared the bank's number by voice."""
    bank = Bank.objects.get(pk=node.bank)
    compare_keys(actor=make.actor("mio"), bank=bank, said=number_of(bank))
    return node


def make_task(**changes) -> Task:
    facts = {
        "name": "Card fraud",
        "model": {"family": "mlp", "hidden": [4]},
        "recipe": {"epochs": 1},
        "first_step": {"name": "statistics", "bits": 56, "length": 6, "remaining": 2},
        "metric_values": 10,
    }
    return Task.objects.create(**{**facts, **changes})


def founded(count: int, **changes) -> Consortium:
    """A task whose founding members have signed their roster."""
    nodes = sorted((joined(f"Bank {i}") for i in range(count)), key=lambda node: node.bank)
    task = make_task(**changes)
    banks = Bank.objects.filter(pk__in=[node.bank for node in nodes])
    rosters.propose_roster(actor=OPERATOR, task=task, banks=banks)
    play(nodes, only={"sign_roster"})
    return Consortium(task, nodes)


def with_key(consortium: Consortium, name: str = "3-of-5") -> Consortium:
    """Hold the ceremony with a committed test key."""
    task, dealer = str(consortium.task.pk), consortium.nodes[0]
    epoch_id = str(uuid.uuid4())
    _epoch, publication = dealer.epoch_message(task, epoch_id, shared_key(name))
    answer = dealer.post(f"tasks/{task}/epochs", publication)
    assert answer.status_code == 201, answer.content
    for node in consortium.nodes:
        node.accept_share(epoch_id)
    play(consortium.nodes, only={"witness"})
    return consortium


@pytest.fixture
def five(db) -> Consortium:
    """Five banks with a roster and a key, ready to run."""
    return with_key(founded(5))


@pytest.fixture
def three(db) -> Consortium:
    return with_key(founded(3), "2-of-3")


def a_lease_passes(round_: Round) -> None:
    """As if the custodians on duty had let their time pass."""
    lease = timedelta(seconds=round_.run.task.lease_seconds)
    Round.objects.filter(pk=round_.pk).update(certified_at=F("certified_at") - lease)


def the_deadline_passes(round_: Round) -> None:
    Round.objects.filter(pk=round_.pk).update(deadline=timezone.now())


def active(task: Task) -> RosterVersion:
    found = rosters.active_roster(task)
    assert found is not None
    return found
