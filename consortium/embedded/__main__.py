"""`python -m consortium.embedded -- COMMAND…`: a command with PostgreSQL and Redis around it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from consortium.embedded import ServiceError, Services, running_services
from consortium.processes import child_setup

DEFAULT_DATA_DIR = Path(__file__).resolve().parents[2] / "var"
LOOK_EVERY = 0.5  # seconds between two looks at the servers
PASSED_ON = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
SENT_BY_A_PROCESS = 0  # si_code SI_USER; the terminal's own signals carry SI_KERNEL


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m consortium.embedded", description=__doc__)
    options.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("CONSORTIUM_DATA_DIR", DEFAULT_DATA_DIR)),
        help="folder that keeps the data (default: var)",
    )
    options.add_argument(
        "--temporary", action="store_true", help="a new folder, deleted at the end; for tests"
    )
    options.add_argument(
        "--exclusive", action="store_true", help="never share the services of another command"
    )
    options.add_argument("command", nargs="+", metavar="COMMAND")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        with _services(options) as (env, services):
            return _run(options.command, env, services)
    except ServiceError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


@contextlib.contextmanager
def _services(options: argparse.Namespace) -> Iterator[tuple[dict[str, str], Services | None]]:
    if options.temporary:
        with tempfile.TemporaryDirectory(prefix="consortium-data-") as folder:
            Path(folder).chmod(0o711)  # the services' own account passes through
            services = Services(Path(folder), durable=False)
            with services as env:
                yield env, services
        return
    shared = None if options.exclusive else running_services(options.data)
    if shared:
        yield shared, None
        return
    services = Services(options.data)
    with services as env:
        yield env, services


def _run(command: list[str], env: dict[str, str], services: Services | None) -> int:
    """Run the command in the terminal's foreground; addresses that are already set win.

    A Ctrl-C at the terminal reaches the command by itself (the kernel sends it to all of us);
    what a process sends to us alone is passed on. The servers stay until the command has ended.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *PASSED_ON})
    child = subprocess.Popen(command, env=env | os.environ, preexec_fn=child_setup())
    while (status := child.poll()) is None:
        received = signal.sigtimedwait({signal.SIGCHLD, *PASSED_ON}, LOOK_EVERY)
        if received and received.si_signo in PASSED_ON and received.si_code == SENT_BY_A_PROCESS:
            child.send_signal(received.si_signo)
        for name in services.revive() if services else ():
            print(f"{name} had crashed and was started again.", file=sys.stderr)  # noqa: T201
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
