"""A session that ends while somebody writes loses nothing: what was typed comes back after sign-in.

It waits in the anonymous session of the same browser, which signing in turns into the person's
own; it is shown only to who may open the page it was typed on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

KEY: Final = "typed"
MOST_CHARACTERS: Final = 12_000

View = Callable[..., HttpResponse]


def keeps_typed(*fields: str, page: Callable[..., str]) -> Callable[[View], View]:
    """Keep these fields of a form sent without a session, and lead back to ``page(**kwargs)``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def kept(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated or request.method != "POST":
                return view(request, **kwargs)
            back = page(**kwargs)
            typed = {name: request.POST[name] for name in fields if name in request.POST}
            if typed and sum(map(len, typed.values())) <= MOST_CHARACTERS:
                request.session[KEY] = {"page": back, "fields": typed}
            return redirect_to_login(back)

        return kept

    return decorate


def typed_before(request: HttpRequest) -> dict[str, str] | None:
    """What was typed on this page before the session ended; told once."""
    kept = request.session.get(KEY)
    if not kept or kept["page"] != request.path:
        return None
    del request.session[KEY]
    fields: dict[str, str] = kept["fields"]
    return fields
