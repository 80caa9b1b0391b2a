"""PostgreSQL and Redis out of wheels: they keep what they were given and leave nothing running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from consortium.embedded import ServiceError, Services, programs, running_services
from consortium.processes import Account
from tests.demo.conftest import processes_mentioning, wait_until


def broker(env: dict[str, str]) -> redis.Redis:
    return redis.Redis.from_url(env["CELERY_BROKER_URL"].replace("redis+socket", "unix"))


def query(env: dict[str, str], statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(env["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def fast(data_dir: Path) -> Services:
    return Services(data_dir, durable=False)


@pytest.fixture
def wrapped(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m consortium.embedded -- COMMAND`, up and running in a process group of its own."""
    child = subprocess.Popen(
        [sys.executable, "-m", "consortium.embedded", "--data", data_dir, "--", "sleep", "3600"],
        start_new_session=True,
    )
    assert wait_until(lambda: running_services(data_dir))
    yield child
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def test_the_application_role_is_no_superuser_and_the_superuser_cannot_log_in(
    data_dir: Path,
) -> None:
    with fast(data_dir) as env:
        privileges = query(
            env,
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles "
            "WHERE rolname = current_user",
        )
        assert privileges == [(False, False, False, True)]
        with pytest.raises(psycopg2.OperationalError, match="pg_hba"):
            psycopg2.connect(env["DATABASE_URL"].replace("consortium@", "postgres@"))


def test_stopping_leaves_no_process_and_no_socket(data_dir: Path) -> None:
    with fast(data_dir) as env:
        sockets = env["DATABASE_URL"].partition("host=")[2]
        assert Path(sockets).stat().st_mode & 0o077 == 0
        assert processes_mentioning(sockets)
    assert not processes_mentioning(sockets)
    assert not processes_mentioning(str(data_dir))
    assert not Path(sockets).exists()


def test_rows_and_waiting_messages_outlive_a_restart(data_dir: Path) -> None:
    with fast(data_dir) as env:
        query(env, "CREATE TABLE kept AS SELECT 42 AS answer")
        broker(env).rpush("queue", "message")
    with fast(data_dir) as env:
        assert query(env, "SELECT answer FROM kept") == [(42,)]
        assert broker(env).lrange("queue", 0, -1) == [b"message"]


