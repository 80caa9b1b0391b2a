"""What a person was told: read, marked, and which kinds they want."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consortium.accounts import inbox
from consortium.accounts.models import Notification, User
from consortium.accounts.services import notifications as services


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    before = _moment(request.GET.get("before", ""))
    told, older = inbox.page(user, before=before)
    context = {
        "told": told,
        "older": older.isoformat() if older else "",
        "newer": before is not None,
        "kinds": [(kind, label, kind in user.muted) for kind, label in Notification.Kind.choices],
    }
    return render(request, "accounts/notifications.html", context)


@login_required
def follow(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Mark it as read and go where it leads; a plain link, so that it works without scripts."""
    user = cast(User, request.user)
    row = inbox.readable(user).filter(pk=notification_id).first()
    if row is None:
        raise Http404
    services.mark_read(user=user, notification_id=row.pk)
    return redirect(inbox.Told(row).url)


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    services.mark_read(user=cast(User, request.user))
    return redirect("notifications")


@require_POST
@login_required
def mute(request: HttpRequest) -> HttpResponse:
    """The form names the kinds that are wanted; the others are muted."""
    wanted = set(request.POST.getlist("wanted"))
    muted = [kind for kind in Notification.Kind.values if kind not in wanted]
    services.set_muted(user=cast(User, request.user), kinds=muted)
    messages.success(request, _("Saved."))
    return redirect("notifications")


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None
