"""What the terminal commands of a bank's node share."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import CommandError

from banks.services.rounds.node import Node
from consortium.accounts.models import Bank
from consortium.protocol.duties import NextDuties


def find_node(slug: str | None) -> Node:
    """This machine's node of a bank, or a sentence why there is none."""
    name = slug or settings.BANK_SLUG
    if not name:
        raise CommandError("Name the bank with --bank, or set CONSORTIUM_BANK.")
    bank = Bank.objects.filter(slug=name).first()
    if bank is None:
        raise CommandError(f"There is no bank {name} here. Join the consortium first.")
    return Node(bank)


def people_duties(node: Node, name: str) -> list[dict[str, Any]]:
    """What the coordinator waits for from this bank's people, of one kind."""
    asked = NextDuties.from_wire(node.centre.get("next"))
    return [duty.to_wire() for duty in asked.duties if duty.duty == name]
