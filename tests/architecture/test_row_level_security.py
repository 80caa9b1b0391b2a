"""Every table of a bank is closed to all others by PostgreSQL itself."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from banks.models import SourceMapping
from consortium.accounts.tenancy import bank_scope
from tests import make

pytestmark = pytest.mark.django_db
TABLES = sorted(
    model._meta.db_table
    for model in apps.get_app_config("banks").get_models(include_auto_created=True)
)


def mappings() -> list[str]:
    return list(SourceMapping.objects.values_list("name", flat=True))


@pytest.fixture
def _one_row_each() -> None:
    for slug in ("sakura", "fuji"):
        bank = make.bank(slug)
        with bank_scope(bank.pk):
            SourceMapping.objects.create(bank=bank, name=f"of {slug}", mapping={})


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_a_bank_is_closed(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relrowsecurity, relforcerowsecurity,
                   (SELECT count(*) FROM pg_policy
                     WHERE polrelid = c.oid AND polcmd = '*' AND polpermissive
                       AND polqual IS NOT NULL AND polwithcheck IS NOT NULL)
              FROM pg_class c WHERE oid = %s::regclass
            """,
            [table],
        )
        assert cursor.fetchone() == (True, True, 1), f"{table} needs row_level_security()"


def test_no_other_table_of_the_app_exists() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            r"SELECT relname FROM pg_class WHERE relname LIKE 'banks\_%' AND relkind = 'r'"
        )
        assert sorted(name for (name,) in cursor.fetchall()) == TABLES


def test_every_row_names_its_bank() -> None:
    for model in apps.get_app_config("banks").get_models(include_auto_created=True):
        assert not model._meta.get_field("bank").null, model


def test_the_database_role_is_bound_by_policies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)


@pytest.mark.usefixtures("_one_row_each")
def test_without_a_scope_there_are_no_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.current_bank', '', true)")
    assert mappings() == []


@pytest.mark.usefixtures("_one_row_each")
def test_inside_a_scope_there_are_this_bank_s_rows_only() -> None:
    with bank_scope(make.bank("fuji").pk):
        assert mappings() == ["of fuji"]
    with bank_scope(uuid.uuid4()):
        assert mappings() == []


@pytest.mark.usefixtures("_one_row_each")
def test_another_bank_s_row_is_neither_written_nor_changed_nor_removed() -> None:
    sakura, fuji = make.bank("sakura"), make.bank("fuji")
    with bank_scope(sakura.pk):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            SourceMapping.objects.create(bank=fuji, name="planted", mapping={})
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            SourceMapping.objects.filter(name="of sakura").update(bank=fuji)
        assert SourceMapping.objects.filter(bank=fuji).update(name="x") == 0
        assert SourceMapping.objects.filter(bank=fuji).delete()[0] == 0
    with bank_scope(fuji.pk):
        assert mappings() == ["of fuji"]
