"""What operations ask of a process: alive, ready, figures; and the page when something broke."""

from __future__ import annotations

import secrets
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from structlog.contextvars import get_contextvars


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True, "role": settings.ROLE, "version": settings.VERSION})


def readyz(request: HttpRequest) -> JsonResponse:
    found = {"database": _database(), "broker": _broker()}
    return JsonResponse(found, status=200 if all(v == "ok" for v in found.values()) else 503)


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "The database does not answer."
    return "ok" if not pending else f"{len(pending)} migrations wait: run manage.py migrate."


def _broker() -> str:
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2).ping()
    except redis.RedisError:
        return "The broker does not answer; work resumes when it returns."
    return "ok"


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for whoever holds CONSORTIUM_METRICS_TOKEN."""
    token = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not secrets.compare_digest(sent, token):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Rendered without the request: what broke may have broken the frame too."""
    page = render_to_string("500.html", {"request_id": get_contextvars().get("request_id")})
    return HttpResponse(page, status=500)
