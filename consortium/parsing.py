"""What programs and addresses say, read strictly: nothing is guessed, nothing breaks a page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

NUL = "\0"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
LARGEST_WHOLE_NUMBER = 2**63 - 1
LONGEST_WHOLE_NUMBER = 19


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 without names given twice, numbers no column holds, or bottomless nesting."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return read_json(stream.read())


def read_json(content: bytes | str) -> object:
    """The value that a JSON text holds; ``ParseError`` says what is wrong with it."""
    try:
        text = content.decode() if isinstance(content, bytes) else content
        return _strict(text)
    except RecursionError:
        raise ParseError(_("The JSON is nested too deeply.")) from None
    except UnicodeDecodeError:
        raise ParseError(_("The JSON must be written in UTF-8.")) from None
    except ValueError as error:
        raise ParseError(_("This is not JSON: %(why)s") % {"why": str(error)[:200]}) from None


def holds_nul(request: HttpRequest) -> bool:
    """Whether an address's query or a form holds the one character that no column takes."""
    given = [request.GET]
    if request.content_type in FORM_TYPES:
        given.append(request.POST)
    return any(
        NUL in text
        for query in given
        for name, values in query.lists()
        for text in (name, *map(str, values))
    )


def whole_number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number from an address's query; None where there is none."""
    text = query.get(name, "")
    plain = text.isascii() and text.isdecimal() and len(text) <= LONGEST_WHOLE_NUMBER
    return min(int(text), LARGEST_WHOLE_NUMBER) if plain else None


def _strict(text: str) -> object:
    value = json.loads(
        text,
        object_pairs_hook=_without_duplicates,
        parse_int=_whole,
        parse_float=_finite,
        parse_constant=_finite,
    )
    if "\\u" in text:
        _check_texts(value)
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(_("a name is given twice"))
    return found


def _check_texts(value: object) -> None:
    """Escapes can write what no text holds: NUL, and halves of characters."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and (NUL in one or any("\ud800" <= c <= "\udfff" for c in one)):
            raise ValueError(_("a text holds NUL or half a character"))


def _whole(text: str) -> int:
    if len(text) > LONGEST_WHOLE_NUMBER + 1 or abs(number := int(text)) > LARGEST_WHOLE_NUMBER:
        raise ValueError(_("a whole number is too large"))
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(_("a number is not finite"))
    return number
