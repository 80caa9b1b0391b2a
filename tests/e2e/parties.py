"""A coordinator and bank nodes as separate processes, each with its own database and broker."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import dj_database_url
import psycopg2
import redis

from tests.services import REDIS_DATABASES

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
MOST_WORKERS = 4  # of one test run; each counts in a Redis database of its own
CELERY = (sys.executable, "-m", "celery", "--app", "consortium.celery")


@dataclass
class Party:
    """One node: its environment, its processes, its log."""

    name: str
    role: str
    folder: Path
    place: int = 0
    coordinator: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def database(self) -> str:
        return f"consortium_e2e_{os.getpid()}_{self.name}"

    @property
    def broker(self) -> str:
        """A Redis database of its own, past those of the tests' own workers."""
        url = os.environ["CELERY_BROKER_URL"]
        if url.startswith("redis+socket"):
            own = int(url.partition("virtual_host=")[2] or 0)
            return f"{url.partition('?')[0]}?virtual_host={self._past(own)}"
        parts = urlsplit(url)
        return urlunsplit(parts._replace(path=f"/{self._past(int(parts.path[1:] or 0))}"))

    def _past(self, number: int) -> int:
        return (number + MOST_WORKERS + self.place) % REDIS_DATABASES

    @property
    def env(self) -> dict[str, str]:
        here = urlsplit(os.environ["DATABASE_URL"])
        return {
            **os.environ,
            "CONSORTIUM_ROLE": self.role,
            "CONSORTIUM_BANK": self.name if self.role == "bank" else "",
            "CONSORTIUM_DATA_DIR": str(self.folder),
            "CONSORTIUM_KEY_BITS": "2048",
            "COORDINATOR_URL": self.coordinator,
            "DATABASE_URL": urlunsplit(here._replace(path=f"/{self.database}")),
            "CELERY_BROKER_URL": self.broker,
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
            "REMAP_SIGTERM": "SIGQUIT",
        }

    @property
    def log(self) -> Path:
        return self.folder / "all.log"

    def manage(self, *arguments: str) -> str:
        """Run one of Django's commands as this node; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        with self.log.open("a") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == 0, f"{self.name}: {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def shell(self, code: str) -> str:
        """The last line that a piece of Python prints inside this node."""
        return self.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1]

    def start(self, *argv: str) -> None:
        with self.log.open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    argv, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
                )
            )

    def web(self, port: int) -> None:
        self.start(
            sys.executable, "-m", "uvicorn", "consortium.asgi:application",
            "--host", HOST, "--port", str(port), "--lifespan", "off",
        )  # fmt: skip

    def work(self, *queues: str) -> None:
        """A worker for these queues, and the metronome."""
        self.start(
            *CELERY, "worker", "--queues", ",".join(queues), "--concurrency", "1",
            "--hostname", f"{self.name}@%h", "--without-gossip", "--without-mingle",
        )  # fmt: skip
        self.start(*CELERY, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=")

    def connect(self) -> psycopg2.extensions.connection:
        settings = dj_database_url.parse(self.env["DATABASE_URL"])
        return psycopg2.connect(
            dbname=settings["NAME"],
            user=settings["USER"] or None,
            host=settings["HOST"] or settings.get("OPTIONS", {}).get("host"),
            port=settings["PORT"] or None,
        )

    def redis(self) -> redis.Redis:
        url = self.broker.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
        return redis.Redis.from_url(url)


@contextlib.contextmanager
def nodes(parties: list[Party]) -> Iterator[None]:
    """Databases for these parties while the block lasts; afterwards nothing is left."""
    _execute(f"CREATE DATABASE {party.database}" for party in parties)
    try:
        for party in parties:
            party.folder.mkdir(parents=True)
            party.redis().flushdb()
            party.manage("migrate", "--verbosity", "0")
        yield
    finally:
        for party in parties:
            for process in party.processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                process.wait()
            party.redis().flushdb()
        _execute(f"DROP DATABASE IF EXISTS {party.database} WITH (FORCE)" for party in parties)


def _execute(statements: Iterator[str]) -> None:
    settings = dj_database_url.parse(os.environ["DATABASE_URL"])
    connection = psycopg2.connect(
        dbname=settings["NAME"],
        user=settings["USER"] or None,
        host=settings["HOST"] or settings.get("OPTIONS", {}).get("host"),
        port=settings["PORT"] or None,
    )
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_for_web(port: int) -> None:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=2) as found:
                return bool(found.status == 200)
        except OSError:
            return False

    wait(answers, "the coordinator's web", 60)


def wait(until: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(1)
