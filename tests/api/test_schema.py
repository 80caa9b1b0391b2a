"""What programs are told about the API: valid in every role, and written down in schema.yml."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from tests.architecture.test_imports import in_role

WRITTEN = Path(__file__).with_name("schema.yml")
DESCRIBES = """
import sys, django
from django.core.management import call_command
django.setup()
call_command("spectacular", validate=True, fail_on_warn=True, file=sys.argv[1])
"""


def test_the_written_schema_is_current(tmp_path: Path) -> None:
    """A change of the API shows as a change of this file.

    Write it anew with: python3 run.py manage spectacular --file tests/api/schema.yml
    """
    described = tmp_path / "schema.yml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(described))
    assert described.read_text(encoding="utf-8") == WRITTEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("role", ["coordinator", "bank"])
def test_each_role_describes_its_own_api(role: str, tmp_path: Path) -> None:
    described = tmp_path / "schema.yml"
    in_role(role, DESCRIBES, str(described))
    addresses = described.read_text(encoding="utf-8")
    assert ("/api/v1/banks/{bank}/alerts" in addresses) == (role == "bank")
    assert ("/api/v1/centre/" in addresses) == (role == "coordinator")
