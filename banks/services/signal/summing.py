"""A run that sums the signal: first with how many banks each counterparty deals, then the counts.

The centre opens the rounds and sees nothing of either sum; what the banks derive from the last one
stays with them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from django.utils import timezone

from banks import keys
from banks.ml.courses import State
from banks.ml.features.plan import FeaturePlan
from banks.ml.risk_signal import OpenedSums, Span, Terms
from banks.ml.risk_signal.presence import PRESENCE_BITS, Directory, presence_vector
from banks.ml.risk_signal.sums import sums_length, sums_vector
from banks.ml.risk_signal.tokens import slots_of
from banks.models import ProtocolAct, RoundPart, SignalOpening, SignalPart
from banks.services import datasets, first_stages
from banks.services.signal import consent
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.masking import derive
from consortium.protocol.spec import RISK_SIGNAL, Manifest, Step

if TYPE_CHECKING:
    from banks.ml.encoding import IntArray
    from banks.ml.features.sums import BucketSums
    from banks.services.rounds.node import Node

PRESENCE, SUMS = "presence of counterparties", "counterparty sums"
WORD_BITS = {"k24w32": 24, "k56w64": 56}


def first_step(terms: Terms) -> Step:
    """The sum that every run begins with."""
    return Step(PRESENCE, PRESENCE_BITS, terms.slots, 1)


def begin(manifest: Manifest) -> State:
    terms = consent.terms_of(manifest)
    return State(first_step(terms), {"window": Span.from_text(manifest.window, terms).text})


def check(node: Node, manifest: Manifest) -> None:
    """Refuse what the members did not agree to, a day that is not over, and a second opening."""
    terms = consent.require(node.bank, manifest)
    if manifest.number:
        return
    span = Span.from_text(manifest.window, terms)
    if not span.is_over(timezone.now(), terms.zone):
        raise ProtocolRefused(
            "day_not_over", gettext_noop("The window %(window)s is not over."), window=span.text
        )
    require_unopened(node, manifest, span)


def require_unopened(node: Node, manifest: Manifest, span: Span) -> None:
    """A day is opened once; what was frozen is summed again over the same days and banks only."""
    days = {"first_day__lt": span.end_day, "end_day__gt": span.first_day, "task": manifest.task}
    with bank_scope(node.bank.pk):
        told = SignalOpening.objects.filter(**days).exclude(run=manifest.run).exists()
        parts = list(SignalPart.objects.filter(**days).exclude(round=manifest.round))
        frozen = {
            act.round: set(act.banks)
            for act in ProtocolAct.objects.filter(
                kind=ProtocolAct.Kind.SIGNED, round__in=[part.round for part in parts]
            )
        }
    same_days = (span.first_day, span.end_day)
    for part in parts:
        banks = frozen.get(part.round)
        if banks is not None and (
            (part.first_day, part.end_day) != same_days or not set(manifest.members) <= banks
        ):
            told = True
    if told:
        raise ProtocolRefused(
            "opened_before",
            gettext_noop(
                "Days of the window %(window)s were summed before. With other banks or other days "
                "the difference could show one bank's counts; this bank does not take part."
            ),
            window=span.text,
        )


def check_list(node: Node, manifest: Manifest, banks: tuple[str, ...]) -> None:
    """Refuse to count presence with a few banks more or fewer than before, over the same days.

    Windows reach back 30 days and so overlap; the difference of two such sums would say with which
    counterparties the bank deals that is in one of them only.
    """
    if manifest.purpose != RISK_SIGNAL or manifest.number:
        return
    terms = consent.terms_of(manifest)
    span = Span.from_text(manifest.window, terms)
    for earlier, listed in _presence_lists(node, manifest):
        apart = custody.too_few_apart(banks, listed, least=manifest.minimum_cohort)
        if apart and Span.from_text(earlier.window, terms).counts_presence_with(span):
            raise ProtocolRefused(
                "other_participants",
                gettext_noop(
                    "The sum over %(before)s had other banks than this one over %(window)s, and "
                    "days count in both: the difference could show one bank's counterparties."
                ),
                before=earlier.window,
                window=span.text,
            )


def _presence_lists(node: Node, manifest: Manifest) -> list[tuple[Manifest, tuple[str, ...]]]:
    """The lists over which this bank has signed that presence be counted, with their manifests."""
    with bank_scope(node.bank.pk):
        signed = ProtocolAct.objects.filter(
            kind=ProtocolAct.Kind.SIGNED, task=manifest.task
        ).exclude(round=manifest.round)
        lists = {act.round: tuple(act.banks) for act in signed}
        parts = RoundPart.objects.filter(round__in=lists, number=0).values("round", "manifest")
        return [
            (Manifest.from_wire(part["manifest"]["body"]), lists[part["round"]]) for part in parts
        ]


def vector(node: Node, manifest: Manifest, state: State) -> IntArray:
    """This bank's presence, or its counts; what it is about is written down before."""
    terms = consent.require(node.bank, manifest)
    span = Span.from_text(str(state.facts["window"]), terms)
    require_unopened(node, manifest, span)
    own, names = _own_sums(node, terms)
    slots = slots_of(token_key(node, manifest), names, terms.slots)
    _remember(node, manifest, span)
    if state.step.name == PRESENCE:
        return presence_vector(terms, span, own.volume, slots)
    return sums_vector(
        terms, _directory(state, span), own, slots, least_banks=manifest.minimum_cohort
    )


