"""How far this bank has come from its keys to its first round, each step from what is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from banks import keys
from banks.models import (
    Import,
    ImportStatus,
    ModelVersion,
    ProtocolLease,
    RoundPart,
    Transaction,
    TrustedRoster,
)
from banks.selectors.membership import agreements, line, trouble
from consortium.accounts.models import Bank
from consortium.protocol.check_number import check_number
from consortium.protocol.errors import Refused
from consortium.steps import Found, Step, path

HEARD_WITHIN = timedelta(minutes=10)
OPERATOR = _("the operator")
MEMBERS = _("the member banks")


@dataclass(frozen=True)
class Joining:
    """The bank's path, and what it reads to others. ``duties`` are those that only people do."""

    steps: list[Step]
    number: str
    line: ProtocolLease | None
    trouble: str
    duties: frozenset[str]

    @property
    def complete(self) -> bool:
        return all(step.state == "done" for step in self.steps)


def joining(bank: Bank) -> Joining:
    """Needs the bank's scope."""
    row = line(bank)
    duties = frozenset(duty["duty"] for duty in row.for_people) if row else frozenset()
    number = own_number(bank)
    return Joining(
        steps=path(_steps(bank, row, duties, has_keys=bool(number))),
        number=number,
        line=row,
        trouble=trouble(row) if row and row.last_error else "",
        duties=duties,
    )


def own_number(bank: Bank) -> str:
    """The check number of the keys in this bank's own folder; empty before it has any."""
    try:
        signing, sealing = keys.signing(bank.slug), keys.sealing(bank.slug)
    except Refused:
        return ""
    return check_number(
        bank=str(bank.pk), signing_key=signing.verify_key.text, sealing_key=sealing.public
    )


def _steps(
    bank: Bank, row: ProtocolLease | None, duties: frozenset[str], *, has_keys: bool
) -> Iterable[Found]:
    heard = row.last_contact_at if row else None
    yield Found("keys", _("Make this bank's keys"), done=has_keys)
    yield Found(
        "line",
        _("Test the connection"),
        done=bool(heard and timezone.now() - heard < HEARD_WITHIN),
        ready=has_keys,
        at=heard,
    )
    yield from _with_the_others(bank, duties, connected=heard is not None)
    yield from _at_home(bank)
    yield Found(
        "takes_part",
        _("Take part from the next run on"),
        done=RoundPart.objects.filter(bank=bank, stage=RoundPart.Stage.DERIVED).exists(),
        ours=False,
        ready=bool(keys.held_shares(bank.slug)),
        awaits=(str(OPERATOR),),
    )


def _with_the_others(bank: Bank, duties: frozenset[str], *, connected: bool) -> Iterable[Found]:
    """Membership and key: whose turn it is changes with what the coordinator asks of people."""
    since = _member_since(bank)
    asked = "sign_roster" in duties
    yield Found(
        "members",
        _("Read your number out; the members sign"),
        done=since is not None and not asked,
        ours=asked,
        ready=connected,
        at=since,
        awaits=(str(MEMBERS),) if since is None and agreements(bank) else (str(OPERATOR),),
    )
    turn = bool(duties & {"ceremony", "witness"})
    yield Found(
        "key",
        _("Receive a share of the common key"),
        done=bool(keys.held_shares(bank.slug)) and not turn,
        ours=turn,
        ready=since is not None,
        awaits=(str(MEMBERS),),
    )


def _member_since(bank: Bank) -> datetime | None:
    rows = TrustedRoster.objects.filter(bank=bank).order_by("-version")
    listed = {"roster": {"members": [{"bank": str(bank.pk)}]}}
    found = rows.filter(signed__contains=listed).values_list("trusted_at", flat=True)
    return found.last()


def _at_home(bank: Bank) -> Iterable[Found]:
    """What needs nobody else, and can be done while others are waited for."""
    imported = Import.objects.filter(bank=bank, status=ImportStatus.DONE).order_by("created_at")
    first = imported.values_list("created_at", flat=True).first()
    has_data = first is not None or Transaction.objects.filter(bank=bank).exists()
    alone = ModelVersion.objects.filter(bank=bank, origin=ModelVersion.Origin.ALONE)
    trained = alone.order_by("number").values_list("created_at", flat=True).first()
    yield Found("data", _("Upload a first file"), done=has_data, at=first)
    yield Found(
        "alone",
        _("Train a first model of your own"),
        done=trained is not None,
        ready=has_data,
        at=trained,
    )
