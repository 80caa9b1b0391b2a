"""Noting that a carried past no longer holds, in the transaction that changes it.

A late payment or a changed label takes effect before the day until which a past was carried
(``carrying``). Whoever writes one says so here after writing; the account and the counterparty
are then read in full until they are carried again. So are the counterparties of the account's
later frauds, which a first stage explains by the account's past. The lock makes it certain: a
carrying begins only when no such change is half done, and every change after that finds the
carrying's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from consortium.accounts.models import Bank

CHANGING: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
CARRYING: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
# Sides by name in one order for all, so that two changes never wait for each other.
NOTE: Final = """
    INSERT INTO banks_carriedpast (bank_id, carry_id, side, name, content)
    SELECT DISTINCT c.bank_id, c.id, s.side, s.name, NULL::bytea
    FROM banks_carry c CROSS JOIN LATERAL
        (SELECT 'a' AS side, account AS name, time FROM {changed}
         UNION ALL SELECT 'c', counterparty, time FROM {changed}
         UNION ALL SELECT 'c', f.counterparty, f.time FROM {changed}
            JOIN banks_transaction f ON f.account = t.account AND f.time > t.time
            WHERE f.bank_id = c.bank_id AND f.label = 1 AND t.account <> '') s
    WHERE c.bank_id = %s AND s.time < c.until AND s.name <> ''
    ORDER BY c.id, s.side, s.name
    ON CONFLICT (carry_id, side, name) DO UPDATE SET content = NULL
"""


def note_transactions(bank: Bank, keys: Sequence[int]) -> None:
    """These transactions were added, or their labels changed."""
    _note(bank, "(SELECT * FROM banks_transaction WHERE id = ANY(%s)) t", list(keys))


def note_imported(bank: Bank) -> None:
    """The rows of this connection's staging table were stored."""
    _note(bank, "pg_temp.import_staging t")


def lock_key(bank: Bank) -> str:
    return f"carry:{bank.pk}"


def _note(bank: Bank, changed: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        # Two statements: the second sees what was committed while the first waited.
        cursor.execute(CHANGING, [lock_key(bank)])
        cursor.execute(NOTE.format(changed=changed), [*parameters * 3, bank.pk])
