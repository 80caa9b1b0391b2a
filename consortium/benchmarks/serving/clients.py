"""Programs and people who ask a server at the same time."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from consortium.demo.children import HERE

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One request under the name that its figures are gathered by."""

    name: str
    path: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    name: str
    milliseconds: float


def ask_together(
    port: int,
    clients: Sequence[tuple[Headers, Iterator[Request]]],
    *,
    pause: float = 0.0,
) -> dict[str, dict[str, float]]:
    """All clients at once, each with its own requests one after another.

    ``pause``: mean seconds that a client thinks after an answer. Returns by name "p50", "p95"
    (milliseconds from the request to the whole answer) and "requests".

    Raises:
        OSError: The server refused a request; the figures of refusals say nothing.
    """

    def work(number: int) -> list[Answer]:
        headers, requests = clients[number]
        return list(_ask(port, headers, requests, pause, random.Random(number)))

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = [answer for found in pool.map(work, range(len(clients))) for answer in found]
    by_name: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_name[answer.name].append(answer)
    return {name: _figures(found) for name, found in by_name.items()}


def _ask(
    port: int, headers: Headers, requests: Iterator[Request], pause: float, chance: random.Random
) -> Iterator[Answer]:
    connection = http.client.HTTPConnection(HERE, port, timeout=60)
    time.sleep(chance.uniform(0, pause))
    for request in requests:
        body = json.dumps(request.body) if request.body is not None else None
        kind = {"Content-Type": "application/json"} if body else {}
        began = time.perf_counter()
        connection.request("POST" if body else "GET", request.path, body, {**headers, **kind})
        response = connection.getresponse()
        response.read()
        if response.status >= 300:
            raise OSError(f"{request.path} answered {response.status}")
        yield Answer(request.name, 1000 * (time.perf_counter() - began))
        if pause:
            connection.close()  # the server drops a connection that is idle for some seconds
            time.sleep(chance.uniform(0, 2 * pause))
    connection.close()


def _figures(answers: list[Answer]) -> dict[str, float]:
    cuts = quantiles((answer.milliseconds for answer in answers), n=20, method="inclusive")
    return {
        "p50": round(cuts[9], 1),
        "p95": round(cuts[18], 1),
        "requests": len(answers),
    }
