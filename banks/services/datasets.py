"""A bank's transactions as matrices: from PostgreSQL to features, cached in the bank's own folder.

The cache can be deleted at any time; it is found again by what it was made from.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max
from numpy.typing import NDArray

from banks.ml.schema import CANONICAL, DAY, EXTRA_PREFIX, Mapping
from banks.ml.windows import Windows, choose
from banks.models import BankSettings, Import, ImportStatus, LabelEvent, Transaction
from banks.services import first_stages
from banks.services.signal import joint, openings
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    import polars as pl

    from banks.ml.features import FeaturePlan, Signal

KEPT_FILES: Final = 3
LAYOUT: Final = 2
"""Of the cached files; another number and they are made anew."""
UNKNOWN: Final = -1


@dataclass(frozen=True)
class Recipe:
    """How a bank's transactions become examples; with the data it determines every matrix."""

    plan: FeaturePlan
    windows: Windows

    def to_json(self) -> dict[str, Any]:
        """What a run stores to be repeatable."""
        return {"plan": self.plan.to_json(), "windows": self.windows.to_json()}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Recipe:
        """Inverse of ``to_json``; further entries are left alone."""
        from banks.ml.features import FeaturePlan

        return cls(
            plan=FeaturePlan.from_json(body["plan"]), windows=Windows.from_json(body["windows"])
        )


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of one window in order of time, all arrays of length n.

    X is float32 [n, F] with NaN for missing; labels are 1 fraud, 0 genuine, −1 not (yet) known;
    amounts in minor units; times in µs since 1970; keys are the transactions' primary keys;
    channels are "" where the source names none.
    """

    X: NDArray[np.float32]
    labels: NDArray[np.int8]
    ids: NDArray[np.str_]
    accounts: NDArray[np.str_]
    amounts: NDArray[np.int64]
    times: NDArray[np.int64]
    keys: NDArray[np.int64]
    channels: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def frauds(self) -> int:
        return int((self.labels == 1).sum())

    @property
    def immature(self) -> int:
        """Rows whose label is not known."""
        return int((self.labels == UNKNOWN).sum())


@dataclass(frozen=True, eq=False)
class Prepared:
    """What training, a round and an evaluation work on."""

    features: tuple[str, ...]
    windows: Windows
    train: Part
    validation: Part
    test: Part


PARTS: Final = ("train", "validation", "test")
ARRAYS: Final = tuple(Part.__dataclass_fields__)


def recipe_for(
    bank: Bank, *, windows: dict[str, Any] | None = None, plan: FeaturePlan | None = None
) -> Recipe:
    """The bank's own recipe; windows follow the span of its data unless given.

    Raises Refused when there are no transactions, or too short a span.
    """
    from banks.ml.features import FeaturePlan

    with bank_scope(bank.pk):
        own = BankSettings.objects.filter(bank=bank).first() or BankSettings(bank=bank)
        first, last = _span()
    chosen = plan or FeaturePlan.for_mapping(
        mapping_of(bank), label_delay_days=own.label_delay_days, zone=own.zone
    )
    if windows:
        return Recipe(plan=chosen, windows=Windows.from_json(windows))
    needs_history = chosen.kind == "behaviour"
    delay = chosen.label_delay_days * DAY
    return Recipe(plan=chosen, windows=choose(first, last, delay, needs_history=needs_history))


def mapping_of(bank: Bank) -> Mapping:
    """How the bank's latest imported file was read; raw transactions where there was no file."""
    with bank_scope(bank.pk):
        latest = Import.objects.filter(status=ImportStatus.DONE).order_by("-created_at").first()
    if latest is None or not latest.mapping:
        return Mapping(columns={name: name for name in CANONICAL})
    return Mapping.from_json(latest.mapping)


def prepare(bank: Bank, recipe: Recipe) -> Prepared:
    """Features, labels and windows of this bank's transactions as they are now.

    Made once for each state of the data and each recipe, so that the rounds of a run share it.
    """
    version = data_version(bank)
    folder = _folder(bank)
    said = json.dumps([version, _signal_version(bank, recipe), recipe.to_json()], sort_keys=True)
    path = folder / f"prepared-{hashlib.sha256(said.encode()).hexdigest()[:24]}.npz"
    if path.exists():
        return _load(path, recipe.windows)
    transactions = first_stages.scored(bank, frame(bank, version=version), recipe.plan)
    prepared = prepared_from(
        transactions, recipe, joint.signal_for(bank, transactions, recipe.plan)
    )
    with _replacing(path) as target, target.open("wb") as file:
        arrays = {
            f"{part}.{name}": getattr(getattr(prepared, part), name)
            for part in PARTS
            for name in ARRAYS
        }
        np.savez(file, allow_pickle=False, features=np.array(prepared.features), **arrays)
    _forget(folder, "prepared-*.npz")
    return prepared


def frame(bank: Bank, *, version: str | None = None) -> pl.DataFrame:
    """All of a bank's transactions in the canonical form, with their ``key``, in order of time."""
    import polars as pl

    version = version or data_version(bank)
    folder = _folder(bank)
    path = folder / f"transactions-{version}.parquet"
    if not path.exists():
        with _replacing(path) as target:
            _read_database(bank, folder).write_parquet(target)
        _forget(folder, "transactions-*.parquet", keep=1)
    return pl.read_parquet(path)


