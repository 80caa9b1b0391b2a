"""Row-level security: PostgreSQL shows a bank's rows only inside that bank's scope.

The seat belt of the demo's one database; separate databases are the wall. Without a scope a
query finds nothing and a write is refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, migrations, models, transaction

SETTING = "app.current_bank"


@contextmanager
def bank_scope(bank_id: uuid.UUID | str) -> Iterator[None]:
    """Open a transaction in which only this bank's rows exist."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, str(bank_id)])
        yield


def analyze(*tables: type[models.Model]) -> None:
    """Tell PostgreSQL how tables look after many rows came at once; outside any scope."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table._meta.db_table)}")


def row_level_security(*tables: str) -> list[migrations.RunSQL]:
    """Migration operations that close ``tables`` (each with a bank_id column) to other banks."""
    return [
        migrations.RunSQL(
            f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY own_bank ON {table}
                USING (bank_id = nullif(current_setting('{SETTING}', true), '')::uuid)
                WITH CHECK (bank_id = nullif(current_setting('{SETTING}', true), '')::uuid);
            """,
            f"""
            DROP POLICY own_bank ON {table};
            ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
            """,
        )
        for table in tables
    ]
