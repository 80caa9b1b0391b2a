"""What a bank expects of a run before it, held against what its node then measures."""

from __future__ import annotations

import pytest

from aggregation.models import Round, TrainingRun
from banks.models import RoundPart
from banks.models import TrainingRun as OwnRun
from banks.services.rounds.estimates import agreed, reckoning, rehearsing
from banks.services.rounds.node import Node, manifest_of
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.sizes import bank_traffic, submission_bytes
from consortium.protocol.spec import METRICS
from tests.rounds.consortium import admin


class Expectation:
    """Made by a rehearsal on the bank's own node."""

    def __init__(self, bank: Bank, task: str) -> None:
        self.bank = bank
        rehearsing.ask(bank=bank, task=task, actor=admin(bank))
        rehearsing.rehearse_waiting(bank)
        [self.coming] = agreed.coming(Node(bank))
        with bank_scope(bank.pk):
            self.before = reckoning.estimate(bank, self.coming)
        assert self.before.basis == "rehearsal"
        assert self.before.total_seconds

    def check(self, run: TrainingRun) -> None:
        """Bytes as reckoned, memory within a quarter; the estimate stands with the run."""
        with bank_scope(self.bank.pk):
            own = OwnRun.objects.get(consortium_run=run.pk)
            took = reckoning.happened(own)
            parts = list(RoundPart.objects.filter(run=own))
            later = reckoning.estimate(self.bank, self.coming)
        assert reckoning.Estimate.from_json(own.estimate) == self.before
        assert took.sums == self.before.sums == len(parts)
        assert took.received == pytest.approx(self.before.received, rel=0.05)
        assert took.memory == pytest.approx(self.before.memory, rel=0.25)
        for part in parts:
            self._check_part(part)
        assert later.basis == "run"
        assert later.seconds == pytest.approx(took.seconds)

    def _check_part(self, part: RoundPart) -> None:
        manifest = manifest_of(part)
        step = agreed.step_of(manifest)
        reckoned = bank_traffic(self.coming.shape, step, custodian="open" in part.seconds)
        # Not known before: the digits of published counts, and that a last result names no step.
        near = 0.2 if manifest.step == METRICS else 0.01
        assert part.bytes_up == pytest.approx(reckoned.sent, rel=near, abs=64)
        assert part.bytes_down == pytest.approx(reckoned.received, rel=0.02)
        uploads = Round.objects.get(pk=manifest.round).submissions.values_list("size", flat=True)
        assert set(uploads) == {submission_bytes(self.coming.shape, step)}