def first_moment(bank: Bank) -> int:
    """The time of the bank's first transaction in µs since 1970; Refused when it has none."""
    with bank_scope(bank.pk):
        return _span()[0]


def data_version(bank: Bank) -> str:
    """Changes whenever a transaction or a label was added; equal for equal data."""
    with bank_scope(bank.pk):
        rows = Transaction.objects.filter(bank=bank).aggregate(n=Count("pk"), last=Max("pk"))
        last_label = LabelEvent.objects.filter(bank=bank).aggregate(last=Max("pk"))["last"]
    said = json.dumps([LAYOUT, str(bank.pk), rows["n"], rows["last"], last_label])
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _signal_version(bank: Bank, recipe: Recipe) -> str:
    if not recipe.plan.joint:
        return ""
    with bank_scope(bank.pk):
        return openings.version(bank)


def _span() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (extract(epoch FROM min(time)) * 1000000)::bigint,"
            " (extract(epoch FROM max(time)) * 1000000)::bigint FROM banks_transaction"
        )
        first, last = cursor.fetchone()
    if first is None:
        raise Refused(
            "no_transactions",
            gettext_noop("This bank has no transactions yet. Import a file first."),
        )
    return first, last


def _read_database(bank: Bank, folder: Path) -> pl.DataFrame:
    """COPY is several times faster than a cursor, and its text never leaves the bank's folder."""
    import polars as pl

    extra = mapping_of(bank).extra
    columns = {
        "key": ("id", pl.Int64),
        "id": ("external_id", pl.String),
        "time": ("(extract(epoch FROM time) * 1000000)::bigint", pl.Int64),
        "account": ("nullif(account, '')", pl.String),
        "counterparty": ("nullif(counterparty, '')", pl.String),
        "amount": ("amount", pl.Int64),
        "channel": ("nullif(channel, '')", pl.String),
        "label": ("label", pl.Int8),
        "label_known_at": ("(extract(epoch FROM label_known_at) * 1000000)::bigint", pl.Int64),
    } | {
        EXTRA_PREFIX + name: (f"extra[{place}]", pl.Float64)
        for place, name in enumerate(extra, start=1)
    }
    selected = ", ".join(expression for expression, _ in columns.values())
    query = (
        f"COPY (SELECT {selected} FROM banks_transaction ORDER BY time, id) TO STDOUT (FORMAT csv)"  # noqa: S608
    )
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".csv") as file:
        with bank_scope(bank.pk), connection.cursor() as cursor:
            cursor.copy_expert(query, file)
        file.flush()
        return pl.read_csv(
            file.name,
            has_header=False,
            schema={name: dtype for name, (_, dtype) in columns.items()},
        )


def prepared_from(
    transactions: pl.DataFrame, recipe: Recipe, signal: Signal | None = None
) -> Prepared:
    """Features, labels and windows of these transactions (``first_stages.scored`` where the plan
    needs it); counterparties as ``signal`` has them.
    """
    from banks.ml.features import build_features, feature_names

    names = tuple(feature_names(recipe.plan))
    features = build_features(transactions, recipe.plan, signal).select(names)
    return Prepared(
        features=names,
        windows=recipe.windows,
        **{part: _part(transactions, features, recipe.windows, part) for part in PARTS},
    )


def _part(transactions: pl.DataFrame, features: pl.DataFrame, windows: Windows, part: str) -> Part:
    import polars as pl

    start, end = getattr(windows, f"{part}_from"), getattr(windows, f"{part}_until")
    inside = transactions.select(pl.col("time").is_between(start, end, closed="left")).to_series()
    rows = transactions.filter(inside)
    return Part(
        X=np.ascontiguousarray(features.filter(inside).to_numpy(), dtype=np.float32),
        labels=rows["label"].fill_null(UNKNOWN).to_numpy().astype(np.int8),
        ids=rows["id"].to_numpy().astype(np.str_),
        accounts=rows["account"].fill_null("").to_numpy().astype(np.str_),
        amounts=rows["amount"].fill_null(0).to_numpy().astype(np.int64),
        times=rows["time"].to_numpy().astype(np.int64),
        keys=rows["key"].to_numpy().astype(np.int64),
        channels=rows["channel"].fill_null("").to_numpy().astype(np.str_),
    )


def _load(path: Path, windows: Windows) -> Prepared:
    with np.load(path, allow_pickle=False) as stored:
        parts = {
            part: Part(**{name: stored[f"{part}.{name}"] for name in ARRAYS}) for part in PARTS
        }
        return Prepared(features=tuple(stored["features"].tolist()), windows=windows, **parts)


def _folder(bank: Bank) -> Path:
    folder = settings.DATA_DIR / "banks" / bank.slug / "cache"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Path(folder)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        target = Path(folder) / path.name
        yield target
        target.replace(path)


def _forget(folder: Path, pattern: str, keep: int = KEPT_FILES) -> None:
    newest_first = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[keep:]:
        path.unlink(missing_ok=True)
