"""Strict records: frozen dataclasses that cross the wire as JSON and come back checked.

A field's type says everything that is allowed: ``str``, ``int`` (at most 53 bits), ``bool``,
``X | None``, ``Literal``, ``tuple[X, ...]``, another record, ``Json`` and the formats below.
Unknown, missing and ill-typed fields are refused by name. There are no floats on the wire: a real
number travels as a decimal string, an integer of more than 53 bits as hex digits.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin
from typing import get_type_hints as type_hints

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _

PROTOCOL_VERSION = 1
LARGEST_INTEGER = 2**53 - 1
DEEPEST_NESTING = 32

Json = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """A text is one of these when it matches the whole pattern."""

    name: str
    pattern: str

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)


@dataclass(frozen=True)
class Between:
    """A number within both bounds, or a text of that many characters."""

    least: int
    most: int


Identifier = Annotated[
    str, Format("a UUID", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
]
Digest = Annotated[str, Format("64 hex digits", r"[0-9a-f]{64}")]
KeyText = Digest
SignatureText = Annotated[str, Format("128 hex digits", r"[0-9a-f]{128}")]
Decimal = Annotated[
    str, Format("a plain decimal number", r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{0,17}[1-9])?")
]
Name = Annotated[str, Between(1, 200)]
Text = Annotated[str, Between(0, 2000)]
Count = Annotated[int, Between(0, LARGEST_INTEGER)]
Positive = Annotated[int, Between(1, LARGEST_INTEGER)]
Seconds = Annotated[int, Between(1, 2**40)]


def malformed(where: str, what: str) -> ProtocolRefused:
    """The refusal of a value that does not have the form its place asks for."""
    return ProtocolRefused(
        "malformed", _("%(where)s must be %(what)s."), field=where, where=where, what=what
    )


def canonical(value: object) -> bytes:
    """The one way to write ``value`` as bytes: JSON in UTF-8, sorted keys, no spaces, no floats."""
    _check_json(value, "The message", 0)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise malformed("The message", "valid Unicode text") from None


def parse(data: bytes) -> Any:
    """JSON bytes to values; duplicate keys, floats and deep nesting are refused.

    The caller has limited the size of ``data``.
    """
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_without_duplicates,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except (ValueError, RecursionError):
        raise malformed("The message", "JSON text in UTF-8") from None
    _check_json(value, "The message", 0)
    return value


def digest(data: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return sha256(data).hexdigest()


class Record:
    """Base of everything that crosses the wire. Subclasses are frozen dataclasses."""

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            _check(getattr(self, name), hint, f"{type(self).__name__}.{name}")
        self.invariants()

    def invariants(self) -> None:
        """What must hold between fields; raises ``ProtocolRefused``."""

    def to_wire(self) -> Json:
        return {name: _lower(getattr(self, name)) for name in _hints(type(self))}

    @classmethod
    def from_wire(cls, value: object) -> Self:
        """The record that ``value`` (parsed JSON) describes; ``ProtocolRefused`` names a fault."""
        if not isinstance(value, Mapping):
            raise malformed(cls.__name__, _("an object"))
        hints = _hints(cls)
        for name in sorted(set(hints) - set(value)):
            raise malformed(f"{cls.__name__}.{name}", _("present"))
        for name in sorted(set(map(str, value)) - set(hints)):
            raise malformed(f"{cls.__name__}.{name}", _("absent: the field is unknown"))
        return cls(
            **{
                name: _lift(value[name], hint, f"{cls.__name__}.{name}")
                for name, hint in hints.items()
            }
        )

    def to_bytes(self) -> bytes:
        return canonical(self.to_wire())


class Message(Record):
    """A record that someone signs: it carries its kind and the protocol's version."""

    kind: ClassVar[str]

    def body(self) -> Json:
        """The dictionary that is signed and hashed."""
        return {"kind": self.kind, "protocol_version": PROTOCOL_VERSION, **super().to_wire()}

    def to_wire(self) -> Json:
        return self.body()

    def hash(self) -> str:
        """SHA-256 of the canonical body: how other messages refer to this one."""
        return digest(canonical(self.body()))

    @classmethod
    def from_wire(cls, value: object) -> Self:
        if not isinstance(value, Mapping):
            raise malformed(cls.__name__, _("an object"))
        if value.get("kind") != cls.kind:
            raise malformed(f"{cls.__name__}.kind", f'"{cls.kind}"')
        version = value.get("protocol_version")
        if type(version) is not int or version != PROTOCOL_VERSION:
            raise ProtocolRefused(
                "protocol_version",
                _("This node speaks protocol version %(ours)s, the message is version %(theirs)s."),
                ours=PROTOCOL_VERSION,
                theirs=str(version)[:20],
            )
        envelope = ("kind", "protocol_version")
        return super().from_wire({k: v for k, v in value.items() if k not in envelope})


