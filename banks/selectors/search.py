"""One word looked for everywhere in a bank: exact names first, then what begins with it.

Names are compared byte by byte (the columns' collation), and by < and >= instead of LIKE: these
are leakproof, so that PostgreSQL uses the indexes under row-level security too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.db import connection
from django.db.models import Q, QuerySet

from banks.models import Alert, Case, Transaction
from banks.selectors import cases
from consortium.accounts.models import Bank, Membership, Role

SHOWN: Final = 8  # of a kind
MOST: Final = 100  # counted of a kind; more is said as "more than"
SHORTEST: Final = 2  # a single character begins too much
LOOKED_AT: Final = 1000  # payments whose alerts are looked for
LAST: Final = "\U0010ffff"
ALERT_READERS: Final = (Role.ANALYST, Role.LEAD, Role.MODEL_OWNER, Role.AUDITOR)
Name = Literal["account", "counterparty"]


@dataclass(frozen=True)
class Group:
    """What was found of one kind; ``count`` stops at ``MOST`` + 1."""

    kind: str
    found: Sequence[Any]
    count: int

    @property
    def more(self) -> bool:
        return self.count > MOST


def search(membership: Membership, q: str) -> list[Group]:
    """Groups that this person may see and that hold something; empty for too short a word."""
    q = q.strip()[:80]
    bank = membership.bank
    if bank is None or len(q) < SHORTEST:
        return []
    groups = [group(bank, q) for readers, group in GROUPS if membership.role in readers]
    return [group for group in groups if group.count]


def _alerts(bank: Bank, q: str) -> Group:
    """By its own id; by its payment's id, account or counterparty."""
    payments = Transaction.objects.filter(bank=bank)
    exact = payments.filter(Q(external_id=q) | Q(account=q) | Q(counterparty=q))
    begun = payments.filter(_begins("external_id", q)).order_by("external_id")
    # Keys alone, step by step: joined, PostgreSQL would rather read every payment and alert.
    keys = [key for some in (exact, begun) for key in some.values_list("pk", flat=True)[:LOOKED_AT]]
    place = {key: n for n, key in reversed(list(enumerate(keys)))}
    found = dict(
        Alert.objects.filter(bank=bank, transaction__in=place).values_list("transaction_id", "pk")
    )
    ids = [found[key] for key in sorted(found, key=place.__getitem__)]
    if key := _uuid(q):
        ids = [key, *ids] if Alert.objects.filter(bank=bank, pk=key).exists() else ids
    rows = Alert.objects.select_related("transaction").defer("features", "reasons")
    shown = sorted(rows.filter(bank=bank, pk__in=ids[:SHOWN]), key=lambda one: ids.index(one.pk))
    return Group("alerts", shown, min(len(ids), MOST + 1))


def _cases(bank: Bank, q: str) -> Group:
    """By number, account, or the reference number of a freeze request."""
    digits = q.upper().removeprefix("C-")
    named = Q(account=q) | Q(freezes__reference=q) | Q(freezes__account=q)
    named |= Q(account__gte=q, account__lt=q + LAST)
    if digits.isascii() and digits.isdecimal() and len(digits) < 10:
        named |= Q(number=int(digits))
    rows = Case.objects.select_related("owner").filter(named, bank=bank).distinct()
    return _group("cases", rows.order_by("-number"))


def _transactions(bank: Bank, q: str) -> Group:
    """In the order of their ids, where the exact one comes before all that begin with it."""
    rows = Transaction.objects.filter(_begins("external_id", q), bank=bank)
    return _group("transactions", rows.order_by("external_id"))


def _accounts(bank: Bank, q: str) -> Group:
    return _names("accounts", "account", bank, q)


def _counterparties(bank: Bank, q: str) -> Group:
    return _names("counterparties", "counterparty", bank, q)


GROUPS: Final[tuple[tuple[tuple[Role, ...], Callable[[Bank, str], Group]], ...]] = (
    (cases.READERS, _cases),
    (ALERT_READERS, _alerts),
    (cases.READERS, _accounts),
    (cases.READERS, _counterparties),
    (cases.READERS, _transactions),
)


def _group(kind: str, rows: QuerySet[Any]) -> Group:
    found = list(rows[: MOST + 1])
    return Group(kind, found[:SHOWN], len(found))


def _names(kind: str, column: Name, bank: Bank, q: str) -> Group:
    """Different names in their order, each found by one step of the index."""
    table = connection.ops.quote_name(Transaction._meta.db_table)
    step = (
        f"SELECT {column} FROM {table} WHERE bank_id = %(bank)s AND {column} {{}} "  # noqa: S608
        f"AND {column} < %(end)s ORDER BY {column} LIMIT 1"
    )
    query = (
        f"WITH RECURSIVE names(name, n) AS (("  # noqa: S608 - names of our own columns
        f"SELECT ({step.format('>= %(q)s')}), 1) UNION ALL "
        f"SELECT ({step.format('> names.name')}), n + 1 FROM names "
        "WHERE name IS NOT NULL AND n <= %(most)s) SELECT name FROM names WHERE name IS NOT NULL"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, {"bank": bank.pk, "q": q, "end": q + LAST, "most": MOST})
        found = [name for (name,) in cursor.fetchall()]
    return Group(kind, found[:SHOWN], len(found))


def _begins(column: str, q: str) -> Q:
    return Q(**{f"{column}__gte": q, f"{column}__lt": q + LAST})


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
