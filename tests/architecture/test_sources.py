"""House rules that a machine can see: sizes, words, templates, the catalogue of sentences."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 450, 75
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.splitlines()
FILES = [
    ROOT / name
    for name in TRACKED or [str(path.relative_to(ROOT)) for path in ROOT.rglob("*.*")]
    if "/vendor/" not in name and not name.startswith((".venv", "var/", "build/"))
]
SOURCES = [
    path
    for path in FILES
    if path.suffix == ".py" and path.is_file() and "migrations" not in path.parts
]
PRODUCT = [path for path in SOURCES if "tests" not in path.relative_to(ROOT).parts]
TEMPLATES = [path for path in FILES if path.is_relative_to(ROOT / "templates") and path.is_file()]
TEXTS = [
    path
    for path in FILES
    if path.suffix in {".py", ".html", ".md", ".toml", ".js", ".css", ".txt", ".yml"}
    and path.is_file()
]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PRODUCT, ids=named)
def test_files_and_functions_stay_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= LONGEST_FILE, "is it two things?"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_compiles_and_keeps_to_the_policy(path: Path) -> None:
    if path.suffix != ".html":
        return
    get_template(str(path.relative_to(ROOT / "templates")))
    source = re.sub(r"{%\s*comment\s*%}.*?{%\s*endcomment\s*%}", "", path.read_text(), flags=re.S)
    source = re.sub(r"{[{%#].*?[}%#]}", "", source)
    assert not re.search(r"\sstyle\s*=", source), "styles belong in static/css"
    assert not re.search(r"\son[a-z]+\s*=", source), "handlers belong in static/js"
    assert not re.search(r"<style", source), "styles belong in static/css"
    for script in re.findall(r"<script[^>]*>", source):
        assert "src=" in script or "application/json" in script, "scripts belong in static/js"
    assert not re.search(r"hx-on|hx-trigger=\"[^\"]*\[", source), "the policy forbids evaluation"
    assert not re.search(r"https?://(?!127\.0\.0\.1|localhost)", source), "nothing from elsewhere"


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_a_file_speaks_of_the_project_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path == Path(__file__):
        return
    assert not re.search(r"(#|//|<!--|/\*).*\b(TODO|FIXME|XXX)\b", text)
    assert not re.search(r"(?<![\w.])/(work|root|home/\w+)/\w", text), "an absolute path"


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_sentence_has_its_japanese() -> None:
    call_command("check_messages")
