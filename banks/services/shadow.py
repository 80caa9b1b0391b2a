"""Champion and challenger: a second version scores along, silently."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from banks.models import BankSettings, ModelVersion
from banks.services.versions import USABLE, settings_row
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop


@transaction.atomic
def start_shadow(*, bank: Bank, actor: Actor, version_id: uuid.UUID | str) -> ModelVersion:
    """From now on this version scores along; a challenger before it stops."""
    with bank_scope(bank.pk):
        settings = settings_row(bank, lock=True)
        version = ModelVersion.objects.filter(bank=bank, pk=version_id).first()
        if version is None:
            raise Refused("no_version", gettext_noop("There is no such model version."))
        if version.status not in USABLE:
            raise Refused(
                "version_not_accepted",
                gettext_noop("The banks have not accepted this version; it cannot score."),
            )
        if settings.scoring_version_id in (None, version.pk):
            raise Refused(
                "nothing_to_challenge",
                gettext_noop("This version scores already; choose another one as challenger."),
            )
        BankSettings.objects.filter(pk=settings.pk).update(
            shadow_version=version, shadow_since=timezone.now()
        )
        audit.record(actor=actor, verb="shadow.started", target=version, bank=bank)
    return version


@transaction.atomic
def stop_shadow(*, bank: Bank, actor: Actor) -> None:
    """The challenger stops; what it said stays to be looked at."""
    with bank_scope(bank.pk):
        settings = settings_row(bank, lock=True)
        if settings.shadow_version_id is None:
            raise Refused("no_challenger", gettext_noop("No challenger scores along now."))
        stopped = f"modelversion:{settings.shadow_version_id}"
        BankSettings.objects.filter(pk=settings.pk).update(shadow_version=None, shadow_since=None)
        audit.record(actor=actor, verb="shadow.stopped", target=stopped, bank=bank)
