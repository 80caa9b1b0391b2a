from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BanksConfig(AppConfig):
    name = "banks"
    verbose_name = _("A bank's own world")

    def ready(self) -> None:
        from banks.services.access_log import note_look
        from consortium.accounts import access

        if note_look not in access.WATCHERS:
            access.WATCHERS.append(note_look)
