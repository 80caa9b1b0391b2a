"""`manage.py demo`: the whole product on this machine, filled, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections

from consortium.demo.beginning import choose_port, erase, make_tables, only_demo
from consortium.demo.children import HERE, banks_with_a_worker, wanted_children
from consortium.demo.report import Outcome, box
from consortium.demo.supervisor import Supervisor

LOOK_EVERY = 0.5  # seconds between two looks at the processes
WEB_SECONDS = 60.0
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Story(threading.Thread):
    """Fills the product through its own services while the main thread minds the processes."""

    def __init__(self, log: Path, told: Callable[[], Outcome]) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.told = told
        self.outcome = Outcome()

    def run(self) -> None:
        try:
            self.outcome = self.told()
        except Exception as error:
            self.log.write_text(traceback.format_exc(), encoding="utf-8")
            self.outcome.problems.append(f"{type(error).__name__}: {error} (see {self.log})")
        finally:
            close_old_connections()


class Command(BaseCommand):
    help = "Start everything on this machine, with five invented banks; Ctrl-C stops it."
    requires_system_checks = ()  # the database check needs tables, which are made below

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--scale", choices=["small", "normal"], default="normal")
        parser.add_argument(
            "--host", default=HERE, help="listen there (default: this machine only)"
        )
        parser.add_argument("--port", type=int, help="the web's port (default: 8000 or the next)")
        parser.add_argument("--reset", action="store_true", help="delete all data and start over")
        parser.add_argument("--yes", action="store_true", help="answer yes to --reset's question")
        parser.add_argument(
            "--exit", action="store_true", help="run all, check, print a summary, end"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there")

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo needs CONSORTIUM_ROLE=demo, or none at all.")
        logging.getLogger("django_structlog").setLevel(logging.WARNING)  # this terminal is people's
        for number in STOPPED_BY:
            signal.signal(number, _interrupt)
        began = time.monotonic()
        try:
            with only_demo():
                if options["reset"]:
                    self.reset(sure=options["yes"])
                self.say("Making tables")
                make_tables()
                self.run(began, options)
        except KeyboardInterrupt:
            if options["exit"]:
                raise CommandError("Interrupted before the end.", returncode=130) from None

    def reset(self, *, sure: bool) -> None:
        question = (
            f"Delete everything in database {settings.DATABASES['default']['NAME']} and the "
            f"parties' folders under {settings.DATA_DIR}? [y/N] "
        )
        if not sure:
            if not sys.stdin.isatty():
                raise CommandError("--reset asks before it deletes; without a terminal add --yes.")
            if input(question).strip().lower() not in {"y", "yes"}:
                raise CommandError("Nothing was deleted.")
        self.say("Deleting the data of earlier runs")
        erase()

    def run(self, began: float, options: dict[str, Any]) -> None:
        host, port = options["host"], choose_port(options["host"], options["port"])
        address = settings.COORDINATOR_URL = f"http://{HERE}:{port}"
        with self.supervisor(address) as supervisor:
            self.say("Starting the web, the coordinator's worker and the metronome")
            self.mind(supervisor, host, port)
            self.wait_for_web(address, supervisor)
            self.say(f"{address} answers; it fills while you look")
            story = Story(supervisor.logs / "story.log", partial(self.tell, address, options))
            story.start()
            while story.is_alive():
                time.sleep(LOOK_EVERY)
                self.mind(supervisor, host, port)
            self.report(story.outcome, supervisor, address, time.monotonic() - began, options)
            while not options["exit"]:
                time.sleep(LOOK_EVERY)
                self.mind(supervisor, host, port)

    def tell(self, address: str, options: dict[str, Any]) -> Outcome:
        """Loaded here, because it brings NumPy and Polars, while the processes start already."""
        from consortium.demo.story import tell

        return tell(scale=options["scale"], address=address, say=self.say)

    @contextlib.contextmanager
    def supervisor(self, address: str) -> Iterator[Supervisor]:
        logs = settings.DATA_DIR / "log"
        logs.mkdir(parents=True, exist_ok=True)
        env = os.environ | {
            "COORDINATOR_URL": address,
            "CONSORTIUM_DATA_DIR": str(settings.DATA_DIR),
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
            "PYTHONUNBUFFERED": "1",
            "REMAP_SIGTERM": "SIGQUIT",  # a stopped worker gives its task back
        }
        supervisor = Supervisor(logs=logs, note=self.say, env=env, cwd=settings.BASE_DIR)
        try:
            yield supervisor
        finally:
            self.say("Stopping")
            supervisor.stop()

    def mind(self, supervisor: Supervisor, host: str, port: int) -> None:
        """One look: crashed processes come back, a bank that has joined gets its worker."""
        supervisor.tend()
        with contextlib.suppress(OperationalError):  # the database itself is being restarted
            close_old_connections()
            supervisor.want(wanted_children(host=host, port=port, banks=banks_with_a_worker()))

    def wait_for_web(self, address: str, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + WEB_SECONDS
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer,  # noqa: S310
            ):
                if answer.status == 200:
                    return
            supervisor.tend()
            time.sleep(0.1)
        log = supervisor.logs / "web.log"
        last_words = log.read_text(errors="replace").splitlines()[-1:]
        raise CommandError(f"The web does not answer (see {log}): {''.join(last_words)}")

    def report(
        self,
        outcome: Outcome,
        supervisor: Supervisor,
        address: str,
        seconds: float,
        options: dict[str, Any],
    ) -> None:
        if supervisor.restarts:
            outcome.problems.append(
                f"{supervisor.restarts} times a process ended by itself; see {supervisor.logs}."
            )
        summary = json.dumps(outcome.summary(seconds=seconds), indent=2, ensure_ascii=False)
        if options["json"]:
            options["json"].write_text(summary + "\n", encoding="utf-8")
        self.say(summary if options["exit"] else box(outcome, address=address))
        if options["exit"] and outcome.problems:
            raise CommandError(" ".join(outcome.problems))

    def say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone, the stop must go on
            self.stdout.write(sentence)
            self.stdout.flush()


def _interrupt(*_: object) -> NoReturn:
    """Stop in order; a second Ctrl-C must not cut the stop short, it is bounded anyway."""
    for number in STOPPED_BY:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