def advance(
    node: Node, manifest: Manifest, state: State, sums: IntArray, banks: tuple[str, ...]
) -> tuple[bytes, Step | None]:
    """The open counterparties and the sum over them; or, opened, what this bank keeps."""
    terms = consent.terms_of(manifest)
    span = Span.from_text(str(state.facts["window"]), terms)
    if state.step.name == PRESENCE:
        directory = Directory.from_presence(terms, span, sums)
        if len(directory):
            step = Step(SUMS, WORD_BITS[terms.words], sums_length(terms, directory), 0)
            open_slots = np.frombuffer(directory.to_bytes(), ">u4").astype(np.int64)
            facts = {"window": span.text, "tokens": keys.token_key_id(token_key(node, manifest))}
            following = State(step, facts, {"directory": open_slots})
            return following.to_bytes(), step
        sums = np.zeros(0, np.int64)
    else:
        directory = _directory(state, span)
    opened = OpenedSums.of(terms, directory, sums)
    keep(node, manifest, opened, banks)
    return opened.to_bytes(), None


def keep(node: Node, manifest: Manifest, opened: OpenedSums, banks: tuple[str, ...]) -> None:
    """Store what was opened, once; a bank that had no part in it is told nothing."""
    if node.identity not in banks:
        return
    content, span = opened.to_bytes(), opened.directory.span
    with bank_scope(node.bank.pk):
        opening, created = SignalOpening.objects.get_or_create(
            bank=node.bank,
            task=manifest.task,
            first_day=span.first_day,
            defaults={
                "run": manifest.run,
                "round": manifest.round,
                "end_day": span.end_day,
                "terms": opened.terms.to_json(),
                "terms_hash": consent.hash_of(opened.terms),
                "token_key": keys.save_token_key(node.bank.slug, token_key(node, manifest)),
                "banks": len(banks),
                "counterparties": len(opened.directory),
                "cells": len(opened.cells),
                "content": content,
                "content_sha256": hashlib.sha256(content).hexdigest(),
            },
        )
        if created:
            audit.record(
                actor=node_actor(node.bank),
                verb="signal.opened",
                target=opening,
                bank=node.bank,
                window=span.text,
                banks=len(banks),
                policy=opened.terms.policy,
            )


def token_key(node: Node, manifest: Manifest) -> bytes:
    """What counterparties of this task are hidden under, from the key that only its banks hold."""
    secret = keys.share(node.bank.slug, manifest.epoch)
    group = secret.get("group_key") if isinstance(secret, dict) else None
    if not group:
        raise Refused(
            "no_group_key",
            gettext_noop(
                "The signal needs a task whose sums are masked: only its banks share a key."
            ),
        )
    return derive(bytes.fromhex(str(group)), manifest.task.encode(), "counterparty tokens")


def is_over(node: Node, run: str) -> bool:
    """Whether a run that ended at the centre was one that sums the signal."""
    with bank_scope(node.bank.pk):
        return SignalPart.objects.filter(run=run).exists()


def _own_sums(node: Node, terms: Terms) -> tuple[BucketSums, list[str]]:
    from banks.ml.features import Signal

    plan = FeaturePlan(
        bucket_hours=terms.bucket_hours,
        zone=terms.zone,
        label_delay_days=terms.label_delay_days,
        amount_unit=terms.amount_unit,
        first_stage=terms.first_stage,
    )
    frame = first_stages.scored(node.bank, datasets.frame(node.bank), plan)
    own = Signal.of_frame(frame, plan)
    return own.sums, own.counterparties.names


def _directory(state: State, span: Span) -> Directory:
    return Directory.from_bytes(span, state.arrays["directory"].astype(">u4").tobytes())


def _remember(node: Node, manifest: Manifest, span: Span) -> None:
    with bank_scope(node.bank.pk):
        SignalPart.objects.get_or_create(
            bank=node.bank,
            round=manifest.round,
            defaults={
                "task": manifest.task,
                "run": manifest.run,
                "first_day": span.first_day,
                "end_day": span.end_day,
                "members": list(manifest.members),
            },
        )
