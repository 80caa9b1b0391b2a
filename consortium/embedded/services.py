"""Both servers together over one data folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from consortium import processes
from consortium.embedded.programs import ServiceError, service_account, services_home
from consortium.embedded.servers import (
    DATABASE,
    ROLE,
    Server,
    answers,
    own_folder,
    postgres_server,
    redis_server,
)
from consortium.processes import Account

NOTE = "services.json"
SHORT, PREFIX = Path("/tmp"), "consortium-"  # noqa: S108


class Services:
    """PostgreSQL and Redis over one data folder, for as long as the `with` block lasts."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.durable = durable
        self.servers: list[Server] = []
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> dict[str, str]:
        with contextlib.ExitStack() as undo:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            undo.enter_context(_lock(self.data_dir))
            home = services_home(self.data_dir)
            account = service_account(home / "postgres")
            sockets = self._sockets(account, undo)
            logs = self.data_dir / "log"
            logs.mkdir(exist_ok=True)
            undo.callback(self._stop)
            for server in (
                postgres_server(
                    home / "postgres", sockets, logs / "postgres.log", account, durable=self.durable
                ),
                redis_server(home / "redis", sockets, logs / "redis.log", account),
            ):
                self.servers.append(server)
                server.start()
            env = {
                "DATABASE_URL": f"postgresql://{ROLE}@/{DATABASE}?host={sockets}",
                "CELERY_BROKER_URL": f"redis+socket://{sockets}/redis.sock",
            }
            self._announce(env, sockets, undo)
            self._undo = undo.pop_all()
        return env

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._undo.close()

    def revive(self) -> list[str]:
        """Start again whatever has crashed, on the same sockets; the names of those."""
        crashed = [s for s in self.servers if s.process and processes.has_ended(s.process)]
        for server in crashed:
            server.stop()
            server.start()
        return [server.name for server in crashed]

    def _sockets(self, account: Account, undo: contextlib.ExitStack) -> Path:
        """A new folder with a short name (a socket's path ends at 108 bytes), ours alone."""
        left = Path(_announced(self.data_dir).get("sockets", ""))
        if left.parent == SHORT and left.name.startswith(PREFIX):
            shutil.rmtree(left, ignore_errors=True)
        sockets = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORT))
        undo.callback(shutil.rmtree, sockets, ignore_errors=True)
        own_folder(sockets, account)
        return sockets

    def _announce(self, env: dict[str, str], sockets: Path, undo: contextlib.ExitStack) -> None:
        """Leave a note, so that another command on this machine finds the running services."""
        note = self.data_dir / NOTE
        note.write_text(json.dumps({"env": env, "sockets": str(sockets)}))
        undo.callback(note.unlink, missing_ok=True)

    def _stop(self) -> None:
        for server in reversed(self.servers):
            server.stop()


def running_services(data_dir: Path) -> dict[str, str] | None:
    """The addresses of services that another command keeps over `data_dir`, if they answer."""
    if not (note := _announced(data_dir)):
        return None
    sockets = Path(note["sockets"])
    if answers(sockets / "redis.sock", b"PING\r\n", b"+PONG") and answers(
        sockets / ".s.PGSQL.5432"
    ):
        env: dict[str, str] = note["env"]
        return env
    return None


def _announced(data_dir: Path) -> dict[str, Any]:
    try:
        note: dict[str, Any] = json.loads((data_dir / NOTE).read_text())
    except (OSError, ValueError):
        return {}
    return note


@contextlib.contextmanager
def _lock(data_dir: Path) -> Iterator[None]:
    path = data_dir / "services.lock"
    try:
        stream = path.open("w")
    except PermissionError:
        raise ServiceError(
            f"{data_dir} belongs to {path.owner()}. Start as that user, or set "
            f"CONSORTIUM_DATA_DIR to a folder of your own."
        ) from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(
                f"PostgreSQL and Redis over {data_dir} are in use by another command; wait for "
                f"it to end, or stop it."
            ) from None
        yield
