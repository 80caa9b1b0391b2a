"""One coordinator and three banks on one loopback, sharing nothing but HTTP: a whole run, then a
search through everything the coordinator keeps for anything a bank holds."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.parties import HOST, Party, free_port, nodes, wait, wait_for_web

PASSWORD = "plum rain over seven bridges"
BANKS = ("ume", "kiku", "ran")
MAPPING = {
    "columns": {
        name: name for name in ("id", "time", "account", "counterparty", "amount", "label")
    },
    "zone": "UTC",
    "amount_digits": 0,
}
pytestmark = pytest.mark.services


def write_history(bank: Party, seed: int) -> set[str]:
    """Hand-made transactions; returns what must never be found outside this bank."""
    random = np.random.default_rng(seed)
    rows = 1500
    seconds = np.sort(random.integers(0, 110 * 86400, rows))
    fraud = random.random(rows) < 1 / 25
    amounts = random.integers(40_000_000, 60_000_000, rows) * np.where(fraud, 7, 1)
    accounts = [f"{bank.name}7q{random.integers(0, 40):03d}x" for _ in range(rows)]
    shops = [f"shop{n:03d}zz{bank.name}" for n in np.where(fraud, 99, random.integers(0, 30, rows))]
    times = np.datetime64("2026-01-05T00:00:00") + seconds.astype("timedelta64[s]")
    with (bank.folder / "history.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(MAPPING["columns"])
        for row in range(rows):
            writer.writerow(
                [f"{bank.name}-t{row:05d}", f"{times[row]}Z", accounts[row], shops[row],
                 amounts[row], int(fraud[row])]
            )  # fmt: skip
    (bank.folder / "mapping.json").write_text(json.dumps(MAPPING))
    return {*accounts, *shops, *map(str, amounts)}


def found_the_consortium(centre: Party, banks: list[Party]) -> None:
    centre.manage(
        "create_operator", "--email", "mio@centre.example", "--name", "Mio", "--password", PASSWORD
    )
    for bank in banks:
        invitation = centre.shell(
            "from aggregation.services.enrolment import invite_bank;"
            "from consortium.accounts.actors import system;"
            f"print(invite_bank(actor=system('e2e'), name='{bank.name}', slug='{bank.name}')[1])"
        )
        bank.manage(
            "join_consortium", "--invitation", invitation, "--admin-name", "Admin",
            "--admin-email", f"admin@{bank.name}.example", "--admin-password", PASSWORD,
        )  # fmt: skip
        bank.manage(
            "import_transactions", "--bank", bank.name, "--mapping",
            str(bank.folder / "mapping.json"), str(bank.folder / "history.csv"),
        )  # fmt: skip
    proposal = banks[0].manage("standard_task", "--zone", "UTC", "--set", "rounds=2", "epochs=1")
    (centre.folder / "task.json").write_text(proposal)
    centre.shell(
        "import json; from pathlib import Path;"
        "from aggregation.models import Task; from aggregation.services.rosters import *;"
        "from consortium.accounts.actors import system;"
        "from consortium.accounts.models import Bank;"
        f"body = json.loads(Path('{centre.folder}/task.json').read_text());"
        "task = Task.objects.create(**{'name': 'Payments', **body});"
        "propose_roster(actor=system('e2e'), task=task, banks=Bank.objects.all()); print('ok')"
    )
    for bank in banks:
        assert "Signed." in bank.manage("sign_roster", "--sign")
    dealer = next(bank for bank in banks if "Key epoch" in bank.manage("key_ceremony"))
    for bank in banks:
        if bank is not dealer:
            assert "Witnessed" in bank.manage("key_ceremony", "--witness")


def state_of_the_run(centre: Party) -> str:
    with contextlib.closing(centre.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state, reason FROM aggregation_trainingrun")
        state, reason = cursor.fetchone()
    assert state != "failed", reason
    return str(state)


def everything_kept_by(centre: Party) -> set[str]:
    """All words in the coordinator's database, broker, files and logs."""
    texts: list[str] = []
    with contextlib.closing(centre.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            texts += [row[0] for row in cursor.fetchall()]
            cursor.execute(
                "SELECT column_name FROM information_schema.columns "
                "WHERE table_name = %s AND data_type = 'bytea'",
                [table],
            )
            for (column,) in cursor.fetchall():
                cursor.execute(f'SELECT "{column}" FROM "{table}"')  # noqa: S608
                texts += [bytes(row[0]).decode("latin-1") for row in cursor.fetchall() if row[0]]
    broker = centre.redis()
    for key in broker.scan_iter():
        with contextlib.suppress(Exception):
            texts.append(broker.dump(key).decode("latin-1"))
    for path in centre.folder.rglob("*"):
        if path.is_file():
            texts.append(path.read_bytes().decode("latin-1"))
    return {word for text in texts for word in re.findall(r"[0-9A-Za-z]+", text)}


def test_a_whole_run_leaves_nothing_of_the_banks_at_the_coordinator(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://{HOST}:{port}"
    centre = Party("centre", "coordinator", tmp_path / "centre")
    banks = [
        Party(name, "bank", tmp_path / name, 1 + place, coordinator=url)
        for place, name in enumerate(BANKS)
    ]
    with nodes([centre, *banks]):
        secrets = set().union(*(write_history(bank, seed) for seed, bank in enumerate(banks)))
        centre.web(port)
        wait_for_web(port)
        centre.work("coordinator")
        found_the_consortium(centre, banks)
        for bank in banks:
            bank.work(f"{bank.name}.train", f"{bank.name}.protocol")
        centre.shell(
            "from aggregation.models import Task; from aggregation.services.runs import start_run;"
            "from consortium.accounts.actors import system;"
            "print(start_run(actor=system('e2e'), task=Task.objects.get()).pk)"
        )
        wait(lambda: state_of_the_run(centre) == "done", "the run", 1200)
        kept = everything_kept_by(centre)
        assert {bank.name for bank in banks} < kept, "the search does not reach the tables"
        assert kept & secrets == set()
        for bank in banks:
            wait(lambda bank=bank: _has_adopted(bank), f"{bank.name}'s model", 600)


def _has_adopted(bank: Party) -> bool:
    found = bank.shell(
        "from banks.models import ModelVersion; from consortium.accounts.models import Bank;"
        "from consortium.accounts.tenancy import bank_scope\n"
        "with bank_scope(Bank.objects.get().pk):\n"
        "    print(ModelVersion.objects.filter(origin='consortium').count())"
    )
    return found == "1"
