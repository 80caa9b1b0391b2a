"""Who takes part: invitations, rosters that the members sign, and what is known of their nodes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import Bank, User

from .tasks import Task


class BankInvitation(models.Model):
    """A one-time link for a bank; only the hash of its secret is kept."""

    bank = models.OneToOneField(Bank, on_delete=models.CASCADE, related_name="node_invitation")
    secret_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.bank)


class KeyComparison(models.Model):
    """An operator heard a bank's check number from its people, and it was the one of its keys.

    The number stands for the keys: with other keys the comparison says nothing any more.
    """

    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, related_name="comparisons")
    number = models.CharField(max_length=40)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "number", "by"], name="compared_once_by_each")
        ]

    def __str__(self) -> str:
        return f"{self.bank}: {self.by}"


class RosterVersion(models.Model):
    """One version of a task's members; valid from the signature that makes its majority."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("waiting for signatures")
        ACTIVE = "active", _("active")
        SUPERSEDED = "superseded", _("superseded")

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="rosters")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    body = models.JSONField()  # consortium.protocol.roster.Roster
    hash = models.CharField(max_length=64, unique=True)
    signatures_needed = models.PositiveSmallIntegerField()
    proposed_at = models.DateTimeField(default=timezone.now)
    active_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["task", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "version"], name="roster_version_once"),
            models.UniqueConstraint(
                fields=["task"], condition=Q(state="active"), name="one_active_roster"
            ),
            models.UniqueConstraint(
                fields=["task"], condition=Q(state="proposed"), name="one_proposed_roster"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} v{self.version}"


class RosterSignature(models.Model):
    """A member's signature under a roster version, as it sent it."""

    roster = models.ForeignKey(RosterVersion, on_delete=models.CASCADE, related_name="signatures")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    signed = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["roster", "bank"], name="one_signature_per_roster")
        ]

    def __str__(self) -> str:
        return f"{self.roster}: {self.bank}"


class NodeContact(models.Model):
    """When a bank's node was heard of last, and which version it said it is."""

    bank = models.OneToOneField(Bank, on_delete=models.CASCADE, related_name="node_contact")
    seen_at = models.DateTimeField()
    version = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.bank}: {self.seen_at}"


class SeenNonce(models.Model):
    """A nonce that a bank has used; kept a little longer than a signed request is valid."""

    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=32)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "nonce"], name="nonce_used_once")
        ]

    def __str__(self) -> str:
        return self.nonce
