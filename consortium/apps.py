from __future__ import annotations

from django.apps import AppConfig


class ConsortiumConfig(AppConfig):
    name = "consortium"

    def ready(self) -> None:
        # Without this import, `.delay()` in a web process would use Celery's default app.
        from consortium import celery, checks  # noqa: F401
