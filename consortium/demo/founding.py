"""How the demo's consortium comes to be: banks join, agree on a task, share a key."""

from __future__ import annotations

from typing import Any

from aggregation.models import KeyEpoch, RosterVersion, Task
from aggregation.services import enrolment, rosters, schedules
from banks.ml.features import FeaturePlan
from banks.ml.training import TrainingPlan
from banks.models import BankSettings
from banks.services.rounds import agreement, ceremony, joining
from banks.services.rounds.node import Node
from banks.services.rounds.standard import standard_task
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast

TASK = "Payment fraud"
TASK_JA = "決済の不正検知"
CURVES = "Payment fraud, one curve a feature"
CURVES_JA = "決済の不正検知(特徴量ごとの曲線)"
ZONE = "Asia/Tokyo"
NIGHTLY = "0 3 * * *"
ROUND_SECONDS = 600


def join(slug: str, name: str, name_ja: str, address: str) -> Bank:
    """The operator invites, the bank accepts with keys made on its side, its people come in."""
    bank = Bank.objects.filter(slug=slug).first()
    if bank is None or bank.status == Bank.Status.INVITED:
        if bank is None:
            _bank, invitation = enrolment.invite_bank(
                actor=cast.operator(), name=name, name_ja=name_ja, slug=slug
            )
        else:
            invitation = enrolment.renew_invitation(actor=cast.operator(), bank=bank)
        bank = joining.accept(
            invitation=invitation,
            slug=slug,
            admin_email=cast.email(Bank(slug=slug), cast.ADMIN[0]),
            admin_name=cast.ADMIN[1],
            admin_password=cast.PASSWORD,
            url=address,
        )
        with bank_scope(bank.pk):
            BankSettings.objects.update_or_create(
                bank=bank,
                defaults={"zone": ZONE, "reviewers": 2, "minutes_a_day": 80, "reviews_a_day": 40},
            )
    cast.fill_bank(bank)
    bank.refresh_from_db()
    return bank


def agree(banks: list[Bank], *, rounds: int) -> Task:
    """The task with its schedule, and a roster that every founder signs."""
    task = Task.objects.filter(name=TASK).first() or _task(rounds)
    sign(task, banks)
    return task


def agree_on_curves(banks: list[Bank]) -> Task:
    """A second task: logistic regression, whose long vectors are added under masks."""
    task = Task.objects.filter(name=CURVES).first() or Task.objects.create(
        **standard_task(_features(), family="logistic"),
        name=CURVES,
        name_ja=CURVES_JA,
        protocol=Task.Protocol.SECAGG,
        round_seconds=ROUND_SECONDS,
    )
    sign(task, banks)
    return task


def sign(task: Task, banks: list[Bank]) -> None:
    """The operator proposes these banks; each founder's administrator signs."""
    if not RosterVersion.objects.filter(task=task).exists():
        proposed = rosters.propose_roster(actor=cast.operator(), task=task, banks=banks)
        for bank in banks:
            agreement.sign_proposed_roster(
                Node(bank),
                task=str(task.pk),
                version=proposed.version,
                actor=cast.actor(bank, cast.ADMIN[0]),
            )


def _task(rounds: int) -> Task:
    task = Task.objects.create(
        **standard_task(_features(), training=TrainingPlan(rounds=rounds).to_json()),
        name=TASK,
        name_ja=TASK_JA,
        weight_cap="50000",
        round_seconds=ROUND_SECONDS,
    )
    schedules.set_schedule(actor=cast.operator(), task=task, cron=NIGHTLY, zone=ZONE, enabled=True)
    task.refresh_from_db()
    return task


def _features() -> FeaturePlan:
    return FeaturePlan(label_delay_days=7, zone=ZONE, joint=True)


def share_a_key(task: Task, banks: list[Bank]) -> None:
    """The first bank deals in a process that forgets the key; two others witness."""
    held: dict[str, Any] = {"task": task, "roster__state": RosterVersion.State.ACTIVE}
    epoch = KeyEpoch.objects.filter(**held).exclude(state=KeyEpoch.State.RETIRED).first()
    dealer, *witnesses = banks[:3]
    epoch_id = (
        str(epoch.pk)
        if epoch
        else ceremony.hold(Node(dealer), task=str(task.pk), actor=cast.actor(dealer, cast.ADMIN[0]))
    )
    for bank in witnesses:
        if not KeyEpoch.objects.filter(pk=epoch_id, state=KeyEpoch.State.ACTIVE).exists():
            ceremony.witness(Node(bank), epoch_id=epoch_id, actor=cast.actor(bank, cast.ADMIN[0]))
