"""From invitations to a published model, as the banks and the centre do it."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from aggregation.models import ModelVersion as CentreVersion
from aggregation.models import PublishedSum, Round, TrainingRun
from banks import coordinator
from banks.ml.artifact import ModelArtifact
from banks.ml.courses.plans import NewtonPlan, to_json
from banks.models import KeptFirstStage, ModelVersion, ProtocolAct, RoundPart, SentMessage
from banks.services.evidence_pack import export_pack
from banks.services.rounds import ledger, votes
from banks.services.rounds.node import Node
from banks.services.rounds.standard import standard_task
from consortium.accounts.actors import system
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.envelope import Signed, unframe
from tests.rounds.consortium import Consortium, describe, plan

KINDS = {
    "join",
    "roster-signature",
    "epoch",
    "submission",
    "freeze-signature",
    "partial",
    "derived",
    "vote",
    "head-cosignature",
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every body that leaves a bank, as it leaves."""
    bodies: list[bytes] = []

    def recording(
        url: Any, method: str, target: str, body: bytes, kind: str, headers: dict[str, str]
    ) -> coordinator.Answer:
        if body:
            bodies.append(body)
        return really(url, method, target, body, kind, headers)

    really = coordinator.request
    monkeypatch.setattr(coordinator, "request", recording)
    return bodies


def kind_of(body: bytes) -> str:
    """The kind of the protocol message that a body is; fails for anything else."""
    if body.startswith(b"{"):
        content = json.loads(body)
        signed = Signed.from_wire(content.get("epoch", content))
        extra = set(content) - {"body", "signer", "signature", "epoch", "biprimality", "shares"}
        assert not extra, extra
    else:
        header, _blobs = unframe(body, len(body))
        signed = Signed.from_wire(header)
    return str(signed.body["kind"])


def test_three_banks_learn_one_model_together(
    consortium: Consortium, sent: list[bytes], tmp_path: Path
) -> None:
    for seed, slug in enumerate(["ume", "kiku", "ran"]):
        consortium.join(slug, seed)
    consortium.agree()
    run = consortium.run()
    consortium.until(run)
    assert run.state == TrainingRun.State.DONE, describe(run)
    assert [r.state for r in run.rounds.all()] == [Round.State.OPENED] * 5
    assert CentreVersion.objects.get(run=run).state == CentreVersion.State.PUBLISHED

    models = set()
    for bank in consortium.banks:
        with bank_scope(bank.pk):
            version = ModelVersion.objects.get(origin="consortium")
            models.add(version.artifact_sha256)
            assert RoundPart.objects.filter(stage="derived").count() == 5
            assert ProtocolAct.objects.filter(kind="signed").count() == 5
            assert SentMessage.objects.filter(purpose="update").count() == 2
    assert len(models) == 1, "every bank derived the same bytes"

    published = PublishedSum.objects.get(round__run=run)
    assert published.banks == 3
    assert sum(published.values) > 0

    assert {kind_of(body) for body in sent} == KINDS, "nothing but protocol messages leaves"
    held = [b"acc-0", b"shop-", *(f"{bank.slug}-0".encode() for bank in consortium.banks)]
    assert not [word for word in held if any(word in body for body in sent)]

    task = str(run.task_id)
    for bank in consortium.banks:
        report = ledger.verify(Node(bank), task)
        assert report.ok, report.fault
        assert [counted.frozen for counted in report.rounds] == [True] * 5
    an_auditor_checks_the_pack(consortium.banks[0], tmp_path / "pack.zip")


def an_auditor_checks_the_pack(bank: Bank, file: Path) -> None:
    """With the command and the file alone; one changed byte is found."""
    pack = export_pack(actor=system("auditor", bank=bank), node=Node(bank))
    file.write_bytes(pack)
    said = StringIO()
    call_command("verify_participation", file, stdout=said)
    assert re.search("[23] votes", said.getvalue())  # the third is not waited for
    assert said.getvalue().count("counted") == 5
    (members,) = votes.on_members(Node(bank))
    assert members.signed == ("Kiku Bank", "Ran Bank", "Ume Bank")
    ((model, _signed),) = votes.on_models(Node(bank))
    assert len(model.accepted) in {2, 3}
    assert model.refused == ()
    file.write_bytes(pack.replace(b"submission", b"sabmission", 1))
    with pytest.raises(CommandError, match="Broken"):
        call_command("verify_participation", file)
    with bank_scope(bank.pk):
        assert AuditEntry.objects.filter(bank=bank, verb="evidence.exported").count() == 1


def test_three_banks_fit_one_logistic_regression_on_a_first_stage(consortium: Consortium) -> None:
    """The course decides the sums and their lengths; the centre only opens them."""
    for seed, slug in enumerate(["ume", "kiku", "ran"]):
        consortium.join(slug, seed)
    training = to_json(NewtonPlan(rounds=2, cells=256))
    task = standard_task(plan(), family="logistic", training=training)
    task["recipe"]["first_stage"] |= {"rounds": 1}
    task["first_step"]["remaining"] -= 4
    consortium.agree("secagg", task)
    run = consortium.run()
    consortium.until(run)
    assert run.state == TrainingRun.State.DONE, describe(run)
    assert [r.step for r in run.rounds.all()] == [
        "first stage histograms",
        "first stage newton",
        "histograms",
        "newton",
        "newton",
        "metrics",
    ]
    models, first_stages = set(), set()
    for bank in consortium.banks:
        with bank_scope(bank.pk):
            version = ModelVersion.objects.get(origin="consortium")
            kept = KeptFirstStage.objects.get()
            assert version.family == "logistic"
            assert version.feature_plan["first_stage"] == kept.sha256
            assert version.lineage["first_stage"] == kept.sha256
            assert ModelArtifact.from_bytes(bytes(version.artifact)).first_stage == kept.sha256
        models.add(version.artifact_sha256)
        first_stages.add(bytes(kept.content))
    assert len(models) == len(first_stages) == 1, "every bank derived the same bytes"
