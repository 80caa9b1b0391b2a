"""Nobody reads a raw code: every verb and purpose that the product writes down has its words."""

from __future__ import annotations

import re
from pathlib import Path

from django.utils.translation import override

from consortium.accounts.verbs import VERBS, verb_name
from consortium.naming import PURPOSES, purpose_name

ROOT = Path(__file__).resolve().parents[2]
LITERAL = re.compile(r"(?:\bverb=|\bpurpose=)\"([a-z_. ]+)\"")


def written() -> set[str]:
    found: set[str] = set()
    for world in ("aggregation", "banks", "consortium"):
        for path in (ROOT / world).rglob("*.py"):
            found |= set(LITERAL.findall(path.read_text(encoding="utf-8")))
    return found


def test_every_verb_and_purpose_has_its_words():
    codes = written()
    assert {code for code in codes if "." in code} - set(VERBS) == set()
    sent = {"derived hash", "freeze signature", "key ceremony", "log cosignature", "vote"}
    assert sent <= codes & set(PURPOSES)


def test_they_are_in_the_reader_s_language():
    with override("ja"):
        assert verb_name("round.extended") == "ラウンドの締切を延長"
        assert purpose_name("vote") == "モデルに投票"
        assert purpose_name("update") != "update"
    assert verb_name("never.heard") == "never.heard"
