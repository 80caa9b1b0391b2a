"""Two banks that have everything a bank can have, and the centre.

Whatever Fuji Bank wrote carries a canary: if its text or its amount is ever seen by anybody else,
a wall has a hole.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.apps import apps
from django.db import connection
from django.utils import timezone

from banks import keys
from banks.ml.evaluation import GRID
from banks.ml.scored import ScoredRows
from banks.models import (
    AccessEntry,
    Alert,
    AlertEvent,
    BankSettings,
    BulkAction,
    Case,
    CaseAlert,
    CaseEvent,
    CaseStep,
    Comparison,
    ContactAttempt,
    EvaluatedRows,
    Evaluation,
    EvaluationSegment,
    FreezeRequest,
    Gift,
    Import,
    ImportStatus,
    LabelEvent,
    LabelFile,
    ModelVersion,
    MonitorDay,
    MonitorReference,
    ProtocolAct,
    ProtocolLease,
    RetrainingProposal,
    RoundPart,
    SavedView,
    Score,
    SentMessage,
    ShadowScore,
    SourceMapping,
    Threshold,
    ThresholdChange,
    TrainingRun,
    Transaction,
    TrustedRoster,
    WitnessedHead,
)
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import ApiToken, Bank, Membership, Role, User
from consortium.accounts.services import invitations
from consortium.accounts.tenancy import bank_scope
from consortium.accounts.tokens import create_token
from tests import make
from tests.aggregation.conftest import Consortium, founded, joined, with_key
from tests.aggregation.nodes import Node
from tests.cast import first_roster, player

WORD = "zx9canary"
AMOUNT = 739_173_917
CANARY = re.compile(rf"{WORD}|739[,.\s]?173[,.\s]?917", re.IGNORECASE)
HOME, OTHER = "sakura", "fuji"
STAFF = {
    "analyst": Role.ANALYST,
    "lead": Role.LEAD,
    "model_owner": Role.MODEL_OWNER,
    "bank_admin": Role.BANK_ADMIN,
    "auditor": Role.AUDITOR,
}
HASH = "5a" * 32


@dataclass
class Things:
    """Names of one place's things, as they stand in an address or a body."""

    names: dict[str, str]
    staff: dict[str, User] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.names[name]


@dataclass
class World:
    """What the matrix plays in."""

    home: Things
    other: Things
    centre: Things
    consortium: Consortium
    outsider: Node
    tokens: dict[str, str]


def build(folder: Path, home_word: str = "home") -> World:
    """Fill the database once; the caller rolls everything back."""
    home = _bank(HOME, home_word, 1_000, number=1, folder=folder)
    other = _bank(OTHER, WORD, AMOUNT, number=7_391, folder=folder)
    consortium = with_key(founded(3), "2-of-3")
    outsider = joined("Outsider Bank")
    centre = _centre(consortium)
    tokens = {
        f"{place} {scope}": _token(things, scope)
        for place, things in (("home", home), ("other", other))
        for scope in ("read", "score", "write")
    }
    tokens["centre read"] = make.token("mio", ("read",))[1]
    tokens["centre write"] = make.token("mio", ("read", "write"))[1]
    # A token's last use is written down once a minute; here that is no change to look at.
    ApiToken.objects.update(last_used_at=timezone.now() + timedelta(hours=1))
    guard(other["bank_id"])
    return World(home, other, centre, consortium, outsider, tokens)


def missing() -> dict[str, str]:
    """Names of what exists nowhere, in the shape of those that do."""
    nothing = str(uuid.uuid4())
    return {
        **dict.fromkeys(_UUIDS, nothing),
        **dict.fromkeys(_NUMBERS, "912736455"),
        **dict.fromkeys(("bank", "slug"), "atlantis"),
        "account": "account of nobody",
        **dict.fromkeys(("token", "invitation"), "no-such-invitation"),
    }


_NUMBERS = ("transaction_id", "membership_id", "gift_id", "number", "version")
_UUIDS = (
    "alert_id",
    "case_id",
    "freeze_id",
    "bulk_id",
    "view_id",
    "import_id",
    "run_id",
    "version_id",
    "change_id",
    "proposal_id",
    "file_id",
    "task",
    "epoch",
    "invitation_id",
    "token_id",
    "notification_id",
    "task_id",
    "epoch_id",
    "round_id",
)


