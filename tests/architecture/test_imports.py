"""Who imports whom, and what a process loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["torch", "polars", "sklearn", "opacus", "onnx", "onnxruntime", "scipy", "fpdf"]
LOADS = """
import sys
from consortium.asgi import application
from django.urls import get_resolver
get_resolver().url_patterns, get_resolver().reverse_dict
print(",".join(name for name in sys.argv[1:] if name in sys.modules))
"""


def in_role(role: str, code: str, *arguments: str) -> str:
    """Run code in a fresh process of that role; what it printed."""
    environment = {
        **os.environ,
        "CONSORTIUM_ROLE": role,
        "CONSORTIUM_BANK": "sakura",
        "COORDINATOR_URL": "http://127.0.0.1:1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_the_floor_plan_holds(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports() == 0, capsys.readouterr().out


@pytest.mark.parametrize("role", ["demo", "coordinator", "bank"])
def test_a_web_process_does_not_load_what_trains(role: str) -> None:
    assert in_role(role, LOADS, *HEAVY) == ""


def test_a_coordinator_never_loads_a_bank_s_world() -> None:
    opens = "consortium.protocol.threshold"
    assert in_role("coordinator", LOADS, "banks", opens, "aggregation.urls") == "aggregation.urls"


def test_a_bank_never_loads_the_centre_s_world() -> None:
    assert in_role("bank", LOADS, "aggregation", "aggregation.models", "banks.urls") == "banks.urls"


def test_importing_the_protocol_loads_no_framework() -> None:
    code = """
import importlib, pkgutil, sys
for package in ("consortium.protocol", "banks.importing"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(module.name)
print(",".join(name for name in sys.argv[1:] if name in sys.modules))
"""
    assert in_role("demo", code, "django", "celery", "rest_framework", "psycopg2", "torch") == ""


def test_tasks_go_to_our_own_celery_application() -> None:
    from celery import current_app

    assert current_app.main == "consortium"
