"""Someone at the screen, in one language: finds things by the words that stand there."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from typing import Any

from django.utils import translation
from playwright.sync_api import Error, Locator, Page

from tests.browser.conftest import CheckPage, PageOf

LONGEST = 900.0
# Text and labels that a reader meets, without what is data by its nature.
WORDS = """
() => {
  const DATA = "code, kbd, pre, script, style, noscript, template, textarea, svg";
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!parent.closest(DATA) && parent.checkVisibility()) seen.push(node.textContent);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt", "aria-valuetext"])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (!element.closest("svg")) seen.push(element.getAttribute(name));
  return [document.title, ...seen].map(text => text.replace(/\\s+/g, " ").trim());
}
"""
ENGLISH = re.compile(r"[A-Za-z]+(?:[,;:'’.]? [A-Za-z]+){3,}")
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b|%\(\w+\)s|\{\{|\bNone\b|\bnan\b")


class Walk:
    """The pictures of one walk, numbered in the order in which they are taken."""

    def __init__(self, page_of: PageOf, check_page: CheckPage, language: str) -> None:
        self._page_of, self._check, self.language = page_of, check_page, language
        self._numbers = itertools.count(1)
        self.faults: list[str] = []

    def person(self, email: str = "", password: str = "") -> Visitor:
        """Somebody with a browser of their own; signed in where an address is given."""
        visitor = Visitor(self, self._page_of(None, language=self.language))
        if email:
            visitor.sign_in(email, password)
        return visitor

    def picture(self, page: Page, name: str) -> None:
        """Whole is a page that axe, console and width find nothing on, in one language only.

        Faults are gathered, so that one walk tells all of them.
        """
        title = f"walk-{self.language}-{next(self._numbers):02d}-{name}"
        try:
            try:
                self._check(page, title)
            except Error:  # a live page was loaded anew under axe
                page.wait_for_load_state("networkidle")
                self._check(page, title)
        except AssertionError as fault:
            self.faults.append(f"{name}: {fault}")
            page.console_errors.clear()  # type: ignore[attr-defined]
        texts = page.evaluate(WORDS)
        self.faults += [f"{name}: a raw code in {text!r}" for text in texts if CODE.search(text)]
        if self.language != "en":
            english = [text for text in texts if ENGLISH.search(text)]
            self.faults += [f"{name}: not translated: {text!r}" for text in english]


class Visitor:
    """One person: `press("Train alone now")` finds the button by that sentence's translation."""

    def __init__(self, walk: Walk, page: Page) -> None:
        self.walk, self.page = walk, page

    def say(self, sentence: str) -> str:
        with translation.override(self.walk.language):
            return translation.gettext(sentence)

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto("/accounts/login/")
        self.page.locator("input[name=login]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("input[name=password]").press("Enter")
        self.page.wait_for_url(lambda url: "/login/" not in url)

    def go(self, address: str) -> None:
        self.page.goto(address)

    def button(self, sentence: str) -> Locator:
        return self.page.locator("main").get_by_role("button", name=self.say(sentence)).first

    def press(self, sentence: str) -> None:
        self.button(sentence).click()

    def follow(self, sentence: str) -> None:
        self.page.locator("main").get_by_role("link", name=self.say(sentence)).first.click()

    def confirm(self, label: str, button: str, **fields: str) -> None:
        """A button that asks once more before it acts."""
        asked = self.page.locator("details.confirm", has=self.page.locator("summary")).filter(
            has=self.page.get_by_role("button", name=self.say(button), include_hidden=True)
        )
        asked.locator("summary").filter(has_text=self.say(label)).click()
        for name, text in fields.items():
            asked.locator(f"[name={name}]").fill(text)
        asked.get_by_role("button", name=self.say(button)).last.click()

    def sees(self, sentence: str) -> bool:
        return self.page.get_by_text(self.say(sentence)).first.is_visible()

    def picture(self, name: str) -> None:
        self.page.wait_for_load_state("networkidle")
        self.walk.picture(self.page, name)

    def until(self, seen: Callable[[], Any], what: str, *, reload: bool = False) -> None:
        """Look at the page until it is so; a page that does not move by itself is loaded again."""
        deadline = time.monotonic() + LONGEST
        while not seen():
            assert time.monotonic() < deadline, (
                f"{what} did not come: {self.page.locator('main').inner_text()}"
            )
            self.page.wait_for_timeout(500)
            if reload:
                self.page.reload()
