"""Keeping and finding the rows that an evaluation counted."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from banks.ml.encoding import FloatArray
from banks.ml.scored import ScoredRows
from banks.ml.tallies import Tally
from banks.models import EvaluatedRows, Evaluation
from banks.services.datasets import Part

ARRAYS = tuple(one.name for one in fields(ScoredRows))


def keep(evaluation: Evaluation, part: Part, logits: FloatArray) -> None:
    """Store the labelled rows of a window with their scores; call in the bank's scope."""
    known = part.labels >= 0
    names, channels = np.unique(part.channels[known], return_inverse=True)
    rows = ScoredRows(
        keys=part.keys[known],
        logits=logits[known].astype(np.float64),
        labels=part.labels[known],
        amounts=part.amounts[known],
        times=part.times[known],
        channels=channels.astype(np.int16),
    )
    EvaluatedRows.objects.update_or_create(
        bank_id=evaluation.bank_id,
        evaluation=evaluation,
        defaults={
            **rows.pack(),
            "channel_names": names.tolist(),
            "tally": vars(Tally.of(rows, len(names))),
        },
    )


def unpacked(stored: EvaluatedRows) -> ScoredRows:
    """The arrays of a stored window; those that were left in the database come in one query."""
    if deferred := stored.get_deferred_fields() & set(ARRAYS):
        stored.refresh_from_db(fields=sorted(deferred))
    return ScoredRows.unpack({name: getattr(stored, name) for name in ARRAYS})


def tallied(stored: EvaluatedRows) -> Tally:
    """The counts of a stored window; those kept before counts were are counted now."""
    if stored.tally:
        return Tally.from_json(stored.tally)
    return Tally.of(unpacked(stored), len(stored.channel_names))
