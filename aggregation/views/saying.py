"""What a page says after something was tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise

from consortium.accounts.access import translated
from consortium.parsing import whole_number
from consortium.protocol.errors import Refused


@contextmanager
def outcome(request: HttpRequest, said: str | Promise) -> Iterator[None]:
    """Around a service's call: ``said`` where it went well, the refusal's sentence where not."""
    try:
        yield
    except Refused as refused:
        messages.error(request, translated(refused))
    else:
        messages.success(request, str(said))


def refuse(form: forms.Form, refused: Refused) -> None:
    """Put a refusal at its field, or at the head of the form."""
    field = refused.field if refused.field in form.fields else None
    form.add_error(field, translated(refused))


def index(request: Any, name: str) -> int | None:
    """A whole number from the address, None where there is none."""
    return whole_number(request.GET, name)
