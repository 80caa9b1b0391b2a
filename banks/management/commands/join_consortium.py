"""`manage.py join_consortium --invitation TEXT …`: what the /join/ page does, for a terminal."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from banks.coordinator import Unreachable
from banks.services.rounds import joining
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = (
        "Make this bank's keys, accept the operator's invitation, create the first administrator."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--invitation", required=True, help="the one-time text of the link")
        parser.add_argument("--bank", default=settings.BANK_SLUG, help="the bank's short name")
        parser.add_argument("--admin-email", required=True)
        parser.add_argument("--admin-name", required=True)
        parser.add_argument("--admin-password", help="asked for when it is not given")

    def handle(self, **options: Any) -> None:
        if not options["bank"]:
            raise CommandError("Name the bank with --bank, or set CONSORTIUM_BANK.")
        password = options["admin_password"] or getpass.getpass("Password of the administrator: ")
        try:
            bank = joining.accept(
                invitation=options["invitation"],
                slug=options["bank"],
                admin_email=options["admin_email"],
                admin_name=options["admin_name"],
                admin_password=password,
            )
        except (Refused, Unreachable) as trouble:
            raise CommandError(str(trouble)) from trouble
        self.stdout.write(f"{bank.name} has joined. Read these fingerprints to the other banks:")
        from banks.selectors.membership import own_fingerprints

        for name, value in (own_fingerprints(bank) or {}).items():
            self.stdout.write(f"  {name:8} {value}")
