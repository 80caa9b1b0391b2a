from __future__ import annotations

from django.db import models

from consortium.accounts.models import Bank


class OwnedByBank(models.Model):
    """A row of one bank; PostgreSQL shows it only inside that bank's scope."""

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
