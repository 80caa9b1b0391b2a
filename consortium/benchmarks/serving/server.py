"""The product's real web processes, and what they weigh."""

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
        """Resident memory now, of the heaviest where several serve."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return max(_rss_mb(pid) for pid in [str(self.pid), *children.split()])


@contextmanager
def serving(environment: Mapping[str, str], *, count: int) -> Iterator[Server]:
    """The demo's web on a free port, in that many processes, until the block ends."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        port = free.getsockname()[1]
    process = processes.start(
        web(HERE, port).argv,
        log=Path(environment["CONSORTIUM_DATA_DIR"]) / "web.log",
        env=os.environ | dict(environment) | {"WEB_CONCURRENCY": str(count)},
    )
    try:
        _wait(port)
        yield Server(port, process.pid)
    finally:
        processes.stop([process])


def _rss_mb(pid: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) // 1024


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
