"""Three banks with small histories, founded and keyed as people would do it."""

from __future__ import annotations

from typing import Any

from aggregation.models import Task, TrainingRun
from aggregation.services import comparing, enrolment, rosters, runs
from banks.ml.features import FeaturePlan
from banks.ml.training import TrainingPlan
from banks.models import ProtocolLease
from banks.services.gifts import models
from banks.services.rounds import agreement, ceremony, contribution, joining, outcome, steps
from banks.services.rounds.node import Node
from banks.services.rounds.standard import standard_task
from consortium.accounts.actors import Actor, system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks.world import with_history

OPERATOR = system("test operator")


class Consortium:
    """Founded on first use: ``banks`` in the order in which they joined."""

    def __init__(self) -> None:
        self.banks: list[Bank] = []
        self.task: Task | None = None

    def join(self, slug: str, seed: int, rows: int = 1500) -> Bank:
        """Invite a bank and let it come in with its own keys and data."""
        _bank, invitation = enrolment.invite_bank(
            actor=OPERATOR, name=f"{slug.title()} Bank", slug=slug
        )
        bank = joining.accept(
            invitation=invitation,
            slug=slug,
            admin_email=f"admin@{slug}.example",
            admin_name="Admin",
            admin_password=make.PASSWORD,
        )
        with_history(bank, rows=rows, seed=seed)
        self.banks.append(bank)
        return bank

    def agree(
        self, protocol: str = "paillier-threshold", definition: dict[str, Any] | None = None
    ) -> Task:
        """A task, a roster that everybody signs, a key that two witness."""
        self.task = Task.objects.create(
            name="Payments", protocol=protocol, **(definition or perceptron())
        )
        self.sign_roster()
        return self.task

    def sign_roster(self) -> None:
        """Propose the banks that have joined, let all sign, make a key for them."""
        assert self.task is not None
        proposed = rosters.propose_roster(actor=OPERATOR, task=self.task, banks=self.banks)
        for bank in self.banks:
            agreement.sign_proposed_roster(
                Node(bank), task=str(self.task.pk), version=proposed.version, actor=admin(bank)
            )
        dealer, *witnesses = self.banks[:3]
        epoch = ceremony.hold(Node(dealer), task=str(self.task.pk), actor=admin(dealer))
        for bank in witnesses:
            ceremony.witness(Node(bank), epoch_id=epoch, actor=admin(bank))

    def admit(self, *newcomers: Bank) -> None:
        """Another operator hears their numbers, then the members before them sign a roster."""
        assert self.task is not None
        for bank in newcomers:
            said = comparing.number_of(bank)
            comparing.compare_keys(actor=make.actor("mio"), bank=bank, said=said)
        proposed = rosters.propose_roster(actor=OPERATOR, task=self.task, banks=self.banks)
        for bank in self.banks:
            if bank not in newcomers:
                agreement.sign_proposed_roster(
                    Node(bank), task=str(self.task.pk), version=proposed.version, actor=admin(bank)
                )

    def run(self) -> TrainingRun:
        assert self.task is not None
        return runs.start_run(actor=OPERATOR, task=self.task)

    def step(self, bank: Bank) -> steps.Step:
        """One protocol step of a bank, with the work that its train queue would do."""
        token = steps.begin(bank, None)
        assert token is not None
        step = steps.take(bank)
        for part in step.to_train:
            contribution.prepare_upload(Node(bank), part)
        for task, run, model in step.to_vote:
            outcome.vote(Node(bank), task=task, run=run, candidate=model)
        for run in step.to_adopt:
            outcome.adopt(Node(bank), run)
        for gift in step.to_install:
            models.install(Node(bank), gift)
        steps.end(bank, token)
        return step

    def until(self, run: TrainingRun, banks: list[Bank] | None = None, most: int = 60) -> None:
        """Let the banks step until the run is over and everybody has settled it."""
        quiet = 0
        for _ in range(most):
            idle = [self.step(bank).again_after is None for bank in banks or self.banks]
            run.refresh_from_db()
            quiet = quiet + 1 if run.state != TrainingRun.State.RUNNING and all(idle) else 0
            if quiet:
                return
        raise AssertionError(f"{run} is still {run.state}: {describe(run)} {self.troubles()}")

    def troubles(self) -> list[str]:
        """What each bank's last step complained of."""
        found = []
        for bank in self.banks:
            with bank_scope(bank.pk):
                found.append(ProtocolLease.objects.get(bank=bank).last_error)
        return found


def perceptron() -> dict[str, Any]:
    """Two updates of a small one."""
    training = TrainingPlan(rounds=2, epochs=1)
    return standard_task(plan(), training=training.to_json(), hidden=(4,))


def plan() -> FeaturePlan:
    return FeaturePlan(kind="behaviour", label_delay_days=7, zone="UTC")


def admin(bank: Bank) -> Actor:
    return system("administrator", bank=bank)


def describe(run: TrainingRun) -> list[str]:
    return [
        f"{r.step}{r.number}.{r.attempt} {r.state}/{r.phase} {r.reason}" for r in run.rounds.all()
    ]
