"""The supervisor: what it starts comes back when it crashes and never outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from consortium.demo.supervisor import Child, Supervisor
from tests.demo.conftest import processes_mentioning, wait_until

NODE = """
import signal, sys, time
from pathlib import Path
from consortium.demo.supervisor import Child, Supervisor

def interrupt(*_):
    raise KeyboardInterrupt

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, interrupt)
mark, logs = sys.argv[1], Path(sys.argv[2])
supervisor = Supervisor(logs=logs, note=print)
try:
    supervisor.want([
        Child("plain", ("sh", "-c", f"sleep 3600; : {mark}")),
        Child("stubborn", ("sh", "-c", f"trap '' TERM; sleep 3600; : {mark}"), grace=0.5),
    ])
    while True:
        supervisor.tend()
        time.sleep(0.05)
except KeyboardInterrupt:
    pass
finally:
    supervisor.stop()
"""


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, notes: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(logs=tmp_path, note=notes.append)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def mark() -> str:
    """A word that stands in the command lines of this test's processes and nowhere else."""
    return uuid.uuid4().hex


def shell(name: str, script: str, *, stage: int = 0, grace: float = 5.0) -> Child:
    return Child(name, ("sh", "-c", script), stage=stage, grace=grace)


def test_a_child_that_ends_by_itself_is_started_again_with_a_note(
    supervisor: Supervisor, notes: list[str], tmp_path: Path
) -> None:
    supervisor.want([shell("worker", "echo run; exit 3")])
    log = tmp_path / "worker.log"
    assert wait_until(lambda: supervisor.tend() or log.read_text().count("run") >= 2)
    assert supervisor.restarts >= 1
    assert "worker ended by itself (status 3)" in notes[0]
    assert str(log) in notes[0]


def test_a_child_that_keeps_crashing_is_given_longer_pauses(supervisor: Supervisor) -> None:
    supervisor.want([shell("worker", "exit 1")])
    entry = supervisor._running["worker"]
    pauses = []
    for crashes in range(8):
        os.waitid(os.P_PID, entry.process.pid, os.WEXITED | os.WNOWAIT)
        supervisor._mourn(entry)
        assert entry.start_again is not None
        pauses.append(round(entry.start_again - entry.started))
        entry = supervisor._start(entry.child, crashes=crashes + 1)
        supervisor._running["worker"] = entry
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30


def test_a_crash_takes_the_childs_own_children_along(supervisor: Supervisor, mark: str) -> None:
    supervisor.want([shell("worker", f"sh -c 'sleep 3600; : {mark}' & sleep 3600; : {mark}")])
    assert wait_until(lambda: len(processes_mentioning(mark)) == 2)
    os.kill(supervisor.processes()["worker"], signal.SIGKILL)
    assert wait_until(lambda: supervisor.tend() or supervisor.restarts == 1)
    assert wait_until(lambda: not processes_mentioning(mark))


def test_only_wanted_children_run(supervisor: Supervisor) -> None:
    bank_a, bank_b = shell("a", "sleep 3600"), shell("b", "sleep 3600")
    supervisor.want([bank_a])
    first = supervisor.processes()["a"]
    supervisor.want([bank_a, bank_b])
    assert supervisor.processes()["a"] == first
    supervisor.want([bank_b])
    assert list(supervisor.processes()) == ["b"]
    assert supervisor.restarts == 0


def test_children_stop_stage_by_stage(supervisor: Supervisor, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    diary.touch()

    def reporter(name: str, stage: int) -> Child:
        say = f"echo {name} >> {diary}"
        script = f"trap '{say}; exit' TERM; {say}; while :; do sleep 0.05; done"
        return shell(name, script, stage=stage)

    supervisor.want([reporter("web", 1), reporter("worker", 0)])
    assert wait_until(lambda: len(diary.read_text().split()) == 2)
    supervisor.stop()
    assert diary.read_text().split()[2:] == ["worker", "web"]


def test_a_child_that_will_not_stop_is_killed(supervisor: Supervisor, mark: str) -> None:
    supervisor.want([shell("deaf", f"trap '' TERM; sleep 3600; : {mark}", grace=0.3)])
    assert wait_until(lambda: processes_mentioning(mark))
    supervisor.stop()
    assert not processes_mentioning(mark)


def test_what_a_child_says_is_kept_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.want([shell("talker", "echo out; echo err >&2; sleep 3600")])
    assert wait_until(lambda: (tmp_path / "talker.log").read_text() == "out\nerr\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_orphan_is_left_however_the_supervisor_ends(
    number: signal.Signals, tmp_path: Path, mark: str
) -> None:
    node = subprocess.Popen([sys.executable, "-c", NODE, mark, str(tmp_path)])
    assert wait_until(lambda: len(processes_mentioning(mark)) == 3)  # itself and two children
    node.send_signal(number)
    node.wait(20)
    assert wait_until(lambda: not processes_mentioning(mark))
