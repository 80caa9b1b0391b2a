"""The one way out of a bank: signed, outbound HTTP to the coordinator, each body in a ledger.

Network trouble is ``Unreachable`` (try again later); a refusal of the coordinator comes back as
``Refused`` with its own code and sentence.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from banks import keys
from banks.models import SentMessage
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.envelope import SigningKey, digest, sign_request
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.sizes import Traffic

PREFIX = "/api/v1/coordinator/"
JSON_TYPE = "application/json"
BINARY_TYPE = "application/octet-stream"
TIMEOUT_SECONDS = 60
LARGEST_ANSWER = 512 * 1024 * 1024


class NoAnswer(Refused):
    """What people and programs are told who asked for something that needs the coordinator."""

    http_status = 503


class Unreachable(Exception):  # noqa: N818 - a state of the network, not an error of anyone's
    """The coordinator did not answer, or is busy; nothing is lost, the next step tries again."""

    refusal = NoAnswer(
        "coordinator_unreachable",
        gettext_noop("The coordinator does not answer. Try again in a minute."),
    )


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Coordinator:
    """The coordinator as one bank sees it."""

    def __init__(self, bank: Bank, *, url: str | None = None) -> None:
        self.bank = bank
        self._key: SigningKey = keys.signing(bank.slug)
        self._url = urlsplit(url or settings.COORDINATOR_URL)
        self._traffic: dict[str, Traffic] = {}

    def get(self, path: str) -> Any:
        return self._call("GET", path, b"", JSON_TYPE, "").json()

    def get_bytes(self, path: str) -> bytes:
        return self._call("GET", path, b"", JSON_TYPE, "").body

    def post(self, path: str, message: object, *, purpose: str) -> Any:
        body = json.dumps(message, separators=(",", ":")).encode()
        return self._call("POST", path, body, JSON_TYPE, purpose).json()

    def post_bytes(self, path: str, body: bytes, *, purpose: str) -> Any:
        return self._call("POST", path, body, BINARY_TYPE, purpose).json()

    def take_traffic(self) -> dict[str, Traffic]:
        """Bytes of each round's own requests and answers since this was last asked."""
        taken, self._traffic = self._traffic, {}
        return taken

    def _call(self, method: str, path: str, body: bytes, content_type: str, purpose: str) -> Answer:
        target = self._url.path.rstrip("/") + PREFIX + path
        headers = sign_request(
            method,
            target,
            body,
            bank=str(self.bank.pk),
            created=int(time.time()),
            nonce=secrets.token_hex(16),
            key=self._key,
        )
        answer = request(self._url, method, target, body, content_type, headers)
        self._count(path, Traffic(len(body), len(answer.body)))
        if body:
            self._remember(path, purpose, body, answer.status)
        return answered(answer)

    def _count(self, path: str, traffic: Traffic) -> None:
        kind, _, rest = path.partition("/")
        if kind == "rounds":
            round_id = rest.partition("/")[0]
            self._traffic[round_id] = self._traffic.get(round_id, Traffic()) + traffic

    def _remember(self, path: str, purpose: str, body: bytes, status: int) -> None:
        with bank_scope(self.bank.pk):
            SentMessage.objects.create(
                bank=self.bank,
                path=path,
                purpose=purpose,
                size=len(body),
                sha256=digest(body),
                status=status,
            )


def join(url: str, message: dict[str, Any]) -> Any:
    """Accept an invitation: the only call not signed by a key the coordinator knows already."""
    parts = urlsplit(url or settings.COORDINATOR_URL)
    body = json.dumps(message).encode()
    target = parts.path.rstrip("/") + PREFIX + "join"
    return answered(request(parts, "POST", target, body, JSON_TYPE, {})).json()


def request(
    url: Any, method: str, target: str, body: bytes, content_type: str, headers: dict[str, str]
) -> Answer:
    """One HTTP exchange; 5xx and 429 count as unreachable."""
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, target, body or None, {"Content-Type": content_type, **headers})
        response = connection.getresponse()
        content = response.read(LARGEST_ANSWER + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(str(error)) from error
    finally:
        connection.close()
    if response.status >= 500 or response.status == 429:
        raise Unreachable(f"{method} {target}: HTTP {response.status}")
    if len(content) > LARGEST_ANSWER:
        raise ProtocolRefused(
            "answer_too_large", gettext_noop("The coordinator's answer is larger than any round's.")
        )
    return Answer(response.status, content)


def answered(answer: Answer) -> Answer:
    """The answer, or the coordinator's refusal with its own words."""
    if answer.status < 400:
        return answer
    try:
        said = answer.json()
        code, message = str(said["code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        code, message = f"http_{answer.status}", ""
    raise Refused(
        code,
        gettext_noop("The coordinator refused: %(message)s"),
        message=message or f"HTTP {answer.status}",
    )
