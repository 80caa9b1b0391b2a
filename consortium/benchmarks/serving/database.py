"""A database and a data folder of the benchmark's own, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

SUFFIX = "_benchmark"  # beside the usual database, so that two installations never meet


@contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """This process works in an empty database; yields what a child's environment must say of it."""
    usual_folder, usual_name = settings.DATA_DIR, connection.settings_dict["NAME"]
    name = usual_name + SUFFIX
    connection.settings_dict["TEST"]["NAME"] = name
    with tempfile.TemporaryDirectory(prefix="consortium-benchmark-") as folder:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        settings.DATA_DIR = Path(folder)
        try:
            yield {
                "CONSORTIUM_DATA_DIR": folder,
                "CONSORTIUM_SECRET_KEY": settings.SECRET_KEY,
                "DATABASE_URL": _url(name),
            }
        finally:
            settings.DATA_DIR = usual_folder
            connection.creation.destroy_test_db(usual_name, verbosity=0)


def _url(name: str) -> str:
    """The connection's settings as a child reads them."""
    from urllib.parse import quote, urlencode

    found = connection.settings_dict
    person = quote(found["USER"]) + (f":{quote(found['PASSWORD'])}" if found["PASSWORD"] else "")
    place, port = found["HOST"] or "", found["PORT"]
    if place.startswith("/"):  # a folder of sockets
        return f"postgresql://{person}@/{name}?{urlencode({'host': place, 'port': port or 5432})}"
    return f"postgresql://{person}@{place}{f':{port}' if port else ''}/{name}"
