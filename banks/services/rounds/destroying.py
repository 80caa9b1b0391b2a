"""What this bank no longer has: each destruction is written down when it is done."""

from __future__ import annotations

from banks import keys
from banks.models import Destruction, RoundPart, TrainingRun
from banks.services.rounds.node import Node
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope

What = Destruction.What


def record(node: Node, what: str, subject: str, *, pieces: int = 1, size: int = 0) -> None:
    """Write a destruction down; the same one again is the same line. ``size``: bytes, if known."""
    with bank_scope(node.bank.pk):
        Destruction.objects.get_or_create(
            bank=node.bank, what=what, subject=subject, defaults={"pieces": pieces, "size": size}
        )


def destroy_old_shares(node: Node) -> int:
    """Overwrite and delete shares of keys that are used no more; returns how many."""
    _destroy_old_mask_keys(node)
    destroyed = 0
    for epoch_id in keys.held_shares(node.bank.slug):
        if node.centre.get(f"epochs/{epoch_id}")["state"] != "retired":
            continue
        if keys.destroy_share(node.bank.slug, epoch_id):
            destroyed += 1
            record(node, What.SHARE, epoch_id)
            with bank_scope(node.bank.pk):
                audit.record(
                    actor=node_actor(node.bank),
                    verb="share.destroyed",
                    target=f"epoch:{epoch_id}",
                    bank=node.bank,
                )
    return destroyed


def destroy_mask_keys(node: Node, round_id: str) -> None:
    """Nothing is masked under them any more."""
    if keys.destroy_round_secrets(node.bank.slug, round_id):
        record(node, What.MASK_KEYS, round_id)


def _destroy_old_mask_keys(node: Node) -> None:
    """Of rounds that are over for this bank, whatever became of them."""
    with bank_scope(node.bank.pk):
        going = RoundPart.objects.filter(run__status=TrainingRun.Status.RUNNING)
        live = {str(round_id) for round_id in going.values_list("round", flat=True)}
    for round_id in keys.held_round_secrets(node.bank.slug):
        if round_id not in live:
            destroy_mask_keys(node, round_id)
