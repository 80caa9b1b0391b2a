"""The two servers: how each is made, started, asked and stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from consortium import processes
from consortium.embedded.programs import (
    ServiceError,
    choose_postgres,
    choose_redis,
    reachable_program,
)
from consortium.processes import Account

ROLE = DATABASE = "consortium"
START_SECONDS = 60.0
FIRST_STATEMENTS = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS;

CREATE DATABASE {DATABASE} OWNER {ROLE};

"""
WHO_MAY_CONNECT = f"local all {ROLE} trust\n"


@dataclass
class Server:
    """One server: how to start it, how to ask whether it answers, how to stop it."""

    name: str
    argv: list[str | Path]
    log: Path
    account: Account
    ready: Callable[[subprocess.Popen[bytes]], bool]
    before_start: Callable[[], None]
    stop_signal: signal.Signals
    death_signal: signal.Signals
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start and wait until it answers; tried again where a crashed one's remains still go."""
        for pause in (0.5, 2.0, None):
            self.before_start()
            self.process = processes.start(
                self.argv,
                log=self.log,
                cwd=Path("/"),
                account=self.account,
                death_signal=self.death_signal,
            )
            if self._wait_for(self.process):
                return
            self.stop()
            if pause is not None:
                time.sleep(pause)
        lines = self.log.read_text(errors="replace").splitlines()[-5:]
        raise ServiceError("\n  ".join([f"{self.name} did not start ({self.log}):", *lines]))

    def _wait_for(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not processes.has_ended(process):
            if self.ready(process):
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        if self.process is not None:
            processes.stop([self.process], stop_signal=self.stop_signal, grace=15)


def postgres_server(
    data: Path, sockets: Path, log: Path, account: Account, *, durable: bool
) -> Server:
    """PostgreSQL over `data`, made on first use."""
    programs = choose_postgres(data)
    program = reachable_program(programs.bin / "postgres", programs.wheel, account)
    if not (data / "PG_VERSION").exists():
        _make_cluster(program.parent, data, log, account, durable=durable)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": sockets,
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "dynamic_shared_memory_type": "mmap",  # containers have a small /dev/shm
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

    def ready(process: subprocess.Popen[bytes]) -> bool:
        lines = _lock_lines(data)
        return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

    return Server(
        name="PostgreSQL",
        argv=[program, "-D", data, *(f"--{name}={value}" for name, value in options.items())],
        log=log,
        account=account,
        ready=ready,
        before_start=lambda: _clear_stale_lock(data),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        death_signal=signal.SIGINT,
    )


def _make_cluster(bin_: Path, data: Path, log: Path, account: Account, *, durable: bool) -> None:
    """initdb beside the final place, then rename: a half-made cluster is never mistaken for one."""
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    own_folder(new, account)
    arguments = ["--username=postgres", "--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8"]
    if not durable:
        arguments.append("--no-sync")
    commands: list[tuple[list[str | Path], str]] = [
        ([bin_ / "initdb", "-D", new, *arguments], ""),
        # A single-user server needs no login, so the superuser is never given one.
        ([bin_ / "postgres", "--single", "-j", "-D", new, "postgres"], FIRST_STATEMENTS),
    ]
    for argv, statements in commands:
        done = subprocess.run(
            argv,
            input=statements,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            **account.popen_options(),
        )
        with log.open("a") as stream:
            stream.write(done.stdout)
        if done.returncode or "ERROR:" in done.stdout:
            raise ServiceError(f"PostgreSQL could not make its data folder; see {log}.")
    (new / "pg_hba.conf").write_text(WHO_MAY_CONNECT)
    new.rename(data)


def _lock_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return []


def _clear_stale_lock(data: Path) -> None:
    """Let a server that is still stopping finish, and remove the lock of one that is gone.

    A dead server's number may belong to a zombie or to a stranger by now (always so after a
    container restarts), and PostgreSQL would then refuse to start.
    """
    deadline = time.monotonic() + 20
    while lines := _lock_lines(data):
        try:
            command = Path("/proc", lines[0], "cmdline").read_bytes()
        except OSError:
            command = b""
        if os.fsencode(data) not in command.split(b"\0"):
            (data / "postmaster.pid").unlink(missing_ok=True)
        elif time.monotonic() > deadline:
            raise ServiceError(f"Another PostgreSQL (process {lines[0]}) still serves {data}.")
        else:
            time.sleep(0.1)


def redis_server(data: Path, sockets: Path, log: Path, account: Account) -> Server:
    """Redis as broker and cache; what waits in its queues outlives a restart."""
    program, wheel = choose_redis()
    program = reachable_program(program, wheel, account)
    own_folder(data, account)
    address = sockets / "redis.sock"
    # fmt: off
    argv: list[str | Path] = [
        program, "--port", "0", "--unixsocket", address, "--unixsocketperm", "700",
        "--dir", data, "--save", "60", "1", "--daemonize", "no", "--logfile", "",
    ]
    # fmt: on
    return Server(
        name="Redis",
        argv=argv,
        log=log,
        account=account,
        ready=lambda _process: answers(address, b"PING\r\n", b"+PONG"),
        before_start=lambda: address.unlink(missing_ok=True),
        stop_signal=signal.SIGTERM,
        death_signal=signal.SIGKILL,  # asked politely, Redis stays where it cannot save
    )


def answers(address: Path, question: bytes = b"", answer: bytes = b"") -> bool:
    """Whether somebody listens on the socket, and begins its reply to `question` with `answer`."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect(str(address))
        client.sendall(question)
        return client.recv(len(answer)) == answer if answer else True
    return False


def own_folder(folder: Path, account: Account) -> None:
    """Make `folder` if it is missing, closed to all but `account`."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid)
