"""Which processes the demo consists of: the web, the metronome, and a worker for each party."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from consortium.accounts.models import Bank
from consortium.demo.supervisor import Child

HERE = "127.0.0.1"
CELERY = (sys.executable, "-m", "celery", "--app", "consortium.celery")
WORKERS_STAGE, WEB_STAGE = 0, 1  # workers speak to the web until their last moment
WITHOUT_A_WORKER = (Bank.Status.INVITED, Bank.Status.REMOVED)


def banks_with_a_worker() -> list[str]:
    """The slugs of the banks that have joined and were not removed, oldest first."""
    banks = Bank.objects.exclude(status__in=WITHOUT_A_WORKER)
    return list(banks.order_by("created_at").values_list("slug", flat=True))


def wanted_children(*, host: str, port: int, banks: Iterable[str]) -> Iterator[Child]:
    yield web(host, port)
    yield worker("coordinator", ["coordinator"])
    yield beat()
    for slug in banks:
        yield worker(f"bank-{slug}", [f"{slug}.train", f"{slug}.protocol"])


def web(host: str, port: int) -> Child:
    # fmt: off
    return Child("web", (
        sys.executable, "-m", "uvicorn", "consortium.asgi:application", "--host", host,
        "--port", str(port), "--no-access-log", "--log-level", "warning", "--lifespan", "off",
        "--timeout-graceful-shutdown", "3",
    ), stage=WEB_STAGE)
    # fmt: on


def worker(name: str, queues: list[str]) -> Child:
    """One pool process: a bank trains one thing at a time, and a stop gives the task back."""
    # fmt: off
    return Child(name, (
        *CELERY, "worker", "--queues", ",".join(queues), "--hostname", f"{name}@%h",
        "--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ), stage=WORKERS_STAGE, grace=15)
    # fmt: on


def beat() -> Child:
    """The scheduler without a file: what is due is decided by rows."""
    argv = (*CELERY, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=")
    return Child("beat", argv, stage=WORKERS_STAGE, grace=15)
