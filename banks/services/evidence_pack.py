"""One download for an auditor: what this bank can prove, and what it says of itself beside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from banks.models import SentMessage, TrustedRoster
from banks.selectors.privacy import all_sent
from banks.services.rounds import ledger, votes
from banks.services.rounds.node import Node
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.tenancy import bank_scope
from consortium.exports import csv_text
from consortium.protocol.envelope import canonical
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.evidence_pack import VOTES, make_pack
from consortium.protocol.roster import SignedRoster

LEDGER = ("at", "purpose", "path", "bytes", "sha256", "status")
ROSTERS = ("task", "version", "accepted here", "signed by", "came", "left")
MODELS = ("task", "run", "model", "accepted by", "refused by")


def export_pack(*, actor: Actor, node: Node) -> bytes:
    """The whole pack; Refused before the first roster, Unreachable without the coordinator."""
    with bank_scope(node.bank.pk):
        rows = list(TrustedRoster.objects.filter(bank=node.bank).order_by("version"))
        sent = all_sent(node.bank)
    tasks = sorted({str(row.task) for row in rows})
    if not tasks:
        raise Refused("no_evidence", gettext_noop("There is no evidence before the first roster."))
    voted = votes.on_models(node)
    now, coordinator = timezone.now(), ledger.coordinator_key(node)
    files = {
        **{f"evidence-{task}.jsonl": ledger.export_bundle(node, task) for task in tasks},
        **_tables(sent, votes.on_members(node), [one for one, _signed in voted]),
        VOTES: b"".join(
            canonical(one.to_wire()) + b"\n" for _voted, signed in voted for one in signed
        ),
        "keys.json": _keys(rows),
        **_words(node, coordinator.text, now),
    }
    with transaction.atomic(), bank_scope(node.bank.pk):
        audit.record(actor=actor, verb="evidence.exported", bank=node.bank, files=sorted(files))
    return make_pack(
        files,
        bank=node.identity,
        coordinator=coordinator,
        key=node.signing_key,
        at=int(now.timestamp()),
    )


def _tables(
    sent: list[SentMessage], members: list[votes.RosterVoted], models: list[votes.ModelVoted]
) -> dict[str, bytes]:
    return {
        "ledger.csv": _table(
            LEDGER,
            ((r.at.isoformat(), r.purpose, r.path, r.size, r.sha256, r.status) for r in sent),
        ),
        "votes-on-members.csv": _table(
            ROSTERS,
            (
                (r.task, r.version, r.at.isoformat(), *map(", ".join, (r.signed, r.came, r.left)))
                for r in members
            ),
        ),
        "votes-on-models.csv": _table(
            MODELS,
            ((m.task, m.run, m.model, ", ".join(m.accepted), ", ".join(m.refused)) for m in models),
        ),
    }


def _table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    return csv_text(header=header, rows=rows).encode()


def _keys(rows: list[TrustedRoster]) -> bytes:
    """Every public key that the rosters of this bank name, by bank; for people and other tools."""
    named: dict[str, dict[str, object]] = {}
    for row in rows:
        for member in SignedRoster.from_wire(row.signed).roster.members:
            one = named.setdefault(member.bank, {"name": member.name, "keys": []})
            pair = {"signing": member.signing_key, "sealing": member.sealing_key}
            if pair not in one["keys"]:  # type: ignore[operator]
                one["keys"].append(pair)  # type: ignore[attr-defined]
    return json.dumps(named, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _words(node: Node, coordinator: str, now: datetime) -> dict[str, bytes]:
    about = {"bank": node.bank, "coordinator": coordinator, "now": now.isoformat()}
    return {
        f"README.{language}.txt": render_to_string(f"banks/evidence/{language}.txt", about).encode()
        for language in ("en", "ja")
    }
