"""What analysts work on: scores, alerts, what happened to each."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consortium.accounts.models import User

from .base import OwnedByBank
from .data import Transaction
from .training import ModelVersion


class Score(OwnedByBank):
    """One transaction scored once by one version; what was scored stays as it was."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="scores")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    probability = models.FloatField()
    scored_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "version"], name="scored_once")
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.probability:.4f}"


class ShadowScore(OwnedByBank):
    """What a challenger would have said of what the champion scored; nobody acted on it."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    champion = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    probability = models.FloatField()
    champion_probability = models.FloatField()
    would_alert = models.BooleanField()
    champion_alerted = models.BooleanField()
    scored_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "version"], name="shadowed_once")
        ]
        indexes: ClassVar = [models.Index(fields=["bank", "version", "scored_at"])]

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.probability:.4f}"


class ReasonCode(models.TextChoices):
    """Why an alert was closed as it was; the typologies are the field's own words."""

    ORE_ORE = "ore_ore", _("impersonation of family or police (オレオレ詐欺)")
    REFUND = "refund", _("refund scam (還付金詐欺)")
    FICTITIOUS_BILL = "fictitious_bill", _("fictitious billing (架空料金請求詐欺)")
    DEPOSIT_FRAUD = "deposit_fraud", _("savings scam (預貯金詐欺)")
    LOAN_GUARANTEE = "loan_guarantee", _("loan guarantee scam (融資保証金詐欺)")
    INVESTMENT = "investment", _("social-media investment or romance scam")
    PHISHING = "phishing", _("phishing, account take-over")
    STOLEN_CARD = "stolen_card", _("stolen or copied card")
    COMPROMISED_MERCHANT = "compromised_merchant", _("compromised merchant or terminal")
    MULE = "mule", _("mule account")
    OTHER_FRAUD = "other_fraud", _("other fraud")
    CUSTOMER_CONFIRMED = "customer_confirmed", _("customer confirmed it")
    KNOWN_PATTERN = "known_pattern", _("known pattern of this customer")
    WORTH_CHECKING = "worth_checking", _("unusual and worth checking, but genuine")
    NO_CONTACT = "no_contact", _("customer not reached")
    NOT_ENOUGH = "not_enough", _("not enough information")


class Alert(OwnedByBank):
    """A scored transaction that a person should look at.

    It lies above the threshold of its day, or below it and was drawn as a ``sample`` to learn what
    the model misses. Samples and the few ``blind`` ones look alike: score and reasons stay veiled
    until the decision.
    """

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("alert", "open")
        CLAIMED = "claimed", _("in review")
        DECIDED = "decided", _("decided")

    class Disposition(models.TextChoices):
        FRAUD = "fraud", _("fraud")
        GENUINE = "genuine", _("genuine")
        CANNOT_TELL = "cannot_tell", _("cannot tell")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="alerts")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    probability = models.FloatField()
    other_probabilities = models.JSONField(default=dict)  # what the other models said, by origin
    threshold = models.FloatField()
    channel = models.CharField(max_length=20, blank=True)  # the transaction's, to count by
    amount = models.BigIntegerField(default=0)  # the same
    only_consortium = models.BooleanField(default=False)  # the own model would have let it pass
    expected_loss = models.BigIntegerField(default=0)  # probability x recoverable amount
    blind = models.BooleanField(default=False)
    sample = models.BooleanField(default=False)
    sampling_share = models.FloatField(null=True)  # with which chance it was drawn
    # A veiled alert's place in the queue: as if its score were any above the threshold.
    drawn_loss = models.BigIntegerField(null=True)
    priority = models.GeneratedField(
        expression=Coalesce("drawn_loss", "expected_loss"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    features = ArrayField(models.FloatField(null=True), default=list)
    reasons = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    claimed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    claimed_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    disposition = models.CharField(max_length=12, choices=Disposition, blank=True)
    reason_code = models.CharField(max_length=24, choices=ReasonCode, blank=True)
    note = models.CharField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction"], name="one_alert_per_transaction"),
            models.CheckConstraint(
                condition=~Q(status="decided")
                | (~Q(disposition="") & ~Q(reason_code="") & Q(decided_at__isnull=False)),
                name="no_close_without_disposition_and_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["bank", "-priority", "id"],
                condition=Q(status__in=["open", "claimed"]),
                name="alert_queue",
            ),
            models.Index(
                fields=["bank", "channel"],
                condition=Q(status__in=["open", "claimed"]),
                name="alert_channels",
            ),
            models.Index(fields=["bank", "-decided_at"]),
        ]

    def __str__(self) -> str:
        return f"alert {self.id}"

    @property
    def veiled(self) -> bool:
        """Whether score and reasons are kept back until the decision."""
        return (self.blind or self.sample) and self.status != self.Status.DECIDED


class AlertEvent(OwnedByBank):
    """One line of an alert's history."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("raised")
        CLAIMED = "claimed", _("taken")
        RELEASED = "released", _("put back")
        COMMENTED = "commented", _("comment")
        DECIDED = "decided", _("decided")
        REOPENED = "reopened", _("reopened")
        UNDONE = "undone", _("undone")
        SNOOZED = "snoozed", _("put off")

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=2000, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"


class SavedView(OwnedByBank):
    """A person's own way to look at the queue: its filters under a name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    filters = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "user", "name"], name="view_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class BulkAction(OwnedByBank):
    """Something done to several alerts at once: what changed, and what was skipped and why.

    ``skipped`` holds alert ids with the refusal's code, sentence and parameters, so that it is
    read in the reader's language.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    act = models.CharField(max_length=10, choices=AlertEvent.Kind)
    facts = models.JSONField(default=dict)
    changed = models.JSONField(default=list)
    skipped = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {len(self.changed)}"
