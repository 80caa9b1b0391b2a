"""One bank with much work behind it, by the product's own services: import, training, alerts."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from django.utils import timezone

from banks.ml.schema import CANONICAL, DAY, Mapping
from banks.models import Import, ImportStatus, ModelVersion, Threshold
from banks.services import batch_scoring, carrying, imports, training
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Membership, Role, User
from consortium.accounts.tenancy import bank_scope
from consortium.benchmarks.payments import random_payments

SLUG = "benchmark"
DAYS = 180
ROWS_AN_ACCOUNT, ROWS_A_COUNTERPARTY = 300, 150
EVERYTHING = 1e-12  # a threshold that alerts on every payment
MAPPING = Mapping(columns={name: name for name in CANONICAL}, time_unit="us", amount_digits=0)


def fill(people: int, rows: int, alerts: int) -> tuple[Actor, list[User]]:
    """A bank with ``rows`` payments, a model in use, ``alerts`` alerts; its lead, its people."""
    bank = Bank.objects.create(slug=SLUG, name="Benchmark Bank", status=Bank.Status.ACTIVE)
    # Auditors may read every page; all come by sessions, so no password is needed.
    users = [_person(bank, f"person{number}", Role.AUDITOR) for number in range(people)]
    lead = _person(bank, "lead", Role.LEAD)
    owner = Actor(label=str(lead), user=lead, bank=bank, role=Role.LEAD)
    payments = _payments(rows)
    history, open_rows = payments[: rows - alerts], payments[rows - alerts :]
    _import(bank, owner, history)
    run = training.request_training(bank=bank, actor=owner)
    training.run_training(bank=bank, run_id=run.pk)
    _import(bank, owner, open_rows.with_columns(label=pl.lit(None, pl.Int8)))
    _alert_on_all(bank, owner)
    carrying.carry_forward(bank=bank)
    return owner, users


def accounts_of(rows: int) -> int:
    return max(10, rows // ROWS_AN_ACCOUNT)


def counterparties_of(rows: int) -> int:
    return max(10, rows // ROWS_A_COUNTERPARTY)


def _payments(rows: int) -> pl.DataFrame:
    """Half a year of payments until this morning."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS)
    return random_payments(
        rows,
        days=DAYS,
        accounts=accounts_of(rows),
        counterparties=counterparties_of(rows),
        seed=0,
        start=int(first.timestamp()) * DAY // 86_400,
    )


def _person(bank: Bank, name: str, role: Role) -> User:
    user = User.objects.create_user(f"{name}@{SLUG}.example", name=name)
    Membership.objects.create(user=user, bank=bank, role=role)
    return user


def _import(bank: Bank, owner: Actor, payments: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory(prefix="consortium-benchmark-") as folder:
        path = Path(folder) / "payments.parquet"
        payments.write_parquet(path)
        imported = imports.start_import(bank=bank, file=path, mapping=MAPPING, actor=owner)
    imports.run_import(bank=bank, import_id=imported.pk)
    with bank_scope(bank.pk):
        imported.refresh_from_db()
        if imported.status != ImportStatus.DONE:
            raise RuntimeError(f"The import ended as {imported.status}: {imported.failure}")


def _alert_on_all(bank: Bank, owner: Actor) -> None:
    """Alert on every open payment, then go on with the threshold that training had chosen."""
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get()
        usual = Threshold.objects.get(version=version).value
        Import.objects.filter(pk=Import.objects.earliest("created_at").pk).update(
            scored_at=timezone.now()
        )

    def alert_from(value: float) -> None:
        with bank_scope(bank.pk):
            Threshold.objects.create(
                bank=bank,
                version=version,
                value=value,
                method=Threshold.Method.PERSON,
                reason=SLUG,
                set_by=owner.user,
            )

    alert_from(EVERYTHING)
    batch_scoring.score_waiting(bank=bank)
    alert_from(usual)
