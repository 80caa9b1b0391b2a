"""What each step of the policy is worth to this bank, measured on its own validation window.

The same simple model is fitted three times on the bank's own rows, each time with counterparties
as one step shows them; only the view differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import structlog

from banks.ml.features.sums import BucketSums
from banks.ml.ranking import average_precision, group_draws, paired_difference
from banks.ml.risk_signal import watch_list_of
from banks.models import SignalOpening, SignalPrice
from banks.services import datasets, evaluation, first_stages
from banks.services.signal import joint, openings
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    from banks.ml.encoding import FloatArray
    from banks.ml.features import Signal
    from banks.services.datasets import Prepared, Recipe
    from banks.services.signal.openings import Heard
    from consortium.accounts.models import Bank

DRAWS: Final = 200
LEAST_FRAUDS: Final = 10
SEED: Final = 1
log = structlog.get_logger(__name__)


def measure_if_possible(bank: Bank) -> None:
    """What the worker does: where there is too little to say anything, nothing is kept."""
    try:
        measure(bank)
    except Refused as refused:
        log.info("signal_not_measured", bank=bank.slug, code=refused.code)


def measure(bank: Bank) -> SignalPrice:
    """Measure and keep; Refused before anything was told, or with too few frauds to say."""
    recipe, heard, told_by = _what_was_told(bank)
    frame = first_stages.scored(bank, datasets.frame(bank), recipe.plan)
    views = _views(heard, frame, recipe, told_by)
    prepared = datasets.prepared_from(frame, recipe, views["off"])
    _require_frauds(prepared)
    logits = {
        step: _logits(datasets.prepared_from(frame, recipe, signal))
        for step, signal in views.items()
    }
    with bank_scope(bank.pk):
        return SignalPrice.objects.create(
            bank=bank,
            openings=SignalOpening.objects.filter(bank=bank).count(),
            window_from=evaluation.moment(prepared.windows.validation_from),
            window_until=evaluation.moment(prepared.windows.validation_until),
            rows=int((prepared.validation.labels >= 0).sum()),
            frauds=prepared.validation.frauds,
            steps=_compared(logits, prepared),
        )


def _what_was_told(bank: Bank) -> tuple[Recipe, list[Heard], int]:
    with bank_scope(bank.pk):
        newest = openings.newest(bank)
    if newest is None:
        raise Refused(
            "nothing_told",
            gettext_noop("No sums have been opened yet, so there is nothing to measure."),
        )
    usual = datasets.recipe_for(bank)
    terms = newest.terms
    grid = ("bucket_hours", "zone", "label_delay_days", "amount_unit", "first_stage")
    plan = replace(usual.plan, joint=True, **{name: terms[name] for name in grid})
    with bank_scope(bank.pk):
        heard = openings.heard(bank, plan)
    return datasets.Recipe(plan, usual.windows), heard, newest.banks


def _views(heard: list[Heard], frame: Any, recipe: Recipe, banks: int) -> dict[str, Signal]:
    """Own view, watch-list, and counts where these were told."""
    from banks.ml.features import Signal

    own = Signal.of_frame(frame, recipe.plan)
    others = joint.others_heard(heard, own.sums, own.counterparties.names)
    steps = {"off": own.sums, "watch-list": watch_list_of(others, banks - 1)}
    steps["watch-list"] = BucketSums.total([own.sums, steps["watch-list"]])
    if all(part.terms.policy == "counts" for part in heard):
        steps["counts"] = BucketSums.total([own.sums, others])
    return {step: Signal(own.counterparties, sums) for step, sums in steps.items()}


def _logits(prepared: Prepared) -> FloatArray:
    """A logistic regression on piecewise-linear features, fitted on the bank's training window."""
    from banks.ml.examples import prepare
    from banks.ml.newton import fit_logistic
    from banks.ml.piecewise import EdgePolicy, PiecewiseLinear, class_histograms

    train = prepared.train
    known = train.labels >= 0
    counts = class_histograms(train.X[known], train.labels[known])
    encoder = PiecewiseLinear.from_histograms(counts, EdgePolicy())
    examples = prepare(encoder, train.X, train.labels, train.ids, seed=SEED)
    model = fit_logistic(prepared.features, encoder, [examples])
    return model.logits(prepared.validation.X)


def _compared(logits: dict[str, FloatArray], prepared: Prepared) -> list[dict[str, Any]]:
    """Average precision of each step, and its difference to the own view with an interval."""
    part = prepared.validation
    known = part.labels >= 0
    labels = part.labels[known]
    groups = np.where(part.accounts == "", part.ids, part.accounts)[known]
    draws = group_draws(groups, DRAWS, SEED)
    own = logits["off"][known]
    found = []
    for step, scores in logits.items():
        difference = (0.0, 0.0, 0.0)
        if step != "off":
            difference = paired_difference(average_precision, scores[known], own, labels, draws)
        found.append(
            {
                "step": step,
                "average_precision": float(average_precision(scores[known], labels)),
                "difference": [float(value) for value in difference],
            }
        )
    return found


def _require_frauds(prepared: Prepared) -> None:
    fewest = min(prepared.train.frauds, prepared.validation.frauds)
    if fewest < LEAST_FRAUDS:
        raise Refused(
            "too_few_frauds_to_measure",
            gettext_noop(
                "The training or validation window has %(frauds)s known frauds; to say what the "
                "signal is worth at least %(least)s are needed in each."
            ),
            frauds=fewest,
            least=LEAST_FRAUDS,
        )
