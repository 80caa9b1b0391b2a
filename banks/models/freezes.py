"""A freeze request: the record, with four eyes, of an account that is to be stopped.

The product moves no money and stops no account itself: people do that in the bank's core system,
and write down here who asked, who agreed, when it was done and what was left.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consortium.accounts.models import User

from .base import OwnedByBank
from .cases import Case


class FreezeRequest(OwnedByBank):
    """One account asked to be stopped. Nobody approves what they wrote or submitted."""

    class Status(models.TextChoices):
        DRAFTED = "drafted", _("draft")
        SUBMITTED = "submitted", _("waiting for approval")
        APPROVED = "approved", _("approved, to be carried out")
        RETURNED = "returned", pgettext_lazy("freeze request", "returned")
        CARRIED_OUT = "carried_out", _("carried out")
        LIFTED = "lifted", pgettext_lazy("freeze request", "lifted")

    class Requester(models.TextChoices):
        POLICE = "police", _("police or another authority")
        LAWYER = "lawyer", _("lawyer or bar association")
        CONSUMER_CENTRE = "consumer_centre", _("consumer centre")
        CUSTOMER = "customer", _("customer who was harmed")
        OTHER_BANK = "other_bank", _("another bank")
        OWN = "own", _("this bank's own suspicion")

    EDITABLE: ClassVar = (Status.DRAFTED, Status.RETURNED)
    AWAITED: ClassVar = (Status.SUBMITTED, Status.APPROVED)  # somebody has yet to act

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="freezes")
    account = models.CharField(_("account"), max_length=80, blank=True)
    requester = models.CharField(
        _("who asks for it"), max_length=16, choices=Requester, default=Requester.OWN
    )
    reference = models.CharField(_("reference number"), max_length=80, blank=True)
    received_at = models.DateTimeField(_("received"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=2000, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFTED)
    drafted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    drafted_at = models.DateTimeField(default=timezone.now)
    submitted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=2000, blank=True)
    carried_out_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    carried_out_at = models.DateTimeField(_("carried out"), null=True, blank=True)
    balance = models.BigIntegerField(_("balance then"), null=True, blank=True)  # minor units
    currency = models.CharField(max_length=3, default="JPY")
    reply = models.CharField(_("reply given"), max_length=2000, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering: ClassVar = ["drafted_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["drafted", "returned"])
                | (
                    ~Q(account="")
                    & ~Q(reason="")
                    & Q(received_at__isnull=False)
                    & Q(submitted_at__isnull=False)
                ),
                name="a_submitted_freeze_is_complete",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "carried_out", "lifted"])
                | Q(decided_by__isnull=True)
                | (
                    (Q(submitted_by__isnull=True) | ~Q(submitted_by=F("decided_by")))
                    & (Q(drafted_by__isnull=True) | ~Q(drafted_by=F("decided_by")))
                ),
                name="nobody_approves_their_own_freeze",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["carried_out", "lifted"])
                | (Q(carried_out_at__isnull=False) & Q(balance__isnull=False)),
                name="a_freeze_names_time_and_balance",
            ),
            models.CheckConstraint(
                condition=~Q(status="lifted") | (Q(lifted_at__isnull=False) & ~Q(lift_reason="")),
                name="lifting_says_why",
            ),
            models.UniqueConstraint(
                fields=["case", "account"],
                condition=Q(status__in=["drafted", "submitted", "approved", "returned"]),
                name="one_freeze_under_way_an_account",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["bank", "submitted_at"],
                condition=Q(status="submitted"),
                name="freezes_waiting",
            ),
            models.Index(fields=["bank", "reference"], name="freezes_by_reference"),
        ]

    def __str__(self) -> str:
        return f"freeze {self.account}"
