"""What can be wrong with a row, in one table, and with a file as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from consortium.protocol.errors import Refused, gettext_noop

MAX_VALUE_SHOWN = 80

RULES: dict[str, str] = {
    "ragged": gettext_noop("The row has a different number of fields from the header."),
    "missing": gettext_noop("A value is required here."),
    "too_long": gettext_noop("The text is longer than 80 characters (a channel: 20)."),
    "control_character": gettext_noop("The text contains an invisible control character."),
    "not_text": gettext_noop("The value must be text or a whole number."),
    "id_duplicate": gettext_noop("The same transaction id appears more than once in this file."),
    "id_conflict": gettext_noop("This transaction id is already stored with other content."),
    "time_format": gettext_noop(
        "The time must be written like 2024-05-31T14:05:00+09:00 (ISO 8601); seconds may have a "
        "fraction, and a time without zone is read in the mapping's."
    ),
    "time_skipped": gettext_noop(
        "This local time never happened: clocks went forward. Write it with its offset from UTC."
    ),
    "time_twice": gettext_noop(
        "This local time happened twice: clocks went back. Write it with its offset from UTC."
    ),
    "time_too_early": gettext_noop("The time lies before 1970."),
    "time_in_future": gettext_noop("The time lies more than a day in the future."),
    "time_number": gettext_noop(
        "The time must be a plain number from 0 on, in the unit the mapping names, and not in the "
        "future."
    ),
    "amount_format": gettext_noop(
        "The amount must be a plain number like 1234.50: no thousands separator, no currency sign, "
        "no full-width digits."
    ),
    "amount_not_finite": gettext_noop("The amount is not a number, or infinite."),
    "amount_negative": gettext_noop("The amount must not be negative."),
    "amount_too_large": gettext_noop("The amount is too large."),
    "amount_decimals": gettext_noop("The amount has more decimals than its currency."),
    "currency_unknown": gettext_noop(
        "The currency must be a current ISO 4217 code in capitals, like JPY."
    ),
    "label_unknown": gettext_noop(
        "The label must be 1 or fraud, 0 or genuine, or empty while it is not known."
    ),
    "label_kind": gettext_noop("The kind must be chargeback or correction, or empty."),
    "id_not_stored": gettext_noop("No transaction with this id is stored."),
    "label_known_before_payment": gettext_noop(
        "The label cannot have been known before the transaction took place."
    ),
    "number_format": gettext_noop("The value must be a plain finite number like -1.25 or 3e-4."),
    "bank_foreign": gettext_noop("The row names another bank. A bank imports only its own rows."),
}


@dataclass(frozen=True, slots=True)
class RowError:
    """One broken rule. ``line`` counts from 1, the header of a CSV being line 1."""

    line: int
    column: str
    value: str
    rule: str

    @property
    def sentence(self) -> str:
        """The rule as an English message id."""
        return RULES[self.rule]

    def as_json(self) -> dict[str, int | str]:
        """What a page or an API shows of it."""
        return {"line": self.line, "column": self.column, "value": self.value, "rule": self.rule}

    @classmethod
    def of(cls, line: int, column: str, value: object, rule: str) -> RowError:
        """Build an error with ``value`` cut to what a page can show."""
        text = "" if value is None else str(value)
        if len(text) > MAX_VALUE_SHOWN:
            text = text[: MAX_VALUE_SHOWN - 1] + "…"
        return cls(line, column, text, rule)


class FileRefused(Refused):
    """The file cannot be read as a whole; no row of it was looked at, or none after ``line``."""
