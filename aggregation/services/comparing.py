"""Two people before a newcomer: one operator compares its keys by voice, another one proposes it.

The members decide in the end; this keeps one operator alone from putting a bank before them.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from aggregation.models import KeyComparison
from aggregation.services.enrolment import MEMBERS
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.protocol.check_number import check_number, first_difference
from consortium.protocol.errors import Refused, gettext_noop


def number_of(bank: Bank) -> str:
    """The check number of the keys that the centre has of a bank; empty before it has joined."""
    if not bank.signing_key:
        return ""
    return check_number(
        bank=str(bank.pk),
        signing_key=bytes(bank.signing_key).hex(),
        sealing_key=bytes(bank.sealing_key).hex(),
    )


@transaction.atomic
def compare_keys(*, actor: Actor, bank: Bank, said: str) -> None:
    """Keep that ``said``, as a person of the bank read it out, is the number of its keys here."""
    number = number_of(bank)
    if not number or bank.status not in MEMBERS:
        raise Refused(
            "no_keys_to_compare",
            gettext_noop("This bank has not joined with its keys, or is suspended."),
        )
    block = first_difference(said, number)
    if block is not None:
        raise Refused(
            "number_differs",
            gettext_noop(
                "Block %(block)s is not the one of the keys that came here. Ask to hear it again; "
                "if it still differs, somebody else's keys arrived: remove this bank."
            ),
            field="said",
            block=block,
        )
    _row, new = KeyComparison.objects.get_or_create(bank=bank, number=number, by=actor.user)
    if new:
        audit.record(actor=actor, verb="bank.compared", target=bank, number=number)


def check_compared(*, actor: Actor, newcomers: Iterable[Bank]) -> None:
    """Refuse a newcomer whose keys no operator but the one who proposes it has compared."""
    for bank in newcomers:
        heard = KeyComparison.objects.filter(bank=bank, number=number_of(bank))
        if not heard.exclude(by=actor.user).exists():
            raise Refused(
                "not_compared",
                gettext_noop(
                    "An operator other than you must compare the number of %(bank)s first: "
                    "two people are needed before the members are asked."
                ),
                field="banks",
                bank=bank.name,
            )
