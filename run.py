#!/usr/bin/env python3
"""One door to everything, from a machine that has nothing but Python.

    python3 run.py demo      the whole product on this machine, filled (Ctrl-C stops it)
    python3 run.py test      all tests; arguments go to pytest
    python3 run.py manage …  Django's commands, with PostgreSQL and Redis around them
    python3 run.py lint      style, types, architecture, migrations, translations, API schema
    python3 run.py setup     only make .venv, or bring it up to date
                             (--runtime: no test tools; --peers: other systems for the benchmarks)

The first call makes .venv and fills it; later calls begin at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "set-up-with"
REQUIREMENTS = [HERE / "requirements.txt", HERE / "requirements-dev.txt"]
OLDEST_PYTHON = (3, 11)
# PyTorch's own builds for machines without a graphics card: 0.2 GB instead of 3.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# One thread a process: several processes share few cores, and waiting threads must not spin.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
SERVICES = ("DATABASE_URL", "CELERY_BROKER_URL")
RUNTIME_ONLY = ["setup", "--runtime"]
PEERS = HERE / "requirements-bench.txt"
FLOWER = "flwr==1.41.0"  # without its own requirements: it pins another web server
NO_TESTS_FOUND = 5  # pytest's status


def main(arguments: list[str]) -> int:
    commands = {"demo": demo, "test": test, "manage": manage, "lint": lint, "setup": setup}
    if not arguments or arguments[0] not in commands:
        print(__doc__.strip())
        return 0 if arguments[:1] in (["-h"], ["--help"], ["help"]) else 2
    check_python()
    if arguments != RUNTIME_ONLY and not is_set_up():
        set_up(REQUIREMENTS[1])
        STAMP.write_text(requirements_mark())
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    return commands[arguments[0]](arguments[1:])


# Set-up --------------------------------------------------------------------------------------


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        sys.exit(
            f"Python {wanted} or newer is needed, and this is {platform.python_version()}. "
            f"Debian 12 and Ubuntu 24.04 have it; call it by name, e.g. python3.12 run.py …"
        )


def is_set_up() -> bool:
    return STAMP.exists() and STAMP.read_text() == requirements_mark()


def requirements_mark() -> str:
    """What .venv must have been made from: the requirement files and this Python."""
    digest = hashlib.sha256(platform.python_version().encode())
    for path in REQUIREMENTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def set_up(requirements: Path) -> None:
    """Make .venv and fill it; the stamp is written after it, so a broken set-up is done again."""
    say("Setting up (once; a few minutes, most of them downloads)")
    STAMP.unlink(missing_ok=True)
    if not works([PYTHON, "-m", "pip", "--version"]):
        make_venv()
    install_torch()
    say("Installing the other packages")
    pip("install", "-r", requirements)
    say("Set up.")


def make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        install_venv_module()
    say("Making .venv")
    python = getattr(sys, "_base_executable", sys.executable)
    subprocess.run([python, "-m", "venv", "--clear", VENV], check=True)


def install_venv_module() -> None:
    """Debian keeps what makes virtual environments in a package of its own."""
    package = "python3-venv"
    wanted = f"apt-get install -y --no-install-recommends {package}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(
            f"Python's venv module is missing. Type this, then start again:\n\n  sudo {wanted}"
        )
    say(f"Installing {package}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get update", wanted):
        done = subprocess.run(
            [*command.split(), "-qq"], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"`{command}` failed:\n{done.stderr}")


def install_torch() -> None:
    """The CPU build first and alone: what follows then finds torch in place."""
    version = re.search(r"^torch==(\S+)", REQUIREMENTS[0].read_text(), re.MULTILINE)
    if version is None or sys.platform != "linux":
        return
    say("Installing PyTorch (the build without graphics card support)")
    wanted = f"torch=={version[1]}+cpu"
    options = ["--no-deps", "--retries", "1", "--extra-index-url", TORCH_CPU_INDEX]
    if not works([PYTHON, "-m", "pip", "install", "-q", *options, wanted]):
        say("PyTorch's own index does not answer; its general, larger build comes instead.")


def pip(*arguments: str | Path) -> None:
    """Run pip and show how far it is: a line that grows on a terminal, a few lines elsewhere."""
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    process = subprocess.Popen(
        [PYTHON, "-m", "pip", *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    collected = 0
    for line in process.stdout or ():
        if line.startswith("Collecting "):
            collected += 1
            if sys.stdout.isatty():
                print(f"\r  {collected} packages  {line.split()[1][:40]:<40}", end="", flush=True)
            elif collected % 25 == 0:
                print(f"  {collected} packages", flush=True)
        elif line.startswith("Installing collected"):
            print("\r  unpacking" + " " * 50, flush=True)
    if process.wait():
        sys.exit("The packages could not be installed; pip says why above.")


def works(command: list[str | Path]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def say(sentence: str) -> None:
    print(sentence, flush=True)


# Commands ------------------------------------------------------------------------------------


def setup(arguments: list[str]) -> int:
    if ["setup", *arguments] == RUNTIME_ONLY:
        set_up(REQUIREMENTS[0])
    if arguments == ["--peers"]:
        pip("install", "-r", PEERS)
        pip("install", "--no-deps", FLOWER)
    return 0


def demo(arguments: list[str]) -> NoReturn:
    become(str(HERE / "manage.py"), "demo", *arguments, around=["--exclusive"])


def manage(arguments: list[str]) -> NoReturn:
    become(str(HERE / "manage.py"), *arguments, around=[])


def become(*command: str, around: list[str]) -> NoReturn:
    """Replace this process by the command, in services of our own unless others are named.

    The working folder stays the caller's, because arguments may name files.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(HERE), os.environ.get("PYTHONPATH")) if part
    )
    argv = [str(PYTHON), *command]
    if not all(name in os.environ for name in SERVICES):
        argv = [str(PYTHON), "-m", "consortium.embedded", *around, "--", *argv]
    os.execv(PYTHON, argv)  # noqa: S606 (Ctrl-C reaches the command itself)


