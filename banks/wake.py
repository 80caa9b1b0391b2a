"""Tell a bank's worker that a row waits for it, once that row has been committed.

By name, so that a web process need not load what the worker does. A message lives half a minute:
where it is lost or comes too late, ``keep_time`` finds the row.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import Final

from celery import current_app
from django.db import transaction

from consortium.accounts.models import Bank

SECONDS: Final = 30


def for_training(bank: Bank, run_id: uuid.UUID) -> None:
    _wake(bank, "train_alone", str(bank.pk), str(run_id))


def for_import(bank: Bank, import_id: uuid.UUID) -> None:
    _wake(bank, "read_import", str(bank.pk), str(import_id))


def for_labels(bank: Bank) -> None:
    _wake(bank, "read_labels", str(bank.pk))


def for_scoring(bank: Bank) -> None:
    _wake(bank, "score_imports", str(bank.pk))


def for_signal_price(bank: Bank) -> None:
    _wake(bank, "measure_signal", str(bank.pk))


def for_rehearsal(bank: Bank) -> None:
    _wake(bank, "rehearse", str(bank.pk))


def for_carrying(bank: Bank) -> None:
    _wake(bank, "carry_forward", str(bank.pk))


def for_monitor(bank: Bank) -> None:
    _wake(bank, "follow_days", str(bank.pk))


def _wake(bank: Bank, task: str, *args: str) -> None:
    signature = current_app.signature(
        f"banks.tasks.{task}", args=args, queue=f"{bank.slug}.train", immutable=True
    )
    transaction.on_commit(partial(signature.apply_async, expires=SECONDS))
