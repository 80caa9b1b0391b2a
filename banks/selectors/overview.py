"""Where a person begins: what waits for them, and how the bank's model is doing."""

from __future__ import annotations

from dataclasses import dataclass

from banks.models import (
    Comparison,
    Import,
    ModelVersion,
    TrainingRun,
    Transaction,
)
from banks.selectors import performance
from banks.selectors.alerts import Today
from banks.services.training import waiting_labels
from banks.services.versions import newest_ids
from consortium.accounts.models import Bank


@dataclass(frozen=True)
class Overview:
    """The bank's state in a few rows; what is None has not happened yet."""

    has_transactions: bool
    version: ModelVersion | None
    figures: performance.Figures | None
    better: ModelVersion | None
    better_by: Comparison | None
    decided_today: int
    capacity_left: int
    last_run: TrainingRun | None
    last_import: Import | None
    waiting_labels: int


def overview(bank: Bank, today: Today) -> Overview:
    """What a person of this bank finds when the day begins."""
    settings = today.settings
    version = (
        ModelVersion.objects.defer("artifact").filter(pk=settings.scoring_version_id).first()
        if settings.scoring_version_id
        else None
    )
    better, better_by = _better(bank, version)
    return Overview(
        has_transactions=Transaction.objects.filter(bank=bank).exists(),
        version=version,
        figures=performance.figures_of(version, settings=settings) if version else None,
        better=better,
        better_by=better_by,
        decided_today=today.decided,
        capacity_left=today.capacity_left,
        last_run=TrainingRun.objects.filter(bank=bank).order_by("-created_at").first(),
        last_import=Import.objects.filter(bank=bank).order_by("-created_at").first(),
        waiting_labels=waiting_labels(bank),
    )


def _better(
    bank: Bank, version: ModelVersion | None
) -> tuple[ModelVersion | None, Comparison | None]:
    """A consortium or ensemble version that is likely better than the own one in use."""
    if version is None or version.origin != ModelVersion.Origin.ALONE:
        return None, None
    origins = (ModelVersion.Origin.ENSEMBLE, ModelVersion.Origin.CONSORTIUM)
    rows = (
        Comparison.objects.select_related("version")
        .defer("version__artifact")
        .filter(version__in=newest_ids(bank, origins))
        .order_by("pk")
    )
    first: dict[str, Comparison] = {}
    for row in rows:
        first.setdefault(row.version.origin, row)
    for origin in origins:
        found = first.get(origin)
        if found and (found.difference_low or 0) > 0:
            return found.version, found
    return None, None
