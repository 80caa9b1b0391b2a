"""What this bank received from fellow members as a newcomer, and gave to newcomers."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from banks.models import Gift
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused

SHOWN = 50


@dataclass(frozen=True)
class Row:
    """A request to one peer, or of one, with what went wrong in the reader's language."""

    gift: Gift
    trouble: str
    may_ask_again: bool

    @property
    def received(self) -> bool:
        return bool(self.gift.direction == Gift.Direction.RECEIVED)


def listing(bank: Bank) -> list[Row]:
    """Newest first; needs the bank's scope."""
    gifts = Gift.objects.filter(bank=bank).defer("content", "offer").select_related("version")
    rows, seen = [], set[str]()
    for gift in gifts.order_by("-asked_at", "-pk")[:SHOWN]:
        received = gift.direction == Gift.Direction.RECEIVED
        newest = received and gift.subject not in seen
        if received:
            seen.add(gift.subject)
        failed = gift.state in (Gift.State.SILENT, Gift.State.REFUSED)
        rows.append(Row(gift, _trouble(gift), newest and failed))
    return rows


def get(bank: Bank, gift_id: int) -> Gift | None:
    """One request of this bank to a peer; needs the bank's scope."""
    received = Gift.objects.filter(bank=bank, direction=Gift.Direction.RECEIVED)
    return received.defer("content").filter(pk=gift_id).first()


def _trouble(gift: Gift) -> str:
    if not gift.fault:
        return ""
    params = {name: gettext(text) for name, text in gift.fault["params"].items()}
    return translated(Refused(gift.fault["code"], gift.fault["sentence"], **params))
