"""`manage.py check_messages`: every sentence of the product is in the catalogues, translated.

Works on a copy, so nothing is written. The remedy is `manage.py makemessages`, translating, and
`manage.py compilemessages`.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.test.utils import override_settings

SOURCE_LANGUAGE = "en"
NOT_SEARCHED = ["tests/*", "var/*", ".venv*", "static/*", "run.py"]
SHOWN = 30  # lines of a difference


class Command(BaseCommand):
    help = "Fail where a message catalogue is behind the code, incomplete, or not compiled."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        catalogues = Path(settings.LOCALE_PATHS[0])
        languages = [code for code, _ in settings.LANGUAGES if code != SOURCE_LANGUAGE]
        problems: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder, "locale")
            shutil.copytree(catalogues, fresh)
            self.extract(fresh, catalogues, languages)
            for language in languages:
                name = Path(language, "LC_MESSAGES", "django.po")
                if not (catalogues / name).exists():
                    problems.append(f"{catalogues / name} is missing; run manage.py makemessages.")
                    continue
                problems += behind(catalogues / name, fresh / name)
                problems += incomplete(fresh / name)
                problems += not_compiled(catalogues / name)
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write("The message catalogues are complete and compiled.")

    def extract(self, fresh: Path, catalogues: Path, languages: list[str]) -> None:
        """Run makemessages as ever, but into `fresh`."""
        started_in = Path.cwd()
        os.chdir(settings.BASE_DIR)
        try:
            with override_settings(LOCALE_PATHS=[str(fresh)]):
                call_command(
                    "makemessages",
                    locale=languages,
                    ignore_patterns=[*NOT_SEARCHED, str(catalogues.relative_to(settings.BASE_DIR))],
                    verbosity=0,
                )
        finally:
            os.chdir(started_in)


def behind(committed: Path, fresh: Path) -> list[str]:
    before, after = normal(committed), normal(fresh)
    if before == after:
        return []
    difference = difflib.unified_diff(before, after, "committed", "extracted", lineterm="", n=0)
    return [
        f"{committed} is behind the code; run manage.py makemessages.",
        *list(difference)[:SHOWN],
    ]


def incomplete(catalogue: Path) -> list[str]:
    language = catalogue.parent.parent.name
    found = []
    for option, word in (("--untranslated", "not translated"), ("--only-fuzzy", "uncertain")):
        entries = gettext_tool("msgattrib", "--no-obsolete", "--no-wrap", option, catalogue)
        missing = [line for line in entries.splitlines() if line.startswith('msgid "')][1:]
        if missing:
            found += [f"{language}: {len(missing)} messages are {word}:", *missing[:SHOWN]]
    return found


def not_compiled(catalogue: Path) -> list[str]:
    compiled = catalogue.with_suffix(".mo")
    with tempfile.NamedTemporaryFile(suffix=".mo") as fresh:
        gettext_tool("msgfmt", "--output-file", fresh.name, catalogue)
        expected = gettext_tool("msgunfmt", "--sort-output", fresh.name)
    if compiled.exists() and gettext_tool("msgunfmt", "--sort-output", compiled) == expected:
        return []
    return [f"{compiled} is not what {catalogue.name} says; run manage.py compilemessages."]


def normal(catalogue: Path) -> list[str]:
    """The messages alone: no places, no order, no wrapping, no date."""
    text = gettext_tool(
        "msgattrib", "--no-obsolete", "--no-location", "--sort-output", "--no-wrap", catalogue
    )
    return [line for line in text.splitlines() if not line.startswith('"POT-Creation-Date')]


def gettext_tool(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CommandError(f"{command[0]} {command[-1]}: {done.stderr.strip()}")
    return done.stdout
