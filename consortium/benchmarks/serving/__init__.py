"""How fast the web answers programs and people at a bank with many payments and alerts.

A bank is filled in a database of its own, real web processes are started on it, and real
connections ask them: programs as fast as they can, people with three seconds between clicks.
"""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from banks.models import Alert, Transaction
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, User
from consortium.accounts.tenancy import bank_scope
from consortium.accounts.tokens import create_token
from consortium.benchmarks.serving import clients, filling
from consortium.benchmarks.serving.clients import Request
from consortium.benchmarks.serving.database import own_database
from consortium.benchmarks.serving.server import Server, serving

PROGRAMS, CALLS = 10, 200
PEOPLE, CLICKS, THOUGHT = 20, 30, 3.0
DETAILS: Final = 500  # alerts that people open


def run(rows: int = 1_500_000, alerts: int = 20_000, processes: int = 2) -> dict[str, Any]:
    """Fill, start, ask.

    Returns "scoring" and "pages" with "p50" and "p95" in milliseconds, and "queries" a page;
    "rss_mb" of the web process when it was "fresh", after the "programs" and after the "people".
    """
    logging.getLogger("django_structlog").setLevel(logging.WARNING)
    began = time.monotonic()
    with own_database() as environment:
        lead, people = filling.fill(PEOPLE, rows, alerts)
        bank = Bank.objects.get()
        filled = time.monotonic() - began
        visits = _visits(bank)
        queries = _queries(visits, people[0])
        with serving(environment, count=processes) as server:
            memory = {"fresh": server.rss_mb}
            scoring = _score(server, bank, lead, rows)
            memory["programs"] = server.rss_mb
            pages = _click(server, visits, people)
            memory["people"] = server.rss_mb
    return {
        "rows": rows,
        "alerts": alerts,
        "processes": processes,
        "fill_seconds": round(filled, 1),
        "scoring": {"clients": PROGRAMS} | scoring,
        "pages": {
            name: found | {"queries": queries[name]} for name, found in sorted(pages.items())
        },
        "people": {"clients": PEOPLE, "seconds_between_clicks": THOUGHT},
        "rss_mb": memory,
    }


def _visits(bank: Bank) -> list[Request]:
    """What people open, each page as often as its weight here."""
    base = f"/bank/{bank.slug}"
    with bank_scope(bank.pk):
        ids = Alert.objects.order_by("pk").values_list("pk", flat=True)[:DETAILS]
        alerts = [Request("alert", f"{base}/alerts/{pk}/") for pk in ids]
        last = Alert.objects.order_by("-expected_loss", "id")[DETAILS]
        account = Transaction.objects.order_by("pk").values_list("account", flat=True)[0]
    cursor = f"{last.expected_loss}_{last.pk}_{DETAILS}"
    weighted = {
        "queue": ["alerts/"] * 100,
        "queue, further down": [f"alerts/?after={cursor}"] * 50,
        "queue, filtered": ["alerts/?view=unassigned&only_consortium=on", "alerts/?channel=web"]
        * 25,
        "work": [""] * 50,
        "performance": ["performance/"] * 50,
        "transactions": [
            "transactions/",
            f"transactions/?account={account}",
            "transactions/?label=1",
            "transactions/?amount_from=900000000",
        ]
        * 25,
        "models": ["models/"] * 25,
        "privacy": ["privacy/"] * 25,
    }
    return alerts[:200] + [
        Request(name, f"{base}/{path}") for name, paths in weighted.items() for path in paths
    ]


def _queries(visits: list[Request], user: User) -> dict[str, int]:
    """The most that any visit of a page asks of the database; pages repeat, so a few of each."""
    browser = _browser(user)
    most: dict[str, int] = {}
    for visit in {(visit.name, visit.path): visit for visit in visits}.values():
        with CaptureQueriesContext(connection) as found:
            answer = browser.get(visit.path, headers={"host": "localhost"})
        if answer.status_code != 200:
            raise RuntimeError(f"{visit.path} answered {answer.status_code}")
        most[visit.name] = max(most.get(visit.name, 0), len(found))
    return most


def _browser(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def _score(server: Server, bank: Bank, lead: Actor, rows: int) -> dict[str, float]:
    _token, secret = create_token(actor=lead, name="benchmark", scopes=["score"], days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    programs = [(headers, _payments(bank, rows, program)) for program in range(PROGRAMS)]
    return clients.ask_together(server.port, programs)["score"]


def _payments(bank: Bank, rows: int, program: int) -> Iterator[Request]:
    """New payments of known accounts at known counterparties, as busy as in the past."""
    chance = random.Random(program)
    counterparties = filling.counterparties_of(rows)
    for number in range(CALLS):
        most = counterparties if number % 2 else max(1, counterparties // 100)
        payment = {
            "id": f"new-{program}-{number}",
            "time": datetime.now(UTC).isoformat(),
            "amount": round(chance.lognormvariate(8, 1)),
            "account": f"a{chance.randrange(filling.accounts_of(rows))}",
            "counterparty": f"c{chance.randrange(most)}",
        }
        yield Request("score", f"/api/v1/banks/{bank.slug}/score", {"transactions": [payment]})


def _click(
    server: Server, visits: list[Request], people: list[User]
) -> dict[str, dict[str, float]]:
    def clicks(number: int) -> Iterator[Request]:
        mixed = random.Random(number).sample(visits, len(visits))
        return itertools.islice(itertools.cycle(mixed), CLICKS)

    browsers = [({"Cookie": _cookie(user)}, clicks(n)) for n, user in enumerate(people)]
    return clients.ask_together(server.port, browsers, pause=THOUGHT)


def _cookie(user: User) -> str:
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={_browser(user).cookies[name].value}"
