"""What a bank's core system would hand over: a history, the same with faults, a new day."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from banks.models import Transaction
from consortium.accounts.models import Bank
from tests.banks import world

HEADINGS = {
    "en": ["No", "Booked", "Customer", "Merchant", "Yen", "Channel", "Fraud"],
    "ja": ["取引番号", "日時", "口座", "取引先", "金額", "経路", "不正"],
}
ROLES = ["id", "time", "account", "counterparty", "amount", "channel", "label"]
ENCODING = {"en": "utf-8", "ja": "cp932"}


class CoreSystem:
    """Writes CSV as its country does: headings and encoding."""

    def __init__(self, bank: Bank, language: str) -> None:
        self.bank, self.headings = bank, HEADINGS[language]
        self.encoding = ENCODING[language]

    def history(self) -> bytes:
        return self._file(self._past())

    def faulty(self) -> bytes:
        """Three rows that no bank could have booked."""
        rows = self._past()
        rows[3][4], rows[10][1], rows[20][6] = "NaN", "yesterday", "7"
        return self._file(rows)

    def today(self) -> bytes:
        """A week after the history, nothing known of it yet."""
        made = world.history(self.bank, rows=3000, seed=11, unlabelled_days=0)[:250]
        rows = [self._row(one, later=timedelta(days=world.DAYS)) for one in made]
        for row in rows:
            row[0], row[6] = f"new-{row[0]}", ""
        return self._file(rows)

    def _past(self) -> list[list[str]]:
        made = world.history(self.bank, rows=3000, seed=7, unlabelled_days=0)
        return [self._row(one) for one in made]

    @staticmethod
    def _row(one: Transaction, later: timedelta = timedelta()) -> list[str]:
        time = (one.time + later).isoformat()
        return [
            one.external_id,
            time,
            one.account,
            one.counterparty,
            str(one.amount),
            one.channel,
            str(one.label),
        ]

    def _file(self, rows: list[list[str]]) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows([self.headings, *rows])
        return text.getvalue().encode(self.encoding)
