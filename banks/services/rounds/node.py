"""This bank as a party of the protocol: its identity, its keys, its line to the coordinator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import F

from banks import keys
from banks.coordinator import Coordinator
from banks.models import RoundPart
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.envelope import Signed, SigningKey, sign, verify
from consortium.protocol.sealing import SealingKey
from consortium.protocol.spec import Manifest
from consortium.protocol.wire import Message


@dataclass
class Node:
    """One member bank; holds nothing that is not in its files, its rows or at the coordinator."""

    bank: Bank
    seen: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The bank's name on the wire."""
        return str(self.bank.pk)

    @cached_property
    def centre(self) -> Coordinator:
        return Coordinator(self.bank)

    @cached_property
    def signing_key(self) -> SigningKey:
        return keys.signing(self.bank.slug)

    @cached_property
    def sealing_key(self) -> SealingKey:
        return keys.sealing(self.bank.slug)

    def sign(self, message: Message) -> Signed:
        return sign(message, signer=self.identity, key=self.signing_key)

    def part(self, round_id: str) -> RoundPart | None:
        """What this bank remembers of a round."""
        with bank_scope(self.bank.pk):
            return RoundPart.objects.select_related("run").filter(round=round_id).first()

    def update(self, part: RoundPart, **columns: object) -> None:
        """Write columns of a part in a short transaction."""
        with bank_scope(self.bank.pk):
            RoundPart.objects.filter(pk=part.pk).update(**columns)
        for name, value in columns.items():
            setattr(part, name, value)

    def book_traffic(self) -> None:
        """Add what went over the line for rounds to what is known of this bank's parts in them."""
        counted = self.centre.take_traffic()
        with bank_scope(self.bank.pk):
            for round_id, traffic in counted.items():
                RoundPart.objects.filter(round=round_id).update(
                    bytes_up=F("bytes_up") + traffic.sent,
                    bytes_down=F("bytes_down") + traffic.received,
                )


def manifest_of(part: RoundPart) -> Manifest:
    """The manifest this bank checked and stored when it took part."""
    return Manifest.from_wire(part.manifest["body"])


def as_json(message: Message) -> Any:
    return json.loads(message.to_bytes())


__all__ = ["Node", "as_json", "manifest_of", "verify"]
