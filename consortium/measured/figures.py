"""The measured figures, read from the files that `manage.py benchmark … --json` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FOLDER = Path(__file__).parent
PROTOCOLS = {
    "paillier-threshold": gettext_lazy("threshold Paillier"),
    "secagg": gettext_lazy("masked sums"),
    "paillier-phe": gettext_lazy("one shared key (laboratory)"),
    "naive-phe": gettext_lazy("python-paillier, one number a ciphertext"),
    "tenseal-ckks": gettext_lazy("TenSEAL CKKS, as NVFlare sets it"),
    "flower-secagg-plus": gettext_lazy("Flower SecAgg+"),
    "plain-float32": gettext_lazy("in clear, for comparison"),
}
OPENS_ONE_BANK = {
    "paillier-threshold": gettext_lazy("a majority of the banks together"),
    "secagg": gettext_lazy("a quorum of the banks together with the centre"),
    "paillier-phe": gettext_lazy("any bank that sees the traffic"),
    "naive-phe": gettext_lazy("any bank that sees the traffic"),
    "tenseal-ckks": gettext_lazy("any bank that sees the traffic"),
    "flower-secagg-plus": gettext_lazy("a server that lies about who is in"),
    "plain-float32": gettext_lazy("the server"),
}
SCOPES = {
    "alone": gettext_lazy("each bank alone"),
    "federated": gettext_lazy("together, encrypted"),
    "ensemble": gettext_lazy("together and own model"),
    "pooled": gettext_lazy("all data in one place (not allowed)"),
}


@cache
def report(name: str) -> dict[str, Any] | None:
    """What a benchmark found, or None where nobody has measured."""
    file = FOLDER / f"{name}.json"
    return json.loads(file.read_bytes()) if file.exists() else None


def aggregation_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of encrypted sums as the page shows them; bytes and seconds are of one bank."""
    return [
        row
        | {
            "name": PROTOCOLS[row["protocol"]],
            "opens_one_bank": OPENS_ONE_BANK[row["protocol"]],
            "total_seconds": sum(row["seconds"].values()),
        }
        for row in sorted(
            found["results"],
            key=lambda row: (row["parameters"], list(PROTOCOLS).index(row["protocol"])),
        )
    ]


def aggregation_chart(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """CPU seconds of one bank over the number of parameters, a line a protocol and key size."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        bits = row["key_bits"]
        name = f"{row['name']}, {bits}" if bits else str(row["name"])
        lines.setdefault(name, []).append((row["parameters"], row["total_seconds"]))
    return {
        "kind": "line",
        "x": {"name": _("Parameters of the model"), "format": "count", "scale": "log"},
        "y": {"name": _("CPU seconds of one bank"), "scale": "log"},
        "series": [{"name": name, "points": points} for name, points in lines.items()],
    }


def detection_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """All banks' rows of the comparison, the best of each scope first."""
    order = list(SCOPES)
    rows = [row for row in found["results"] if row["bank"] == "all"]
    return [
        row | {"name": SCOPES[row["scope"]]}
        for row in sorted(
            rows, key=lambda row: (order.index(row["scope"]), -row["average_precision"])
        )
    ]
