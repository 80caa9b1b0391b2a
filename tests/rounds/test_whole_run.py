"""From invitations to a published model, as the banks and the centre do it."""

from __future__ import annotations

from aggregation.models import ModelVersion as CentreVersion
from aggregation.models import PublishedSum, Round, TrainingRun
from banks.models import ModelVersion, ProtocolAct, RoundPart, SentMessage
from banks.services.rounds import ledger
from banks.services.rounds.node import Node
from consortium.accounts.tenancy import bank_scope
from tests.rounds.consortium import Consortium, describe


def test_three_banks_learn_one_model_together(consortium: Consortium) -> None:
    for seed, slug in enumerate(["ume", "kiku", "ran"]):
        consortium.join(slug, seed)
    consortium.agree()
    run = consortium.run()
    consortium.until(run)
    assert run.state == TrainingRun.State.DONE, describe(run)
    assert [r.state for r in run.rounds.all()] == [Round.State.OPENED] * 4
    assert CentreVersion.objects.get(run=run).state == CentreVersion.State.PUBLISHED

    models = set()
    for bank in consortium.banks:
        with bank_scope(bank.pk):
            version = ModelVersion.objects.get(origin="consortium")
            models.add(version.artifact_sha256)
            assert RoundPart.objects.filter(stage="derived").count() == 4
            assert ProtocolAct.objects.filter(kind="signed").count() == 4
            assert SentMessage.objects.filter(purpose="update").count() == 2
    assert len(models) == 1, "every bank derived the same bytes"

    published = PublishedSum.objects.get(round__run=run)
    assert published.banks == 3
    assert sum(published.values) > 0

    task = str(run.task_id)
    for bank in consortium.banks:
        report = ledger.verify(Node(bank), task)
        assert report.ok, report.fault
        assert [counted.frozen for counted in report.rounds] == [True] * 4