_HINTS: dict[str, dict[str, Any]] = {}


def _hints(cls: type[Any]) -> dict[str, Any]:
    """Field names and types of a record, resolved once."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name not in _HINTS:
        hints = type_hints(cls, include_extras=True)
        _HINTS[name] = {field.name: hints[field.name] for field in fields(cls)}
    return _HINTS[name]


@cache
def _shape(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(hint), get_args(hint)


def _lower(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_wire()
    if isinstance(value, tuple):
        return [_lower(item) for item in value]
    return value


def _lift(value: Any, hint: Any, where: str) -> Any:
    """Turn lists into tuples and objects into records where the type asks for them."""
    origin, args = _shape(hint)
    if origin is Annotated:
        return _lift(value, args[0], where)
    if origin in (Union, types.UnionType):
        inner = next(arg for arg in args if arg is not type(None))
        return None if value is None else _lift(value, inner, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise malformed(where, _("a list"))
        inner = args[0]
        return tuple(_lift(item, inner, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_wire(value)
    return value


def _check(value: Any, hint: Any, where: str) -> None:
    origin, args = _shape(hint)
    if origin is Annotated:
        _check(value, args[0], where)
        for rule in args[1:]:
            _check_rule(value, rule, where)
    elif origin in (Union, types.UnionType):
        if value is not None:
            _check(value, next(arg for arg in args if arg is not type(None)), where)
    elif origin is tuple:
        if not isinstance(value, tuple):
            raise malformed(where, _("a list"))
        for position, item in enumerate(value):
            _check(item, args[0], f"{where}[{position}]")
    elif origin is Literal:
        if not isinstance(value, str) or value not in args:
            raise malformed(where, " | ".join(args))
    elif origin is dict:
        if not isinstance(value, dict):
            raise malformed(where, _("an object"))
        _check_json(value, where, 0)
    elif hint is int:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_INTEGER:
            raise malformed(where, _("an integer of at most 53 bits"))
    elif not isinstance(value, hint):
        raise malformed(where, hint.__name__)


def _check_rule(value: Any, rule: Format | Between, where: str) -> None:
    if isinstance(rule, Format):
        if not rule.compiled.fullmatch(value):
            raise malformed(where, rule.name)
        return
    measure = len(value) if isinstance(value, str) else value
    if not rule.least <= measure <= rule.most:
        unit = _("characters long") if isinstance(value, str) else ""
        raise malformed(where, f"{rule.least}-{rule.most} {unit}".strip())


def _check_json(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST_NESTING:
        raise malformed(where, _("less deeply nested"))
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise malformed(where, _("an object whose keys are texts"))
            _check_json(item, f"{where}.{key[:50]}" if depth < 3 else where, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_json(item, where, depth + 1)
    elif isinstance(value, float):
        raise malformed(where, _("written without floats (use a decimal text)"))
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise malformed(where, _("an integer of at most 53 bits"))
    elif value is not None and not isinstance(value, str):
        raise malformed(where, _("JSON"))


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise malformed("The message", _("an object without duplicate keys"))
    return found


def _no_float(text: str) -> float:
    raise malformed("The message", _("written without floats (use a decimal text)"))
