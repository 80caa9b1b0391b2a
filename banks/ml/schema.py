"""The canonical transaction, and the mapping that brings any table to it.

Canonical columns (one row a transaction):

===================  =======  ==============================================================
``id``               text     unique within one source
``time``             int64    µs since 1970-01-01 UTC; relative sources count from 0
``account``          text     null where the source has none
``counterparty``     text     terminal, merchant or payee; null where the source has none
``amount``           int64    minor units (cents; yen as yen); null where the source has none
``label``            int8     1 fraud, 0 genuine, null unknown
``label_known_at``   int64    µs UTC; null means: as soon as the label delay has passed
``extra_<name>``     float64  the source's own numeric features; null or NaN is missing
===================  =======  ==============================================================

Nothing here imports a table library, so that a web process can check a mapping cheaply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as JsonObject
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn, cast, get_args
from zoneinfo import ZoneInfo

from consortium.protocol.errors import Refused, gettext_noop

Kind = Literal["behaviour", "ready"]
TimeUnit = Literal["datetime", "us", "ms", "s", "h", "d"]

MICROSECONDS: Final[dict[str, int]] = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
DAY: Final = MICROSECONDS["d"]
HOUR: Final = MICROSECONDS["h"]

# Bounds that keep integer sums exact and a wrong clock from passing as data.
MAX_AMOUNT: Final = 10**14
MAX_TIME: Final = 4_102_444_800_000_000  # 2100-01-01

ROLES: Final = (
    "id",
    "time",
    "account",
    "counterparty",
    "amount",
    "currency",
    "channel",
    "label",
    "label_known_at",
    "bank",
)
CANONICAL: Final = (
    "id",
    "time",
    "account",
    "counterparty",
    "amount",
    "label",
    "label_known_at",
)
EXTRA_PREFIX: Final = "extra_"
REQUIRED: Final[dict[Kind, tuple[str, ...]]] = {
    "behaviour": ("id", "time", "account", "amount"),
    "ready": ("time",),
}
LABEL_WORDS: Final[dict[str, int | None]] = {
    "1": 1,
    "1.0": 1,
    "true": 1,
    "yes": 1,
    "y": 1,
    "fraud": 1,
    "不正": 1,
    "0": 0,
    "0.0": 0,
    "false": 0,
    "no": 0,
    "n": 0,
    "genuine": 0,
    "正常": 0,
    "": None,
    "unknown": None,
    "不明": None,
}


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Which column of a source plays which role.

    ``kind`` is ``behaviour`` when features are built from raw transactions, ``ready`` when the
    source brings its own in ``extra`` (then id, account, counterparty and amount are optional).
    A text or timestamp column is read with ``time_unit`` ``datetime`` in ``zone``; numbers need
    one of the other units and count from 1970, or from any start of the source's own.
    ``amount_digits`` is the number of decimals of the currency's minor unit (2 cents, 0 yen).
    """

    columns: dict[str, str]
    zone: str = "UTC"
    extra: tuple[str, ...] = ()
    kind: Kind = "behaviour"
    time_unit: TimeUnit | None = None
    amount_digits: int = 2
    _roles: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_columns(self.columns)
        _check_extra(self.extra, self.columns)
        _check_zone(self.zone)
        if self.kind not in get_args(Kind):
            _refuse(gettext_noop('"kind" must be "behaviour" or "ready".'), "kind")
        if self.time_unit is not None and self.time_unit not in get_args(TimeUnit):
            _refuse(
                gettext_noop('"time_unit" must be one of %(units)s.'),
                "time_unit",
                units=", ".join(get_args(TimeUnit)),
            )
        if not 0 <= self.amount_digits <= 4:
            _refuse(gettext_noop('"amount_digits" must be from 0 to 4.'), "amount_digits")
        self._check_required()
        object.__setattr__(self, "_roles", {name: role for role, name in self.columns.items()})

    def _check_required(self) -> None:
        missing = [role for role in REQUIRED[self.kind] if role not in self.columns]
        if missing:
            _refuse(
                gettext_noop('The mapping names no column for "%(role)s".'),
                "columns",
                role=missing[0],
            )
        if self.kind == "ready" and not self.extra and "amount" not in self.columns:
            _refuse(
                gettext_noop("Ready features need at least one column under %(key)s."),
                "extra",
                key='"extra"',
            )

    @classmethod
    def from_json(cls, source: str | bytes | JsonObject[str, Any]) -> Mapping:
        """Read a mapping from JSON text or an already parsed object; anything unknown is refused.

        Without ``kind`` a mapping that names an account column is ``behaviour``, else ``ready``.
        """
        body = _parsed(source)
        unknown = sorted(
            set(body) - {"columns", "zone", "extra", "kind", "time_unit", "amount_digits"}
        )
        if unknown:
            _refuse(gettext_noop('The mapping has an unknown entry "%(name)s".'), name=unknown[0])
        columns = body.get("columns")
        if not isinstance(columns, dict):
            _refuse(gettext_noop('The mapping needs an object "columns".'), "columns")
        extra = body.get("extra", [])
        if not isinstance(extra, list) or not all(isinstance(name, str) for name in extra):
            _refuse(gettext_noop('"extra" must be a list of column names.'), "extra")
        digits = body.get("amount_digits", 2)
        if not isinstance(digits, int) or isinstance(digits, bool):
            _refuse(gettext_noop('"amount_digits" must be from 0 to 4.'), "amount_digits")
        return cls(
            columns=dict(columns),
            zone=cast(str, body.get("zone", "UTC")),
            extra=tuple(extra),
            kind=body.get("kind", "behaviour" if "account" in columns else "ready"),
            time_unit=body.get("time_unit"),
            amount_digits=digits,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``from_json`` reads back to an equal mapping."""
        return {
            "columns": dict(self.columns),
            "zone": self.zone,
            "extra": list(self.extra),
            "kind": self.kind,
            "amount_digits": self.amount_digits,
        } | ({"time_unit": self.time_unit} if self.time_unit else {})

    def role_of(self, column: str) -> str | None:
        """Return the role a source column plays (``extra_<name>`` for an extra one), or None."""
        return EXTRA_PREFIX + column if column in self.extra else self._roles.get(column)

    def source_columns(self) -> tuple[str, ...]:
        """Return every source column the mapping needs, roles first, in a stable order."""
        roles = (self.columns[role] for role in ROLES if role in self.columns)
        return (*roles, *self.extra)

    def check_source(self, available: list[str]) -> None:
        """Refuse a source that lacks a mapped column, naming the column and what is there."""
        for name in self.source_columns():
            if name not in available:
                _refuse(
                    gettext_noop('The data have no column "%(name)s". They have: %(available)s.'),
                    "columns",
                    name=name,
                    available=", ".join(available),
                )


def _refuse(sentence: str, field: str | None = None, **params: object) -> NoReturn:
    raise Refused("mapping", sentence, field=field, **params)


def _parsed(source: str | bytes | JsonObject[str, Any]) -> JsonObject[str, Any]:
    if isinstance(source, str | bytes):
        try:
            source = json.loads(source)
        except ValueError as error:
            raise Refused(
                "mapping",
                gettext_noop("The mapping is not valid JSON: %(reason)s"),
                reason=str(error),
            ) from error
    if not isinstance(source, JsonObject):
        _refuse(gettext_noop("The mapping must be a JSON object."))
    return source


def _check_columns(columns: dict[str, str]) -> None:
    for role, name in columns.items():
        if role not in ROLES:
            _refuse(
                gettext_noop('"%(role)s" is not a role. Roles are: %(roles)s.'),
                "columns",
                role=role,
                roles=", ".join(ROLES),
            )
        if not isinstance(name, str) or not name:
            _refuse(gettext_noop('The column for "%(role)s" must be a name.'), "columns", role=role)
    if twice := _repeated(list(columns.values())):
        _refuse(gettext_noop('The column "%(name)s" is mapped twice.'), "columns", name=twice)


def _check_extra(extra: tuple[str, ...], columns: dict[str, str]) -> None:
    if "" in extra:
        _refuse(gettext_noop('"extra" must be a list of column names.'), "extra")
    if twice := _repeated([*extra, *columns.values()]):
        _refuse(gettext_noop('The column "%(name)s" is mapped twice.'), "extra", name=twice)


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise Refused(
            "mapping",
            gettext_noop('There is no time zone "%(zone)s". Use a name like Asia/Tokyo.'),
            field="zone",
            zone=zone,
        ) from error


def _repeated(names: list[str]) -> str | None:
    return next((name for index, name in enumerate(names) if name in names[:index]), None)
