"""A bank's versions in one list: each with its threshold and its figures on its own test window."""

from __future__ import annotations

from dataclasses import dataclass

from banks.models import BankSettings, Evaluation, ModelVersion, Threshold
from banks.selectors.performance import Figures, bin_of
from banks.services.thresholds import NOTHING_ALERTS
from consortium.accounts.models import Bank

SHOWN = 50


@dataclass(frozen=True, eq=False)
class Row:
    version: ModelVersion
    figures: Figures | None
    in_use: bool
    before: bool


def listing(bank: Bank) -> list[Row]:
    """Newest first; three queries however many there are."""
    settings = BankSettings.objects.filter(bank=bank).first() or BankSettings(bank=bank)
    versions = list(ModelVersion.objects.filter(bank=bank).defer("artifact")[:SHOWN])
    evaluations = {
        found.version_id: found
        for found in Evaluation.objects.filter(
            version__in=versions, window=Evaluation.Window.TEST
        ).order_by("window_until")
    }
    thresholds = {
        found.version_id: found.value
        for found in Threshold.objects.filter(version__in=versions).order_by("created_at", "pk")
    }
    return [
        Row(
            version=version,
            figures=_figures(
                evaluations.get(version.pk), settings, thresholds.get(version.pk, NOTHING_ALERTS)
            ),
            in_use=version.pk == settings.scoring_version_id,
            before=version.pk == settings.previous_version_id,
        )
        for version in versions
    ]


def get(bank: Bank, number: int) -> ModelVersion | None:
    """A version by the number people know it by."""
    return ModelVersion.objects.defer("artifact").filter(bank=bank, number=number).first()


def _figures(found: Evaluation | None, settings: BankSettings, threshold: float) -> Figures | None:
    return Figures(found, settings, bin_of(threshold)) if found else None
