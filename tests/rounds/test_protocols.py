"""A whole run by each protocol that a task can choose; threshold Paillier is in test_whole_run."""

from __future__ import annotations

from collections import Counter

import pytest

from aggregation.models import PublishedSum, Round, SealedMaskShares, TrainingRun
from banks import keys
from banks.models import Destruction, ModelVersion, ProtocolAct, RoundPart
from banks.services.rounds import ledger
from banks.services.rounds.node import Node
from consortium.accounts.tenancy import bank_scope
from tests.rounds.consortium import Consortium, describe
from tests.rounds.estimated import Expectation


@pytest.mark.parametrize("protocol", ["secagg", "paillier-phe"])
def test_three_banks_learn_one_model_by(consortium: Consortium, protocol: str) -> None:
    for seed, slug in enumerate(["ume", "kiku", "ran"]):
        consortium.join(slug, seed, rows=900)
    task = consortium.agree(protocol)
    expected = Expectation(consortium.banks[0], str(task.pk))
    run = consortium.run()
    consortium.until(run, most=120)
    assert run.state == TrainingRun.State.DONE, describe(run)
    expected.check(run)
    rounds = list(run.rounds.all())
    assert {r.state for r in rounds} == {Round.State.OPENED}
    assert {r.manifest["body"]["protocol"] for r in rounds} == {protocol}
    assert PublishedSum.objects.get(round__run=run).banks == 3

    models = set()
    for bank in consortium.banks:
        with bank_scope(bank.pk):
            models.add(ModelVersion.objects.get(origin="consortium").artifact_sha256)
            assert RoundPart.objects.filter(stage="derived").count() == len(rounds)
            assert ProtocolAct.objects.filter(kind="opened").count() == len(rounds)
            gone = Counter(Destruction.objects.values_list("what", flat=True))
            foreign = list(Destruction.objects.filter(what="uploads").values_list("pieces", "size"))
            assert not RoundPart.objects.exclude(upload=b"").exists()
        assert not keys.held_round_secrets(bank.slug), "mask keys are destroyed after use"
        masked = {"mask_keys": len(rounds)} if protocol == "secagg" else {}
        assert gone == {"uploads": len(rounds), "own_upload": len(rounds), **masked}
        assert all(pieces == 2 and size > 0 for pieces, size in foreign)
        report = ledger.verify(Node(bank), str(run.task_id))
        assert report.ok, report.fault
    assert len(models) == 1, "every bank derived the same bytes"
    if protocol == "secagg":
        assert {r.manifest["body"]["layout"] for r in rounds} <= {"k16w24", "k56w64"}
        assert SealedMaskShares.objects.filter(advertisement__round__in=rounds).count() == (
            len(rounds) * 9
        )
