"""`manage.py key_ceremony --bank SLUG [--witness]`: deal the members' key, or witness it."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from banks.coordinator import Unreachable
from banks.management.node import find_node, people_duties
from banks.services.rounds import ceremony
from consortium.accounts.actors import system
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = (
        "Deal a shared key in a process of its own that forgets it, before two witnesses; "
        "with --witness, check this bank's share and sign that it was so."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--bank", help="the bank's short name (default: CONSORTIUM_BANK)")
        parser.add_argument("--witness", action="store_true")

    def handle(self, **options: Any) -> None:
        node = find_node(options["bank"])
        actor = system("command", bank=node.bank)
        wanted = "witness" if options["witness"] else "ceremony"
        try:
            duties = people_duties(node, wanted)
            for duty in duties:
                if options["witness"]:
                    ceremony.witness(node, epoch_id=duty["epoch"], actor=actor)
                    self.stdout.write("Witnessed: this bank's share fits the published key.")
                else:
                    epoch = ceremony.hold(node, task=duty["task"], actor=actor)
                    self.stdout.write(f"Key epoch {epoch} waits for two witnesses.")
        except (Refused, Unreachable) as trouble:
            raise CommandError(str(trouble)) from trouble
        if not duties:
            self.stdout.write("Nothing waits for this bank.")