def test_a_server_that_was_killed_is_started_again_on_its_data(data_dir: Path) -> None:
    services = Services(data_dir)
    with services as env:
        query(env, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert services.revive() == []
        for server in services.servers:
            assert server.process is not None
            server.process.kill()
            os.waitid(os.P_PID, server.process.pid, os.WEXITED | os.WNOWAIT)
        assert services.revive() == ["PostgreSQL", "Redis"]
        assert query(env, "SELECT answer FROM kept") == [(42,)]
        assert broker(env).ping()


def test_a_lock_file_with_a_strangers_process_number_does_not_stop_a_start(data_dir: Path) -> None:
    with fast(data_dir):
        lock = next(p for p in (programs.services_home(data_dir) / "postgres").glob("postm*.pid"))
        lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with fast(data_dir) as env:
        assert query(env, "SELECT 1") == [(1,)]


def test_two_commands_never_start_services_over_one_folder(data_dir: Path) -> None:
    with fast(data_dir) as env:
        with pytest.raises(ServiceError, match="in use by another command"), fast(data_dir):
            pass
        assert running_services(data_dir) == env
    assert running_services(data_dir) is None


def test_data_of_another_postgresql_are_refused_with_a_sentence(data_dir: Path) -> None:
    with fast(data_dir):
        version_file = programs.services_home(data_dir) / "postgres" / "PG_VERSION"
    version_file.write_text("9\n")
    with pytest.raises(ServiceError, match="made by PostgreSQL 9"), fast(data_dir):
        pass


@pytest.mark.skipif(not Path("/usr/lib/postgresql").exists(), reason="no system PostgreSQL")
def test_the_systems_programs_serve_where_there_are_no_wheels(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "package_folder", lambda name: None)
    services = fast(data_dir)
    with services as env:
        assert query(env, "SELECT 1") == [(1,)]
        assert broker(env).ping()
        assert str(services.servers[0].argv[0]).startswith("/usr/lib/postgresql")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a lesser account")
def test_root_in_a_closed_home_keeps_the_services_where_their_account_gets(
    open_folder: Path, data_dir: Path
) -> None:
    closed = open_folder / "home"
    closed.mkdir(mode=0o700)
    with fast(closed / "var") as env:
        assert query(env, "SELECT 1") == [(1,)]
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not (closed / "var" / "postgres").exists()
    assert [entry.name for entry in programs.ROOTS_STATE.glob("*/postgres")] == ["postgres"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a lesser account")
def test_root_copies_programs_that_the_lesser_account_cannot_reach(
    open_folder: Path, data_dir: Path
) -> None:
    program, wheel = programs.choose_redis()
    closed = open_folder / "home"
    closed.mkdir(mode=0o700)
    if not wheel:
        pytest.skip("Redis comes from the system here")
    shutil.copytree(wheel[0], closed / wheel[0].name)
    hidden = closed / program.relative_to(wheel[0].parent)
    account = programs.service_account(data_dir)
    assert not programs.can_reach(account, hidden)
    copy = programs.reachable_program(hidden, (closed / wheel[0].name,), account)
    assert programs.can_reach(account, copy)
    assert copy == programs.reachable_program(hidden, (closed / wheel[0].name,), account)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root shares its folder")
def test_a_state_folder_that_others_can_write_to_is_refused(data_dir: Path) -> None:
    programs.ROOTS_STATE.mkdir()
    programs.ROOTS_STATE.chmod(0o777)
    with pytest.raises(ServiceError, match="writable by root alone"):
        programs.roots_state()


@pytest.mark.skipif(os.geteuid() == 0, reason="root owns everything")
def test_a_folder_made_by_somebody_else_is_refused(data_dir: Path) -> None:
    with pytest.raises(ServiceError, match="belongs to root"):
        programs.service_account(Path("/"))


def test_an_account_we_already_are_needs_no_change() -> None:
    assert Account("me", os.geteuid(), os.getegid()).popen_options() == {}


def test_interrupting_the_wrapped_command_stops_the_services(
    wrapped: subprocess.Popen[bytes], data_dir: Path
) -> None:
    env = running_services(data_dir)
    assert env is not None
    os.killpg(wrapped.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    assert wrapped.wait(20) == 128 + signal.SIGINT
    assert not processes_mentioning(env["DATABASE_URL"].partition("host=")[2])


def test_terminating_the_wrapper_stops_command_and_services(
    wrapped: subprocess.Popen[bytes], data_dir: Path
) -> None:
    env = running_services(data_dir)
    assert env is not None
    wrapped.terminate()
    assert wrapped.wait(20) == 128 + signal.SIGTERM
    assert not processes_mentioning(env["DATABASE_URL"].partition("host=")[2])


def test_killing_the_wrapper_leaves_nothing_behind(
    wrapped: subprocess.Popen[bytes], data_dir: Path
) -> None:
    env = running_services(data_dir)
    assert env is not None
    sockets = env["DATABASE_URL"].partition("host=")[2]
    wrapped.kill()
    assert wait_until(lambda: not processes_mentioning(sockets))
    assert wait_until(lambda: not processes_mentioning(str(data_dir)))
    with Services(data_dir) as env:
        assert query(env, "SELECT 1") == [(1,)]
    assert not Path(sockets).exists()


def test_the_wrapper_passes_on_the_status_and_addresses_that_are_already_set(
    data_dir: Path,
) -> None:
    script = "import os, sys; print(os.environ['DATABASE_URL']); sys.exit(7)"
    wrapper = [sys.executable, "-m", "consortium.embedded", "--temporary", "--"]
    done = subprocess.run(
        [*wrapper, sys.executable, "-c", script],
        env=os.environ | {"DATABASE_URL": "postgresql://elsewhere/db"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7
    assert done.stdout == "postgresql://elsewhere/db\n"
