"""What the centre keeps: agreements, rosters, manifests, ciphertexts, sealed boxes, receipts, the
log and published sums. No plaintext update, no key share, no bank's counts."""

from .epochs import EpochSignature, KeyEpoch, SealedShare
from .gifts import Gift
from .ledger import HeadCosignature, LogEntry, LogHead
from .members import (
    BankInvitation,
    KeyComparison,
    NodeContact,
    RosterSignature,
    RosterVersion,
    SeenNonce,
)
from .rounds import (
    Derived,
    FreezeSignature,
    MaskAdvertisement,
    Partial,
    PublishedSum,
    Round,
    SealedMaskShares,
    SealedPartial,
    Submission,
)
from .tasks import Task, TrainingRun
from .terms import TermsVote
from .versions import ModelVersion, Vote

__all__ = [
    "BankInvitation",
    "Derived",
    "EpochSignature",
    "FreezeSignature",
    "Gift",
    "HeadCosignature",
    "KeyComparison",
    "KeyEpoch",
    "LogEntry",
    "LogHead",
    "MaskAdvertisement",
    "ModelVersion",
    "NodeContact",
    "Partial",
    "PublishedSum",
    "RosterSignature",
    "RosterVersion",
    "Round",
    "SealedMaskShares",
    "SealedPartial",
    "SealedShare",
    "SeenNonce",
    "Submission",
    "Task",
    "TermsVote",
    "TrainingRun",
    "Vote",
]
