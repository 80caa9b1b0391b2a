"""What came out: figures per bank, rounds, receipts that each bank verified, logins."""

from __future__ import annotations

from typing import Any

from aggregation.models import Round, Submission, TrainingRun
from banks.models import Alert, ModelVersion, RoundPart, Transaction
from banks.selectors.performance import Figures, figures_of
from banks.services import versions
from banks.services.rounds import ledger
from banks.services.rounds.node import Node
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast
from consortium.demo.report import Outcome

ORIGINS = ("alone", "consortium", "ensemble")


def outcome(
    banks: list[Bank], runs: list[TrainingRun], address: str, *, alerts_expected: bool = True
) -> Outcome:
    """The summary of a story; what did not hold is among the ``problems``."""
    found = Outcome(
        banks=[_bank_row(bank) for bank in banks],
        rounds=[_round_row(one, run) for run in runs for one in run.rounds.all()],
        logins=cast.logins(banks[0]),
        click_first=_click_first(banks[0], address),
    )
    for run in runs:
        for bank in banks:
            report = ledger.verify(Node(bank), str(run.task_id))
            if report.fault:
                found.problems.append(f"{bank}: {report.fault.sentence}")
            found.receipts_verified += sum(counted.frozen for counted in report.rounds)
        found.problems += _problems(banks, run)
    if alerts_expected and not any(row["alerts"] for row in found.banks):
        found.problems.append("No bank has an alert.")
    return found


def _bank_row(bank: Bank) -> dict[str, Any]:
    with bank_scope(bank.pk):
        row: dict[str, Any] = {"slug": bank.slug, "transactions": Transaction.objects.count()}
        for origin in ORIGINS:
            version = versions.newest(bank, origin)
            row[origin] = _figures(figures_of(version) if version else None)
        row["alerts"] = Alert.objects.count()
    return row


def _figures(found: Figures | None) -> dict[str, float | None]:
    if found is None:
        return dict.fromkeys(("average_precision", "precision", "recall", "f1"))
    return {
        "average_precision": found.average_precision,
        "precision": found.confusion.precision,
        "recall": found.confusion.recall,
        "f1": found.confusion.f1,
    }


def _round_row(one: Round, run: TrainingRun) -> dict[str, Any]:
    sizes = Submission.objects.filter(round=one).values_list("size", flat=True)
    took = (one.finished_at - one.opened_at).total_seconds() if one.finished_at else None
    return {
        "task": run.task.name,
        "protocol": run.task.protocol,
        "step": one.step,
        "number": one.number,
        "state": one.state,
        "members": len(sizes),
        "seconds": took,
        "bytes_up": max(sizes, default=0),
    }


def _problems(banks: list[Bank], run: TrainingRun) -> list[str]:
    """What a whole demo must have, and this one lacks."""
    problems = []
    models = set()
    for bank in banks:
        with bank_scope(bank.pk):
            models |= set(
                ModelVersion.objects.filter(
                    origin="consortium", run__consortium_run=run.pk
                ).values_list("artifact_sha256", flat=True)
            )
            if RoundPart.objects.filter(stage=RoundPart.Stage.FAILED).exists():
                problems.append(f"{bank} failed in a round.")
    if len(models) != 1:
        problems.append(f"The banks hold {len(models)} different consortium models.")
    if run.state != TrainingRun.State.DONE:
        problems.append(f"The run is {run.state}.")
    return problems


def _click_first(bank: Bank, address: str) -> list[str]:
    return [
        f"As analyst: {address}/bank/{bank.slug}/alerts/ and decide the first alert",
        f"As model owner: {address}/bank/{bank.slug}/performance/ and move the threshold",
        f"As operator: {address}/centre/ and start another run",
    ]
