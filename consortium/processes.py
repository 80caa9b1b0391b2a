"""Child processes that cannot outlive whoever started them. Standard library only, no Django."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
# Loaded here, because a child between fork and exec must not import anything.
_prctl: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "prctl", None)


@dataclass(frozen=True)
class Account:
    """The operating system account that a child runs as."""

    name: str
    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        """What subprocess needs to become this account; nothing when we are it already."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def die_with_parent(death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to send this process `death_signal` when its parent is gone (Linux)."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, death_signal)


def child_setup(death_signal: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """What a child does between fork and exec: bind itself to us, and listen to every signal."""
    parent = os.getpid()

    def set_up() -> None:
        die_with_parent(death_signal)
        if os.getppid() != parent:  # gone before we could ask
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    return set_up


def start(
    argv: Sequence[str | Path],
    *,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a child at the head of its own session, bound to the life of the calling thread.

    A session of its own keeps the terminal's Ctrl-C away from it, so that the caller can stop
    its children in order. Its output is appended to `log` where one is given.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log else None
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=child_setup(death_signal),
            **(account.popen_options() if account else {}),
        )


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Like `poll`, but leaves the ended child to `bury`, so its group's number stays taken."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def bury(process: subprocess.Popen[bytes]) -> int:
    """Kill what is left of an ended child's group (pool processes of a worker); its exit status."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def stop(
    processes: Sequence[subprocess.Popen[bytes]],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace: float = 10.0,
) -> None:
    """Ask all of them at once to stop, wait at most `grace` seconds, then kill what remains."""
    for process in processes:
        if not has_ended(process):
            process.send_signal(stop_signal)
    deadline = time.monotonic() + grace
    while not all(has_ended(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in processes:
        bury(process)
