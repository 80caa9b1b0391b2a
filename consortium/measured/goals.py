"""What encrypted sums promise to cost, beside what one run of the benchmark measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

Row = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A figure, its limit and which side of it is good; ``unit`` says how both are written."""

    name: str | Promise
    limit: float
    measured: float
    unit: str
    at_least: bool = False

    @property
    def held(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def sum_goals(found: dict[str, Any]) -> list[Goal]:
    """The goals that this run has the rows for."""
    return [*_threshold(found), *_masked(found), *_refusals(found)]


def _threshold(found: dict[str, Any]) -> Iterator[Goal]:
    if row := _row(found, "paillier-threshold", 50_000, 2048):
        yield Goal(
            gettext_lazy("Threshold Paillier against python-paillier, every phase, 50,000 values"),
            35,
            row["times_faster_than_naive_phe"],
            "times",
            at_least=True,
        )
        yield Goal(
            gettext_lazy("Ciphertext of a parameter, 50,000 values"),
            6.2,
            row["bytes_per_parameter"],
            "bytes",
        )
        if "add_per_further_bank" in row:
            yield Goal(
                gettext_lazy("Reading, checking and adding a further bank's 50,000 values"),
                0.010,
                row["add_per_further_bank"],
                "seconds",
            )
    if row := _row(found, "paillier-threshold", 5_000, 3072):
        yield Goal(
            gettext_lazy("Opening against the classic powers alone, 5,000 values, 3072 bits"),
            1.25,
            row["open_over_classic_partials"],
            "times",
        )


def _masked(found: dict[str, Any]) -> Iterator[Goal]:
    ours = _row(found, "secagg", 50_000)
    flower = _row(found, "flower-secagg-plus", 50_000)
    if ours and flower:
        yield Goal(
            gettext_lazy("Masking a bank's 50,000 values, faster than Flower SecAgg+"),
            5,
            _before_upload(flower) / _before_upload(ours),
            "times",
            at_least=True,
        )
        yield Goal(
            gettext_lazy("Bytes that a bank uploads, as a share of Flower SecAgg+'s"),
            0.5,
            ours["bytes_up"] / flower["bytes_up"],
            "times",
        )
    if ours:
        yield Goal(
            gettext_lazy("A masked sum from end to end against sending in clear, 50,000 values"),
            1.5,
            ours["modelled_times_plain"],
            "times",
        )


def _refusals(found: dict[str, Any]) -> Iterator[Goal]:
    if refusals := found.get("refusals"):
        yield Goal(
            gettext_lazy("Refusing an upload of another task, round, model or key"),
            0.001,
            max(refusals["seconds"].values()),
            "seconds",
        )


def _row(
    found: dict[str, Any], protocol: str, parameters: int, key_bits: int | None = None
) -> Row | None:
    wanted = (protocol, parameters, key_bits)
    return next(
        (
            row
            for row in found["results"]
            if (row["protocol"], row["parameters"], row["key_bits"]) == wanted
        ),
        None,
    )


def _before_upload(row: Row) -> float:
    return float(row["seconds"]["offline"] + row["seconds"]["seal"])
