"""Asking the product something as somebody, and looking at all that comes back."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.test import Client

from consortium.accounts.models import User
from consortium.protocol.envelope import sign_request
from tests import make
from tests.aggregation.nodes import Node
from tests.isolation.authorisation import Rule
from tests.isolation.world import CANARY, World

ANONYMOUS = "anonymous"
LETTERS = {"A": "analyst", "L": "lead", "M": "model_owner", "B": "bank_admin", "R": "auditor"}
NOBODY_ANSWERS = 503  # said where the coordinator would be asked; no coordinator runs here
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\\.)*\)")
ONCE = re.compile(r'csrfmiddlewaretoken" value="\w+"|X-CSRFToken"?: ?"\w+"|nonce="[^"]+"')
FIXED = {
    "key": "no-such-key",
    "uidb36": "1",
    "token": "no-such-token",
    "invitation": "no-such-invitation",
    "digest": "0" * 64,
}


class Asking:
    """Every principal, signed in once."""

    def __init__(self, world: World) -> None:
        self.world = world
        people = {f"home {name}": user for name, user in world.home.staff.items()}
        people |= {f"other {name}": user for name, user in world.other.staff.items()}
        people |= {"operator": make.person("mio"), "centre auditor": make.person("jun")}
        self.sessions = {who: _session(user) for who, user in people.items()}
        self.client = Client(raise_request_exception=False)
        self.strict_client = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def __call__(
        self,
        who: str,
        rule: Rule,
        names: dict[str, str],
        *,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        content: bytes | None = None,
        strict: bool = False,
    ) -> Any:
        """One request; it must reach the very address of ``rule`` and break nothing."""
        path = address(rule.route, names)
        if query:
            path += "?" + urlencode(query)
        answer = self._send(
            self.strict_client if strict else self.client,
            who,
            rule,
            path,
            encoded(rule, body) if content is None else content,
        )
        assert answer.resolver_match.route.replace("^", "") == rule.route
        whole = answer.status_code < 500 or answer.status_code == NOBODY_ANSWERS
        assert whole, f"{rule} as {who}: {answer.exc_info or answer.content}"
        if who.startswith(("home", "operator", "centre", ANONYMOUS)):
            canary_free(answer, f"{rule} as {who}")
        return answer

    def _send(self, client: Client, who: str, rule: Rule, path: str, body: bytes) -> Any:
        headers = {}
        client.cookies.clear()
        if who.startswith("token "):
            secret = self.world.tokens[who.removeprefix("token ")]
            headers = {"Authorization": f"Bearer {secret}"}
        elif who.startswith("node "):
            node = self.world.outsider if who == "node outsider" else self.world.consortium.nodes[0]
            return _signed(client, node, rule.method, path)
        elif who != ANONYMOUS:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[who]
        if rule.method == "GET":
            return client.get(path, headers=headers)
        kind = "application/json" if rule.is_api else "application/x-www-form-urlencoded"
        return client.generic(rule.method, path, body, content_type=kind, headers=headers)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is rolled back."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


def encoded(rule: Rule, body: dict[str, Any] | None) -> bytes:
    """A body as programs or as forms send it."""
    text = json.dumps(body or {}) if rule.is_api else urlencode(body or {}, doseq=True)
    return text.encode()


def address(route: str, names: dict[str, str]) -> str:
    """The path that a route gives with these names in the place of its parameters."""
    act = "deactivate" if "people" in route else "suspend"
    known = {**FIXED, "act": act, **names}
    filled = PARAMETER.sub(lambda found: known[found[1] or found[2]], route)
    return "/" + filled.removesuffix("$")


def canary_free(answer: Any, what: str) -> None:
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    cookies = answer.cookies.output()
    found = CANARY.search(content(answer) + headers + cookies)
    assert found is None, f"{what} shows {found}"


def content(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return bytes(body).decode("utf-8", "replace")


def alike(answer: Any, names: dict[str, str]) -> tuple[int, str, str]:
    """An answer without what differs from one request to the next: names asked for, tokens."""
    said, target = ONCE.sub("", content(answer)), answer.headers.get("Location", "")
    said = said.replace(answer.request["PATH_INFO"], "·")
    for name in sorted(set(names.values()), key=len, reverse=True):
        if len(name) > 3:
            said, target = said.replace(name, "·"), target.replace(name, "·")
    return answer.status_code, said, target


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _signed(client: Client, node: Node, method: str, path: str) -> Any:
    body = b"" if method == "GET" else b"{}"
    headers = sign_request(
        method,
        path,
        body,
        bank=node.bank,
        created=int(time.time()),
        nonce=secrets.token_hex(16),
        key=node.signing,
    )
    return client.generic(
        method, path, body, content_type="application/octet-stream", headers=headers
    )
