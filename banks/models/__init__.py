"""A bank's own world. Every table carries its bank and is closed to all others (row-level
security, see the first migration)."""

from .access import AccessEntry
from .alerts import Alert, AlertEvent, BulkAction, ReasonCode, SavedView, Score, ShadowScore
from .cases import Case, CaseAlert, CaseEvent, CaseStep, ContactAttempt
from .data import Import, ImportStatus, Label, LabelEvent, SourceMapping, Transaction
from .evaluated import EvaluatedRows
from .first_stages import KeptFirstStage
from .freezes import FreezeRequest
from .gifts import Gift
from .label_files import LabelFile
from .lookback import CarriedPast, Carry
from .monitoring import MonitorDay, MonitorReference, RetrainingProposal
from .rounds import (
    Destruction,
    ProtocolAct,
    ProtocolLease,
    Rehearsal,
    RoundPart,
    SentMessage,
    TrustedRoster,
    WitnessedHead,
)
from .signal import SignalConsent, SignalOpening, SignalPart, SignalPrice
from .thresholds import ThresholdChange
from .training import (
    BankSettings,
    Comparison,
    Evaluation,
    EvaluationSegment,
    ModelVersion,
    Threshold,
    TrainingRun,
)

__all__ = [
    "AccessEntry",
    "Alert",
    "AlertEvent",
    "BankSettings",
    "BulkAction",
    "CarriedPast",
    "Carry",
    "Case",
    "CaseAlert",
    "CaseEvent",
    "CaseStep",
    "Comparison",
    "ContactAttempt",
    "Destruction",
    "EvaluatedRows",
    "Evaluation",
    "EvaluationSegment",
    "FreezeRequest",
    "Gift",
    "Import",
    "ImportStatus",
    "KeptFirstStage",
    "Label",
    "LabelEvent",
    "LabelFile",
    "ModelVersion",
    "MonitorDay",
    "MonitorReference",
    "ProtocolAct",
    "ProtocolLease",
    "ReasonCode",
    "Rehearsal",
    "RetrainingProposal",
    "RoundPart",
    "SavedView",
    "Score",
    "SentMessage",
    "ShadowScore",
    "SignalConsent",
    "SignalOpening",
    "SignalPart",
    "SignalPrice",
    "SourceMapping",
    "Threshold",
    "ThresholdChange",
    "TrainingRun",
    "Transaction",
    "TrustedRoster",
    "WitnessedHead",
]
