"""What the demo says at its end: a box for people, JSON for programs."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any
from unicodedata import east_asian_width

WIDTH = 92


@dataclass(frozen=True)
class Login:
    """One person of the demo, for the box."""

    role: str
    email: str
    password: str


@dataclass
class Outcome:
    """What the story did and found; `banks` and `rounds` are the rows of the JSON summary."""

    banks: list[dict[str, Any]] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    receipts_verified: int = 0
    problems: list[str] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    click_first: list[str] = field(default_factory=list)

    def summary(self, *, seconds: float) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "seconds": round(seconds, 1),
            "banks": self.banks,
            "rounds": self.rounds,
            "receipts_verified": self.receipts_verified,
            "problems": self.problems,
        }


def box(outcome: Outcome, *, address: str) -> str:
    """Address, a login for each role, what to click first."""
    lines = [f"Consortium is ready:  {address}", "Demo data: every bank and person is invented."]
    if outcome.logins:
        width = max(len(login.role) for login in outcome.logins)
        mail = max(len(login.email) for login in outcome.logins)
        lines += ["", "Sign in as"]
        lines += [
            f"  {login.role:<{width}}  {login.email:<{mail}}  {login.password}"
            for login in outcome.logins
        ]
    if outcome.click_first:
        lines += ["", "Click first"]
        lines += [f"  {n}. {step}" for n, step in enumerate(outcome.click_first, start=1)]
    if outcome.problems:
        lines += ["", "Not everything went well"]
        lines += [f"  - {problem}" for problem in outcome.problems]
    lines += ["", "Ctrl-C stops everything; the next start goes on with the same data."]
    return _framed(lines)


def _framed(lines: list[str]) -> str:
    wrapped = [
        part
        for line in lines
        for part in textwrap.wrap(line, WIDTH, subsequent_indent="     ", drop_whitespace=False)
        or [""]
    ]
    width = max(_columns(line) for line in wrapped)
    body = [f"│ {line}{' ' * (width - _columns(line))} │" for line in wrapped]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *body, f"└{'─' * (width + 2)}┘"])


def _columns(text: str) -> int:
    """How wide a terminal shows it: a Japanese character takes two columns."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
