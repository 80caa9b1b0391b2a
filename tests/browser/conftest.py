"""A real Chromium before the real pages: signed in, checked by axe, pictured.

These tests run in a process of their own: Playwright leaves an event loop on its thread.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page

from tests import make

# Fixtures write rows while Playwright's loop runs on this thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

PageOf = Callable[..., Page]
CheckPage = Callable[[Page, str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(reason="Chromium is not installed (Debian package: chromium)")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM and os.environ.get("CI") != "true":
                item.add_marker(missing)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def page_of(browser: Browser, live_server: Any) -> Iterator[PageOf]:
    """`page_of("aiko", language="ja", scheme="dark", width=360)`; who=None is a stranger."""
    contexts = []

    def opened(
        who: str | None,
        *,
        language: str = "en",
        scheme: str = "light",
        width: int = 1280,
        scripts: bool = True,
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            color_scheme=scheme,  # type: ignore[arg-type]
            locale={"en": "en-GB", "ja": "ja-JP"}[language],
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        cookies = {"django_language": language}
        if who:
            client = Client()
            client.force_login(make.person(who))
            cookies["sessionid"] = client.cookies["sessionid"].value
        context.add_cookies(
            [
                {"name": name, "value": value, "url": live_server.url}
                for name, value in cookies.items()
            ]
        )
        page = context.new_page()
        page.console_errors = []  # type: ignore[attr-defined]
        page.on(
            "console",
            lambda said: page.console_errors.append(said.text) if said.type == "error" else None,  # type: ignore[attr-defined]
        )
        page.on("pageerror", lambda error: page.console_errors.append(str(error)))  # type: ignore[attr-defined]
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def check_page() -> CheckPage:
    """`check_page(page, "people-ja-dark")`: axe finds nothing, the console is silent, a picture."""

    def checked(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
        )
        faults = [
            {
                "rule": fault["id"],
                "help": fault["help"],
                "nodes": [n["html"] for n in fault["nodes"]],
            }
            for fault in found["violations"]
        ]
        assert not faults, json.dumps(faults, indent=1, ensure_ascii=False)
        assert not page.console_errors, page.console_errors  # type: ignore[attr-defined]
        width, shown = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert width <= shown, f"{name} scrolls sideways: {width} > {shown}"

    return checked
