"""run.py: sets up once, again when something changed, and says what to type where it cannot."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

RUN = Path(__file__).resolve().parents[2] / "run.py"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """run.py as a module, over a folder of its own and with nothing really installed."""
    spec = importlib.util.spec_from_file_location("run", RUN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    requirements = [tmp_path / "requirements.txt", tmp_path / "requirements-dev.txt"]
    requirements[0].write_text("torch==2.13.0\n")
    requirements[1].write_text("pytest\n")
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "REQUIREMENTS", requirements)
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "set-up-with")
    monkeypatch.setattr(module, "works", lambda command: module.tried.append(command) or True)
    monkeypatch.setattr(module, "pip", lambda *arguments: module.tried.append(arguments))
    module.tried = []
    monkeypatch.chdir(tmp_path)
    return module


def test_the_first_call_sets_up_and_the_next_do_not(run: ModuleType) -> None:
    assert run.main(["setup"]) == 0
    assert run.tried
    run.tried.clear()
    assert run.main(["setup"]) == 0
    assert run.tried == []


@pytest.mark.parametrize("index", [0, 1])
def test_a_changed_requirement_file_sets_up_again(run: ModuleType, index: int) -> None:
    run.main(["setup"])
    run.REQUIREMENTS[index].write_text("something==2\n")
    assert not run.is_set_up()


def test_another_python_sets_up_again(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run.main(["setup"])
    monkeypatch.setattr(run.platform, "python_version", lambda: "3.12.1")
    assert not run.is_set_up()


def test_a_set_up_that_failed_is_done_again(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.main(["setup"])
    run.REQUIREMENTS[1].write_text("something==2\n")

    def refuse(*arguments: object) -> None:
        raise SystemExit("The packages could not be installed")

    monkeypatch.setattr(run, "pip", refuse)
    with pytest.raises(SystemExit):
        run.main(["setup"])
    run.REQUIREMENTS[1].write_text("pytest\n")
    assert not run.is_set_up()


def test_torch_comes_first_and_alone_from_the_builds_without_graphics_cards(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.sys, "platform", "linux")
    run.install_torch()
    [command] = run.tried
    assert command[-1] == "torch==2.13.0+cpu"
    assert "--no-deps" in command
    assert run.TORCH_CPU_INDEX in command


def test_an_old_python_is_told_which_one_is_needed(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"3\.11 or newer"):
        run.main(["setup"])


def test_without_the_venv_module_a_user_is_told_what_to_type(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(run.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=r"sudo apt-get install -y .*python3-venv"):
        run.make_venv()


@pytest.mark.parametrize(
    ("named", "wrapped"),
    [((), True), (("DATABASE_URL",), True), (("DATABASE_URL", "CELERY_BROKER_URL"), False)],
)
def test_services_are_put_around_a_command_unless_both_are_named(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, named: tuple[str, ...], wrapped: bool
) -> None:
    for name in run.SERVICES:
        monkeypatch.delenv(name, raising=False)
    for name in named:
        monkeypatch.setenv(name, "somewhere")
    became: list[str] = []
    monkeypatch.setattr(run.os, "execv", lambda program, argv: became.extend(argv))
    run.manage(["check"])
    assert became[-2:] == [str(run.HERE / "manage.py"), "check"]
    assert ("consortium.embedded" in became) is wrapped


def test_an_unknown_command_shows_what_there_is(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["fly"]) == 2
    assert "python3 run.py demo" in capsys.readouterr().out


def test_run_py_needs_nothing_but_the_standard_library() -> None:
    imported = {
        line.split()[1].partition(".")[0]
        for line in RUN.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported - {"__future__"} <= sys.stdlib_module_names