def guard(bank_id: str) -> None:
    """From now on PostgreSQL itself cries out when a row of this bank is touched.

    The cry breaks the request that caused it, with its traceback.
    """
    tables = {
        model._meta.db_table: "bank_id"
        for app in ("banks", "accounts")
        for model in apps.get_app_config(app).get_models()
        if any(field.column == "bank_id" for field in model._meta.fields)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SET CONSTRAINTS ALL IMMEDIATE;
            SET CONSTRAINTS ALL DEFERRED;
            CREATE FUNCTION pg_temp.cry() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'a row of another bank was touched: %', TG_TABLE_NAME; END $$
            """
        )
        for table, column in {**tables, "accounts_bank": "id"}.items():
            for row, event in (("NEW", "INSERT OR UPDATE"), ("OLD", "DELETE OR UPDATE")):
                cursor.execute(
                    f"CREATE TRIGGER cry_{row} BEFORE {event} ON {table} FOR EACH ROW"
                    f" WHEN ({row}.{column} = '{bank_id}') EXECUTE FUNCTION pg_temp.cry()"
                )


def _bank(slug: str, word: str, amount: int, *, number: int, folder: Path) -> Things:
    bank = make.bank(slug)
    keys.make(slug)
    staff = {name: _person(bank, role, word) for name, role in STAFF.items()}
    admin = Actor(str(staff["bank_admin"]), staff["bank_admin"], bank, Role.BANK_ADMIN)
    with bank_scope(bank.pk):
        names = {
            **_data(bank, word, amount, folder),
            **_models(bank, word, amount, number),
            **_protocol(bank, word, amount),
        }
        names |= _alert(bank, word, amount, staff["analyst"], names)
        names |= _case(bank, word, amount, number, staff["analyst"], names)
    invited, secret = invitations.invite(
        actor=admin, email=f"new.{word}@{slug}.example", name=f"New {word}", role=Role.ANALYST
    )
    audit.record(actor=admin, verb="settings.changed", bank=bank, target=word, note=word)
    token, _ = create_token(actor=admin, name=word, scopes=["read"], days=3)
    names |= {
        "bank": slug,
        "bank_id": str(bank.pk),
        "membership_id": str(staff["lead"].memberships.get().pk),
        "invitation_id": str(invited.pk),
        "token": secret,
        "token_id": str(token.pk),
    }
    return Things(names, staff)


def _person(bank: Bank, role: Role, word: str) -> User:
    user = User.objects.create(
        email=f"{role}.{word}@{bank.slug}.example", name=f"{role.label} {word}"
    )
    Membership.objects.create(user=user, bank=bank, role=role)
    return user


def _token(things: Things, scope: str) -> str:
    user = things.staff["lead"]
    actor = Actor(str(user), user, user.memberships.get().bank, Role.LEAD)
    scopes = ["read", "write"] if scope == "write" else [scope]
    return create_token(actor=actor, name=scope, scopes=scopes, days=3)[1]


def _data(bank: Bank, word: str, amount: int, folder: Path) -> dict[str, str]:
    file, errors = folder / f"{word}.csv", folder / f"{word}-errors.csv"
    file.write_text(f"id,time,account,amount\n{word},2026-01-05T00:00:00Z,{word},{amount}\n")
    errors.write_text(f"line,column,value,rule\n2,account,{word},missing\n")
    # Names that a request will say carry no canary: an answer may repeat what it was asked.
    account, saved = f"account of {bank.slug}", f"mapping of {bank.slug}"
    mapping = {"columns": {"id": word}, "zone": "UTC"}
    SourceMapping.objects.create(bank=bank, name=saved, mapping=mapping)
    source = Import.objects.create(
        bank=bank,
        file_name=f"{word}.csv",
        file_path=str(file),
        errors_path=str(errors),
        file_sha256=HASH,
        mapping=mapping,
        status=ImportStatus.REFUSED,
        failure_code="rows_refused",
        failure="Rows are refused.",
        first_errors=[{"line": 2, "column": "account", "value": word, "rule": "missing"}],
        warnings=[],
        rows_refused=amount,
    )
    transactions = [
        Transaction.objects.create(
            bank=bank,
            external_id=f"{word}-{n}",
            time=timezone.now() - timedelta(hours=n),
            account=account,
            counterparty=f"shop-{word}",
            amount=amount,
            channel=word[:20],
        )
        for n in (1, 2)
    ]
    labelled = transactions[1]
    brought = LabelFile.objects.create(
        bank=bank,
        file_name=f"{word}-labels.csv",
        file_path=str(file),
        errors_path=str(errors),
        file_sha256=HASH,
        status=ImportStatus.REFUSED,
        failure_code="rows_refused",
        failure="Rows are refused.",
        first_errors=[{"line": 2, "column": "label", "value": word, "rule": "missing"}],
        rows_refused=amount,
    )
    LabelEvent.objects.create(
        bank=bank, transaction=labelled, value=1, source="analyst", reason=word
    )
    return {
        "import_id": str(source.pk),
        "file_id": str(brought.pk),
        "transaction_id": str(transactions[0].pk),
        "account": account,
        "saved": saved,
    }


def _models(bank: Bank, word: str, amount: int, number: int) -> dict[str, str]:
    run = TrainingRun.objects.create(
        bank=bank,
        phase="alone",
        status="failed",
        failure_code="one_class",
        failure=f"It failed: {word}.",
        settings={"note": word},
        result={"rows": amount},
        finished_at=timezone.now(),
    )
    version, before = (
        ModelVersion.objects.create(
            bank=bank,
            number=number + n,
            origin="alone",
            family=f"mlp {word}"[:20],
            status="published",
            artifact=b"",
            artifact_sha256=HASH,
            parameters=amount,
            lineage={"note": word},
        )
        for n in (0, 1)
    )
    window = {
        "window_from": timezone.now() - timedelta(days=9),
        "window_until": timezone.now() - timedelta(days=1),
    }
    counts = [0] * GRID.bins
    counted: dict[str, Evaluation] = {}
    for name in ("test", "validation"):
        evaluation = counted[name] = Evaluation.objects.create(
            bank=bank,
            version=version,
            window=name,
            label_delay_days=7,
            fraud=[*counts[1:], 41],
            genuine=[amount, *counts[1:]],
            fraud_amount=[*counts[1:], amount],
            **window,
        )
        EvaluationSegment.objects.create(
            bank=bank,
            evaluation=evaluation,
            kind="channel",
            name=word[:20],
            fraud=evaluation.fraud,
            genuine=evaluation.genuine,
            fraud_amount=evaluation.fraud_amount,
        )
    key = Transaction.objects.filter(bank=bank).values_list("pk", flat=True)[:1]
    one = np.ones(1)
    rows = ScoredRows(
        keys=np.array(key),
        logits=11.9 * one,
        labels=one.astype(np.int8),
        amounts=amount * one.astype(np.int64),
        times=one.astype(np.int64),
        channels=(0 * one).astype(np.int16),
    )
    of_before = Evaluation.objects.create(
        bank=bank,
        version=before,
        window="test",
        label_delay_days=7,
        fraud=counts,
        genuine=counts,
        **window,
    )
    for one_evaluation in (counted["test"], of_before):
        EvaluatedRows.objects.create(
            bank=bank, evaluation=one_evaluation, channel_names=[word[:20]], **rows.pack()
        )
    caught = dict.fromkeys(("caught_by_both", "caught_by_version", "caught_by_baseline"), 1)
    Comparison.objects.create(
        bank=bank,
        version=version,
        baseline=before,
        alerts=amount,
        caught_by_neither=1,
        **caught,
        **window,
    )
    Threshold.objects.create(bank=bank, version=version, value=0.5, method="person", reason=word)
    BankSettings.objects.create(
        bank=bank, scoring_version=version, previous_version=before, zone="UTC"
    )
    reference = MonitorReference.objects.create(
        bank=bank,
        version=version,
        payments=amount,
        rows=amount,
        edges={word: [1.0]},
        counts={word: [amount, 1, 0]},
        scores=[amount, *counts[1:]],
        channels={word: amount},
        blanks={"channel": 1},
        volumes=[amount],
        **window,
    )
    MonitorDay.objects.create(
        bank=bank,
        reference=reference,
        day=window["window_until"].date(),
        payments=amount,
        rows=amount,
        counts={word: [amount, 1, 0]},
        scores=[amount, *counts[1:]],
        channels={word: amount},
        blanks={"channel": 1},
    )
    figures = {"psi": 0.4, "low": 0.3, "high": 0.5, "rows": amount}
    proposal = RetrainingProposal.objects.create(
        bank=bank, version=version, reasons=[{"what": "feature", "name": word, **figures}]
    )
    change = ThresholdChange.objects.create(
        bank=bank, version=version, value=0.4, before=0.5, reason=word, note=word
    )
    return {
        "run_id": str(run.pk),
        "version_id": str(version.pk),
        "number": str(number),
        "change_id": str(change.pk),
        "proposal_id": str(proposal.pk),
    }


def _alert(
    bank: Bank, word: str, amount: int, analyst: User, names: dict[str, str]
) -> dict[str, str]:
    alert = Alert.objects.create(
        bank=bank,
        transaction_id=names["transaction_id"],
        version_id=names["version_id"],
        probability=0.8,
        threshold=0.5,
        expected_loss=amount,
        note=word,
        reasons=[],
    )
    AlertEvent.objects.create(bank=bank, alert=alert, kind="commented", user=analyst, text=word)
    Score.objects.create(
        bank=bank, transaction=alert.transaction, version=alert.version, probability=0.8
    )
    ShadowScore.objects.create(
        bank=bank,
        transaction=alert.transaction,
        version=alert.version,
        champion=alert.version,
        probability=0.8,
        champion_probability=0.8,
        would_alert=True,
        champion_alerted=True,
    )
    bulk = BulkAction.objects.create(
        bank=bank,
        user=analyst,
        act="decided",
        facts={"disposition": "fraud", "note": word},
        changed=[str(alert.pk)],
    )
    view = SavedView.objects.create(bank=bank, user=analyst, name=word, filters={"q": word})
    return {"alert_id": str(alert.pk), "bulk_id": str(bulk.pk), "view_id": str(view.pk)}


def _case(
    bank: Bank, word: str, amount: int, number: int, analyst: User, names: dict[str, str]
) -> dict[str, str]:
    case = Case.objects.create(
        bank=bank,
        number=number,
        account=names["account"],
        typology="mule",
        owner=analyst,
        opened_by=analyst,
        due_at=timezone.now() + timedelta(days=1),
        amount_at_risk=amount,
        amount_saved=amount,
    )
    by = {"bank": bank, "case": case}
    CaseAlert.objects.create(**by, alert_id=names["alert_id"], linked_by=analyst)
    CaseEvent.objects.create(**by, kind="note", user=analyst, text=word)
    CaseStep.objects.create(
        **by, code="flow", place=0, note=word, done_by=analyst, done_at=timezone.now()
    )
    ContactAttempt.objects.create(
        **by, channel="phone", called=word, reached=True, outcome="lent", note=word, made_by=analyst
    )
    freeze = FreezeRequest.objects.create(
        **by, account=f"kept {word}", reference=word, reason=word, balance=amount, reply=word
    )
    return {"case_id": str(case.pk), "freeze_id": str(freeze.pk)}


def _protocol(bank: Bank, word: str, amount: int) -> dict[str, str]:
    task, epoch, run = (uuid.uuid4() for _ in range(3))
    SentMessage.objects.create(
        bank=bank, path=f"rounds/{word}", purpose=word, size=amount, sha256=HASH, status=200
    )
    RoundPart.objects.create(
        bank=bank,
        task=task,
        consortium_run=run,
        round=uuid.uuid4(),
        number=1,
        purpose=word,
        run=TrainingRun.objects.filter(bank=bank)[0],
        manifest={"note": word},
        receipt={"note": word},
    )
    AccessEntry.objects.create(bank=bank, actor=word, what="alert", target=word)
    WitnessedHead.objects.create(bank=bank, size=1, root=HASH, head={"note": word})
    ProtocolAct.objects.create(
        bank=bank, kind="signed", task=task, subject=HASH, round=epoch, proposal=HASH, banks=[word]
    )
    members = sorted((player(f"{word} {n}") for n in range(3)), key=lambda one: one.bank)
    signed = first_roster(members).to_wire()
    TrustedRoster.objects.create(bank=bank, task=task, version=1, hash=HASH, signed=signed)
    duty = {"duty": "witness", "task": str(task), "epoch": str(epoch), "dealer": word}
    ProtocolLease.objects.create(bank=bank, for_people=[duty], last_error=word)
    gift = Gift.objects.create(
        bank=bank,
        direction="received",
        kind="model",
        state="refused",
        task=task,
        run=run,
        subject=HASH,
        peer=uuid.uuid4(),
        peer_name=word,
        request={"note": word},
        request_hash=HASH,
        content=word.encode(),
        size=amount,
        fault={"code": "wrong_gift", "sentence": "Bank %(peer)s lied.", "params": {"peer": word}},
    )
    return {"task": str(task), "epoch": str(epoch), "version": "1", "gift_id": str(gift.pk)}


def _centre(consortium: Consortium) -> Things:
    for who in ("mio", "jun"):
        make.person(who)
    run = consortium.start()
    colleague = User.objects.create(email="second@centre.example", name="Second Operator")
    place = Membership.objects.create(user=colleague, bank=None, role=Role.OPERATOR)
    invited, _ = invitations.invite(
        actor=make.actor("mio"), email="third@centre.example", name="Third", role=Role.OPERATOR
    )
    task = str(consortium.task.pk)
    names: dict[str, Any] = {
        "slug": Bank.objects.get(pk=consortium.nodes[2].bank).slug,
        "task_id": task,
        "task": task,
        "run_id": run.pk,
        "run": run.pk,
        "round_id": consortium.round.pk,
        "epoch_id": run.epoch_id,
        "epoch": run.epoch_id,
        "version": 1,
        "of_bank": consortium.nodes[0].bank,
        "membership_id": place.pk,
        "invitation_id": invited.pk,
    }
    return Things({name: str(value) for name, value in names.items()})