def test(arguments: list[str]) -> int:
    """Browser and end-to-end tests run in a pytest of their own.

    Playwright leaves its event loop on the thread, and Django then refuses the other tests.
    """
    os.chdir(HERE)
    pytest: list[str | Path] = [PYTHON, "-m", "pytest"]
    if any(Path(argument.partition("::")[0]).exists() for argument in arguments):
        return subprocess.run([*pytest, *arguments]).returncode
    apart = [folder for name in ("e2e", "browser") if (folder := HERE / "tests" / name).is_dir()]
    ignored = [f"--ignore={folder}" for folder in apart]
    pytest += ["-n", "2", "--dist", "worksteal"]
    statuses = [subprocess.run([*pytest, *ignored, *arguments]).returncode]
    if apart:
        statuses.append(subprocess.run([*pytest, *apart, *arguments]).returncode)
    return max((status for status in statuses if status != NO_TESTS_FOUND), default=NO_TESTS_FOUND)


def lint(arguments: list[str]) -> int:
    """Everything that is checked without running the product; all of it, then the verdict."""
    os.chdir(HERE)
    tools = VENV / "bin"
    checks: list[list[str | Path]] = [
        [tools / "ruff", "check", "."],
        [tools / "ruff", "format", "--check", "."],
        [tools / "mypy", "run.py", "consortium", "banks", "aggregation"],
        [tools / "lint-imports"],
        [tools / "djlint", "--lint", "--quiet", "--profile", "django", "templates"],
        [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
        [PYTHON, "manage.py", "check_messages"],
        [PYTHON, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
    ]
    failed = []
    for check in checks:
        name = " ".join(str(part) for part in check).replace(f"{tools}{os.sep}", "")
        say(f"— {name}")
        if subprocess.run(check).returncode:
            failed.append(name)
    say(f"Failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
