"""The opened past of the cross-bank signal as a gift: sums, what they were opened from, their key.

Who had a chance to contribute and did not is told nothing, now as then.
"""

from __future__ import annotations

from typing import Any

from banks import keys
from banks.ml.courses import State
from banks.ml.risk_signal import OpenedSums, Span, Terms
from banks.models import Gift, RoundPart, SignalOpening
from banks.services.rounds import agreement
from banks.services.rounds.node import Node, manifest_of
from banks.services.signal import consent
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody, gifts, spec
from consortium.protocol.envelope import Signed, verify
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.gifts import GiftRequest, Offer
from consortium.protocol.roster import Roster
from consortium.protocol.spec import Manifest


def held(node: Node, request: GiftRequest, newest: Roster) -> tuple[bytes, bytes, bytes]:
    """Opened sums, the state that their round started from, the key of their counterparties."""
    with bank_scope(node.bank.pk):
        opening = SignalOpening.objects.get(task=request.task, content_sha256=request.subject)
        part = RoundPart.objects.filter(round=opening.round).first()
    if part is None:
        raise Refused(
            "not_opened_here", gettext_noop("This bank was told these sums by another bank itself.")
        )
    manifest = manifest_of(part)
    if request.bank in agreement.roster(node, manifest).banks:
        raise ProtocolRefused(
            "took_no_part",
            gettext_noop("A bank that was a member when the sums were opened asks for them."),
        )
    _require_accepted(node, request, newest, opening.terms_hash)
    key = keys.token_key(node.bank.slug, opening.token_key)
    return bytes(opening.content), _state_before(node, manifest), key


def _require_accepted(node: Node, request: GiftRequest, newest: Roster, terms: str) -> None:
    """Refuse a bank that has not signed the terms under which the sums were opened."""
    for wire in node.centre.get(f"tasks/{request.task}/terms")["votes"]:
        signed = Signed.from_wire(wire)
        if signed.signer != request.bank:
            continue
        word = verify(signed, spec.TermsVote, newest.verify_key(request.bank))
        said = (word.task, word.bank, word.terms, word.accept)
        if said == (request.task, request.bank, terms, True):
            return
    raise ProtocolRefused(
        "terms_not_accepted",
        gettext_noop("The newcomer has not accepted the terms of the sums that it asks for."),
    )


def _state_before(node: Node, manifest: Manifest) -> bytes:
    """What the sums' round started from; nothing where it was the run's first."""
    if not manifest.number:
        return b""
    with bank_scope(node.bank.pk):
        before = RoundPart.objects.filter(
            consortium_run=manifest.run, derived_hash=manifest.base_model
        ).first()
    if before is None:
        raise Refused(
            "base_model_missing",
            gettext_noop("This bank has not derived the model that the round starts from."),
        )
    return bytes(before.derived)


def take(
    node: Node, row: Gift, offer: Offer, manifest: Manifest, blobs: tuple[bytes, ...]
) -> dict[str, Any]:
    """Store the sums as this bank would have, had it been there; checked like its own."""
    terms = consent.terms_of(manifest)
    try:
        content, state, key = blobs
        span = _span(manifest, terms, state, key)
        opened = OpenedSums.from_bytes(terms, span, content)
    except (Refused, ValueError, KeyError):
        raise gifts.wrong_bytes(str(row.peer)) from None
    with bank_scope(node.bank.pk):
        opening, created = SignalOpening.objects.get_or_create(
            bank=node.bank,
            task=manifest.task,
            first_day=span.first_day,
            defaults={
                "run": manifest.run,
                "round": manifest.round,
                "end_day": span.end_day,
                "terms": terms.to_json(),
                "terms_hash": consent.hash_of(terms),
                "token_key": keys.save_token_key(node.bank.slug, key),
                "banks": len(offer.certificate.proposal.banks),
                "counterparties": len(opened.directory),
                "cells": len(opened.cells),
                "content": content,
                "content_sha256": offer.subject,
                "source": SignalOpening.Source.PEER,
            },
        )
        if created:
            audit.record(
                actor=node_actor(node.bank),
                verb="signal.received",
                target=opening,
                bank=node.bank,
                window=span.text,
                peer=str(row.peer),
            )
    return {"state": Gift.State.INSTALLED}


def _span(manifest: Manifest, terms: Terms, state: bytes, key: bytes) -> Span:
    """The days that the sums are about, bound to the manifest that the members certified.

    A run's first round names them; a later one starts from a state that holds them, the open
    counterparties and the id of their key.
    """
    if not manifest.number:
        return Span.from_text(manifest.window, terms)
    custody.check_base_model(manifest, state)
    before = State.from_bytes(state)
    if before.facts["tokens"] != keys.token_key_id(key):
        raise ValueError("counterparties under another key")
    return Span.from_text(str(before.facts["window"]), terms)
