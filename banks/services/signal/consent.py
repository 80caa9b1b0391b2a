"""The terms of the signal: people read them, the bank signs their hash and obeys no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from banks.ml.risk_signal import Terms
from banks.models import SignalConsent
from consortium.accounts import audit
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.envelope import canonical, digest
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.spec import TermsVote

if TYPE_CHECKING:
    from banks.services.rounds.node import Node
    from consortium.accounts.actors import Actor
    from consortium.accounts.models import Bank
    from consortium.protocol.spec import Manifest


def recipe_of(terms: Terms) -> dict[str, Any]:
    """The recipe of a task that sums the signal under these terms."""
    return {"signal": terms.to_json()}


def hash_of(terms: Terms) -> str:
    """What the bank signs when it accepts."""
    return digest(canonical(recipe_of(terms)))


def terms_in(recipe: Any) -> Terms:
    """The terms that a task's recipe holds; Refused when they are not complete."""
    if not isinstance(recipe, dict) or set(recipe) != {"signal"}:
        raise Refused("signal_terms", gettext_noop("The terms of the signal are not complete."))
    return Terms.from_json(recipe["signal"])


def terms_of(manifest: Manifest) -> Terms:
    return terms_in(manifest.recipe)


def require(bank: Bank, manifest: Manifest) -> Terms:
    """The terms of a round, if this bank accepted exactly these and they sum anything."""
    terms = terms_of(manifest)
    with bank_scope(bank.pk):
        word = SignalConsent.objects.filter(task=manifest.task, terms_hash=hash_of(terms)).first()
    if word is None or not word.accepted:
        raise ProtocolRefused(
            "terms_not_accepted",
            gettext_noop(
                "This bank has not accepted the terms of the signal; its administrator decides on "
                "the page about the signal."
            ),
        )
    if terms.policy == "off":
        raise ProtocolRefused("signal_off", gettext_noop("The members agreed to sum nothing."))
    return terms


def decide_shown(*, node: Node, actor: Actor, task: str, shown: str, accept: bool) -> SignalConsent:
    """Decide on the terms whose hash a person was shown; Refused when they are others now."""
    terms = terms_in(node.centre.get(f"tasks/{task}/terms")["recipe"])
    if hash_of(terms) != shown:
        raise Refused(
            "terms_changed",
            gettext_noop("The terms are not those that were shown. Read them again, then decide."),
            field="terms",
        )
    return decide(node=node, actor=actor, task=task, terms=terms, accept=accept)


def decide(*, node: Node, actor: Actor, task: str, terms: Terms, accept: bool) -> SignalConsent:
    """An administrator's word on the terms, signed with the bank's key and sent to the others."""
    vote = TermsVote(task=task, bank=node.identity, terms=hash_of(terms), accept=accept)
    signed = node.sign(vote).to_wire()
    node.centre.post(f"tasks/{task}/terms", signed, purpose="signal terms")
    with bank_scope(node.bank.pk):
        row, _created = SignalConsent.objects.update_or_create(
            bank=node.bank,
            task=task,
            terms_hash=vote.terms,
            defaults={
                "terms": terms.to_json(),
                "accepted": accept,
                "signed": signed,
                "said_by": actor.user,
            },
        )
        audit.record(
            actor=actor,
            verb="signal.accepted" if accept else "signal.refused",
            target=f"task:{task}",
            bank=node.bank,
            policy=terms.policy,
            terms=vote.terms,
        )
    return row
