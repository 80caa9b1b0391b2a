"""Each role, migrated into an empty database: which tables exist at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.parties import Party, nodes

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    ("role", "has", "lacks"),
    [
        ("coordinator", "aggregation_", "banks_"),
        ("bank", "banks_", "aggregation_"),
    ],
)
def test_a_role_has_its_own_worlds_tables_only(
    role: str, has: str, lacks: str, tmp_path: Path
) -> None:
    party = Party("only", role, tmp_path / role, coordinator="http://127.0.0.1:9")
    with nodes([party]):
        connection = party.connect()
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            tables = {name for (name,) in cursor.fetchall()}
        connection.close()
    assert any(name.startswith(has) for name in tables)
    assert not [name for name in tables if name.startswith(lacks)]
    assert "accounts_bank" in tables


def test_a_coordinator_refuses_to_start_beside_a_key_share(tmp_path: Path) -> None:
    party = Party("beside", "coordinator", tmp_path / "beside")
    with nodes([party]):
        share = party.folder / "banks" / "any" / "keys" / "share-1.json"
        share.parent.mkdir(parents=True)
        share.write_text("{}")
        with pytest.raises(AssertionError, match="must never hold a key share"):
            party.manage("check")
