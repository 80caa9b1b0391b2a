"""One file for several banks: which rows are whose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from banks.importing.reading import RowsOfBank, Source, open_source
from consortium.protocol.errors import Refused, gettext_noop

SHOWN = 5

Part = Callable[[Source], Source]


def read_banks_file(path: Path, account: str) -> dict[str, str]:
    """Read a table of account → bank: the column ``account``, or the first, and one named bank.

    Raises Refused where there is no column ``bank`` or an account belongs to two banks.
    """
    source = open_source(path)
    if "bank" not in source.columns:
        raise Refused(
            "banks_file",
            gettext_noop('The banks file needs a column "bank" beside the account.'),
            field="banks",
        )
    key = account if account in source.columns else source.columns[0]
    owners: dict[str, str] = {}
    for batch in source.batches([key, "bank"]):
        for owner, bank in batch.frame.select(pl.col(key, "bank").cast(pl.String)).iter_rows():
            if owners.setdefault(owner, bank) != bank:
                raise Refused(
                    "banks_file",
                    gettext_noop("The banks file gives account %(account)s to two banks."),
                    field="banks",
                    account=owner,
                )
    return owners


def parts_by_account(path: Path, account: str, owners: Mapping[str, str]) -> dict[str, Part]:
    """What narrows the file to each bank's rows, by the bank's name.

    Raises Refused, naming some, where an account of the file has no bank.
    """
    found = _values(path, account)
    if strangers := sorted(found - set(owners)):
        raise Refused(
            "bank_unknown",
            gettext_noop("%(count)s accounts are in no bank of the banks file: %(some)s."),
            field="banks",
            count=len(strangers),
            some=", ".join(strangers[:SHOWN]),
        )
    accounts: dict[str, list[str]] = {}
    for owner in found:
        accounts.setdefault(owners[owner], []).append(owner)
    return {bank: _rows_with(account, mine) for bank, mine in sorted(accounts.items())}


def parts_by_bank(path: Path, column: str) -> dict[str, Part]:
    """The same where the file itself names the bank of each row."""
    return {bank: _rows_with(column, [bank]) for bank in sorted(_values(path, column))}


def _values(path: Path, column: str) -> set[str]:
    found: set[str] = set()
    for batch in open_source(path).batches([column]):
        found.update(batch.frame[column].cast(pl.String).fill_null("").unique())
    return found


def _rows_with(column: str, values: list[str]) -> Part:
    wanted = pl.Series(values)
    return lambda source: RowsOfBank(source, column, lambda cell: cell.is_in(wanted.implode()))
