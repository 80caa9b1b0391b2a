"""A real web process of the product, and what it weighs."""

from __future__ import annotations

import http.client
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consortium import processes
from consortium.demo.children import HERE, web

PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    """Where it answers, and its process."""

    port: int
    pid: int

    @property
    def rss_mb(self) -> int:
        """Resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) // 1024


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[Server]:
    """The demo's web process on a free port, until the block ends."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    process = processes.start(
        web(HERE, port).argv,
        log=Path(environment["CONSORTIUM_DATA_DIR"]) / "web.log",
        env=os.environ | dict(environment),
    )
    try:
        _wait(port)
        yield Server(port, process.pid)
    finally:
        processes.stop([process])


def _wait(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _answers(port):
        if time.monotonic() > deadline:
            raise OSError("The web process did not start.")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    try:
        asked = http.client.HTTPConnection(HERE, port, timeout=PATIENCE)
        asked.request("GET", "/accounts/login/")
        return asked.getresponse().status == 200
    except OSError:
        return False
