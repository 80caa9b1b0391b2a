"""Cases and freeze requests: every change, audited, by conditional updates."""

from .checklists import CHECKLISTS, TYPOLOGIES, steps_for
from .closing import Lack, approve, lacks, reopen, send_back, submit, withdraw
from .exporting import note_file
from .linking import InAnotherCase, link, unlink
from .opening import open_case
from .working import (
    add_note,
    assign,
    record_contact,
    set_due,
    set_typology,
    take,
    tick,
)

__all__ = [
    "CHECKLISTS",
    "TYPOLOGIES",
    "InAnotherCase",
    "Lack",
    "add_note",
    "approve",
    "assign",
    "lacks",
    "link",
    "note_file",
    "open_case",
    "record_contact",
    "reopen",
    "send_back",
    "set_due",
    "set_typology",
    "steps_for",
    "submit",
    "take",
    "tick",
    "unlink",
    "withdraw",
]
