"""`manage.py sign_roster --bank SLUG`: show the proposed roster; with --sign, sign it."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from banks.coordinator import Unreachable
from banks.management.node import find_node, people_duties
from banks.selectors.membership import proposal
from banks.services.rounds import agreement
from consortium.accounts.actors import system
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = "Show who would be a member, with fingerprints; sign with --sign after comparing them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--bank", help="the bank's short name (default: CONSORTIUM_BANK)")
        parser.add_argument("--sign", action="store_true", help="the fingerprints were compared")

    def handle(self, **options: Any) -> None:
        node = find_node(options["bank"])
        try:
            for duty in people_duties(node, "sign_roster"):
                self._one(node, duty, sign=options["sign"])
        except (Refused, Unreachable) as trouble:
            raise CommandError(str(trouble)) from trouble

    def _one(self, node: Any, duty: dict[str, Any], *, sign: bool) -> None:
        with bank_scope(node.bank.pk):
            proposed = proposal(node, duty)
        self.stdout.write(f"Task {proposed.task}, roster version {proposed.version}:")
        for member in proposed.members:
            self.stdout.write(f"  {member.name}  {member.signing}  {member.change}")
        if sign:
            agreement.sign_proposed_roster(
                node,
                task=proposed.task,
                version=proposed.version,
                actor=system("command", bank=node.bank),
            )
            self.stdout.write("Signed.")
