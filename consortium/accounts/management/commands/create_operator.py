"""`manage.py create_operator --email … --name …`: the centre's first person."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import transaction

from consortium.accounts import audit
from consortium.accounts.actors import system
from consortium.accounts.models import Membership, Role, User


class Command(BaseCommand):
    help = "Create the centre's first operator; later ones are invited on the People page."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--password", help="asked for when it is not given")

    def handle(self, **options: Any) -> None:
        if Membership.objects.filter(bank=None, role=Role.OPERATOR).exists():
            raise CommandError("There is an operator already. Invite others on the People page.")
        password = options["password"] or getpass.getpass("Password: ")
        try:
            validate_password(password)
            with transaction.atomic():
                user = User.objects.create_user(options["email"], password, name=options["name"])
                member = Membership.objects.create(user=user, bank=None, role=Role.OPERATOR)
                audit.record(actor=system("command"), verb="operator.created", target=member)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.name} may sign in as operator.")
