"""What each protocol of a sum must do for a bank. Modules of this package are the protocols.

Whatever a protocol is: uploads are signed, listed and certified in the same way (``custody``), and
each custodian adds the certified list itself before it gives anything (``opening``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from banks import keys
from banks.services.rounds.node import Node
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.roster import Roster
from consortium.protocol.spec import Epoch, FreezeCertificate, Manifest, PartialHeader
from consortium.protocol.wire import Json

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """Under what a bank takes part in a round: all of it checked, signatures included."""

    node: Node
    manifest: Manifest
    roster: Roster
    epoch: Epoch

    def secret(self) -> Json:
        """What this bank was sealed in the key ceremony; Refused where its file is gone."""
        found = keys.share(self.node.bank.slug, self.epoch.epoch)
        if found is None:
            raise share_lost()
        return found


def share_lost() -> Refused:
    """What a bank says that holds no secret of a key any more: what still works, what to do."""
    return Refused(
        "share_lost",
        gettext_noop(
            "This bank's share of the key is gone. Other custodians can open. If too many shares "
            "are gone, the operator stops the run and retires the key, and the members make a "
            "new one; no data are lost."
        ),
    )


@dataclass(frozen=True)
class Upload:
    """A contribution that nobody can read: the closed vector, and what proves it well made."""

    body: bytes
    proof: bytes


@dataclass(frozen=True)
class Dealt:
    """A new key: what is published of it, and a secret to be sealed to each member in order."""

    public: Json
    key_id: str
    key_bits: int
    proof: bytes
    secrets: Sequence[Json]


class BankProtocol(Protocol):
    """The bank's side of a protocol."""

    # The key

    def deal(self, roster: Roster) -> Dealt:
        """A new key for the members of ``roster``."""

    def check_public(self, epoch: Epoch, proof: bytes) -> None:
        """Refuse a published key that is not well made, as far as one sees it without a secret."""

    def check_secret(self, epoch: Epoch, proof: bytes, secret: Json) -> None:
        """Refuse a sealed secret that does not fit the published key."""

    # A contribution

    def close(self, terms: Terms, vector: IntArray) -> Upload:
        """Close int64[length] so that it can only be read as a part of a sum."""

    def largest_upload(self, terms: Terms) -> int:
        """Bytes that an upload's body and proof have at most."""

    def check(self, terms: Terms, bank: str, upload: Upload) -> Any:
        """The closed vector of ``bank``, checked as if the centre had checked nothing."""

    # The sum

    def add(self, terms: Terms, vectors: Sequence[Any]) -> bytes:
        """The sum of closed vectors, closed."""

    def give(self, terms: Terms, certificate: FreezeCertificate, aggregate: bytes) -> bytes:
        """What this bank gives towards opening ``aggregate``, for the other banks' eyes only."""

    def read(
        self,
        terms: Terms,
        certificate: FreezeCertificate,
        aggregate: bytes,
        header: PartialHeader,
        payload: bytes,
    ) -> Any:
        """What another bank gave, checked; a fault is refused by the name of who made it."""

    def needed(self, terms: Terms) -> int:
        """How many banks must give before the sum opens."""

    def open(
        self,
        terms: Terms,
        certificate: FreezeCertificate,
        aggregate: bytes,
        given: Mapping[str, Any],
    ) -> IntArray:
        """The sum int64[length], from what the banks in ``given`` gave."""
