"""Whether this node reaches the coordinator, hop by hop: the first one that fails says what to do.

Outbound only, as all of a bank's traffic. Each hop has ``TIMEOUT`` seconds.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from banks import keys
from banks.coordinator import Coordinator, Unreachable
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol.duties import NextDuties
from consortium.protocol.envelope import CLOCK_TOLERANCE_SECONDS
from consortium.protocol.errors import Refused

TIMEOUT = 5.0
NOTABLE_CLOCK_DIFFERENCE = 30  # seconds; from CLOCK_TOLERANCE_SECONDS on nothing is accepted
LARGEST_HELLO = 64 * 1024
Said = str | Promise


@dataclass(frozen=True)
class Hop:
    """One hop: what was seen (``detail``), and where it failed the sentence and what to do."""

    code: str
    title: Said
    state: Literal["ok", "warning", "failed", "skipped"]
    detail: str = ""
    sentence: Said = ""
    advice: Said = ""
    seconds: float = 0.0


class Trouble(Exception):  # noqa: N818 - a finding, not an error of this program
    """A hop that failed, with its sentence and what to do; ``passes`` where it only warns."""

    def __init__(
        self, sentence: Said, advice: Said, *, detail: str = "", passes: bool = False
    ) -> None:
        super().__init__(detail)
        self.sentence, self.advice, self.detail, self.passes = sentence, advice, detail, passes


@dataclass
class Line:
    """What the hops learn of the line, each from the one before."""

    bank: Bank
    url: SplitResult
    addresses: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    date: str = ""

    @property
    def host(self) -> str:
        return self.url.hostname or ""

    @property
    def secure(self) -> bool:
        return self.url.scheme == "https"

    @property
    def port(self) -> int:
        return self.url.port or (443 if self.secure else 80)


def walk(bank: Bank, *, url: str = "") -> list[Hop]:
    """Walk to the coordinator; after a failure the hops behind it are not tried."""
    line = Line(bank, urlsplit(url or settings.COORDINATOR_URL))
    return list(_walk(line))


def _walk(line: Line) -> Iterator[Hop]:
    broken = False
    for code, title, look in HOPS:
        if broken:
            yield Hop(code, title, "skipped")
            continue
        began = time.monotonic()
        try:
            detail, found = look(line), None
        except Trouble as trouble:
            detail, found = trouble.detail, trouble
        seconds = time.monotonic() - began
        if found is None:
            yield Hop(code, title, "ok", detail, seconds=seconds)
        else:
            broken = not found.passes
            state: Literal["warning", "failed"] = "warning" if found.passes else "failed"
            yield Hop(code, title, state, detail, found.sentence, found.advice, seconds)


def _resolve(line: Line) -> str:
    try:
        found = socket.getaddrinfo(line.host, line.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Trouble(
            _("This node's name service does not know the coordinator's name."),
            _("Compare COORDINATOR_URL with what the operator gave you, then ask your network."),
            detail=f"{line.host}: {error}",
        ) from error
    line.addresses = sorted({str(address[0]) for *_rest, address in found})
    return f"{line.host} → {', '.join(line.addresses)}"


def _connect(line: Line) -> str:
    try:
        with socket.create_connection((line.host, line.port), timeout=TIMEOUT):
            return f"{line.host}:{line.port}"
    except OSError as error:
        raise Trouble(
            _("Nothing answers at the coordinator's port."),
            _("Ask your network to let this node out to this address and port. Nothing comes in."),
            detail=f"{line.host}:{line.port}: {error}",
        ) from error


def _secure(line: Line) -> str:
    if not line.secure:
        raise Trouble(
            _("The line itself is not encrypted. Updates are, but who speaks when is visible."),
            _("Fine on one machine; between machines use an address that begins with https."),
            detail=line.url.scheme,
            passes=True,
        )
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((line.host, line.port), timeout=TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=line.host) as wrapped,
        ):
            certificate = wrapped.getpeercert() or {}
            return f"{wrapped.version()} · {certificate.get('notAfter', '')}"
    except ssl.SSLCertVerificationError as error:
        raise Trouble(
            _("The coordinator's certificate is not one that this node trusts."),
            _("It has expired, is for another name, or somebody is in between. Ask the operator."),
            detail=error.verify_message,
        ) from error
    except OSError as error:
        raise Trouble(
            _("No encrypted line could be agreed on."),
            _("A proxy may be in between. Ask your network; TLS 1.2 or newer is needed."),
            detail=str(error),
        ) from error


def _ask(line: Line) -> str:
    """The coordinator's greeting; its date and its version are looked at by the next hops."""
    kind = http.client.HTTPSConnection if line.secure else http.client.HTTPConnection
    connection = kind(line.host, line.port, timeout=TIMEOUT)
    target = line.url.path.rstrip("/") + "/healthz"
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        body, line.date = response.read(LARGEST_HELLO), response.headers.get("Date", "")
    except (OSError, http.client.HTTPException) as error:
        raise Trouble(
            _("The connection breaks before an answer."),
            _("A proxy may be in between, or the coordinator restarts. Try again in a minute."),
            detail=str(error),
        ) from error
    finally:
        connection.close()
    with suppress(ValueError):
        said = json.loads(body)
        line.answer = said if isinstance(said, dict) else {}
    if response.status != 200 or line.answer.get("ok") is not True:
        raise Trouble(
            _("Something answers, but it is not the coordinator."),
            _("Compare COORDINATOR_URL with what the operator gave you; a proxy may answer."),
            detail=f"HTTP {response.status}",
        )
    return f"HTTP {response.status}"


