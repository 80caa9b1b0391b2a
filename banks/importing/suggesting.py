"""A first mapping for a file nobody has mapped yet, from its column names."""

from __future__ import annotations

import re
from collections.abc import Sequence

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "transaction_id", "tx_id", "取引id", "取引番号"),
    "time": ("time", "tx_datetime", "datetime", "timestamp", "date_time", "取引日時", "日時"),
    "account": ("account", "account_id", "customer_id", "card", "card_id", "口座", "口座番号"),
    "counterparty": (
        "counterparty", "terminal_id", "merchant", "merchant_id", "payee", "取引先", "加盟店",
    ),
    "amount": ("amount", "tx_amount", "value", "金額", "取引金額"),
    "currency": ("currency", "通貨"),
    "channel": ("channel", "チャネル", "取引区分"),
    "label": ("label", "fraud", "is_fraud", "isfraud", "tx_fraud", "class", "不正"),
    "label_known_at": ("label_known_at", "ラベル確定日時"),
}  # fmt: skip
READY_FEATURE = re.compile(r"[vV][0-9]+")


def suggest(columns: Sequence[str]) -> dict[str, object]:
    """Build the JSON of a mapping that fits ``columns`` as far as their names say.

    May lack required roles: it fills a form, a person completes it.
    """
    by_name = {name.strip().casefold(): name for name in reversed(columns)}
    roles = {
        role: next(by_name[name] for name in names if name in by_name)
        for role, names in NAMES.items()
        if any(name in by_name for name in names)
    }
    extra = [name for name in columns if READY_FEATURE.fullmatch(name)]
    if "account" in roles or not extra:
        return {"columns": roles, "zone": "Asia/Tokyo", "extra": [], "kind": "behaviour"}
    return {
        "columns": roles,
        "zone": "UTC",
        "extra": extra,
        "kind": "ready",
        "time_unit": "s",
    }