def _compare_clocks(line: Line) -> str:
    there = email.utils.parsedate_to_datetime(line.date).timestamp() if line.date else time.time()
    difference = round(time.time() - there)
    detail = f"{difference:+d} s"
    if abs(difference) > NOTABLE_CLOCK_DIFFERENCE:
        raise Trouble(
            _("The clocks differ; from five minutes on, signed requests are refused."),
            _("Set this machine's clock by a time server (NTP), then test again."),
            detail=detail,
            passes=abs(difference) < CLOCK_TOLERANCE_SECONDS,
        )
    return detail


def _compare_versions(line: Line) -> str:
    there, here = str(line.answer.get("version", "")), settings.VERSION
    detail = f"{here} · {there}"
    if line.answer.get("role") not in {"coordinator", "demo"}:
        raise Trouble(
            _("What answers is a bank's node, not the coordinator."),
            _("Compare COORDINATOR_URL with what the operator gave you."),
            detail=detail,
        )
    if there.split(".")[:1] != here.split(".")[:1]:
        raise Trouble(
            _("This node and the coordinator run versions that do not fit together."),
            _("Ask the operator which version the consortium runs, then install it here."),
            detail=detail,
        )
    return detail


def _say_hello(line: Line) -> str:
    try:
        keys.signing(line.bank.slug)
        answer = Coordinator(line.bank, url=line.url.geturl()).get(
            f"next?version={settings.VERSION}"
        )
        return str(_("%(n)s things to do")) % {"n": len(NextDuties.from_wire(answer).duties)}
    except Unreachable as error:
        raise Trouble(
            _("The coordinator is there, but too busy to look at a signed request."),
            _("Nothing is lost. Try again in a minute."),
            detail=str(error),
        ) from error
    except Refused as refused:
        raise Trouble(
            _("The coordinator does not accept this bank's signature."),
            _("Read the sentence beside it to the operator: suspended, removed, or other keys."),
            detail=translated(refused),
        ) from refused


HOPS: tuple[tuple[str, Said, Callable[[Line], str]], ...] = (
    ("name", _("Its name is known"), _resolve),
    ("port", _("Its port answers"), _connect),
    ("tls", _("The line is encrypted"), _secure),
    ("http", _("The coordinator answers"), _ask),
    ("clock", _("The clocks agree"), _compare_clocks),
    ("version", _("The versions fit"), _compare_versions),
    ("hello", _("It accepts this bank's signature"), _say_hello),
)
