"""A case: several alerts worked as one, with what was checked, who was called, what was decided."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consortium.accounts.models import User

from .alerts import Alert, ReasonCode
from .base import OwnedByBank


class Case(OwnedByBank):
    """Work on one suspicion. It closes with an outcome that a second person has approved.

    ``amount_at_risk`` adds up the linked payments in the case's ``currency`` (minor units);
    ``amount_saved`` is what its owner says was kept from being lost, empty until then.
    """

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("case", "open")
        IN_PROGRESS = "in_progress", _("in progress")
        WAITING = "waiting", _("waiting for approval")
        CLOSED = "closed", pgettext_lazy("case", "closed")

    class Outcome(models.TextChoices):
        FRAUD = "fraud", _("fraud confirmed")
        GENUINE = "genuine", _("no fraud")
        UNRESOLVED = "unresolved", _("could not be resolved")

    UNDER_WAY: ClassVar = (Status.OPEN, Status.IN_PROGRESS, Status.WAITING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()  # counted within the bank
    account = models.CharField(_("account"), max_length=80, blank=True)
    typology = models.CharField(_("typology"), max_length=24, choices=ReasonCode, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(_("due"))
    currency = models.CharField(max_length=3, default="JPY")
    amount_at_risk = models.BigIntegerField(default=0)
    amount_saved = models.BigIntegerField(_("amount saved"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, blank=True)
    summary = models.CharField(_("summary"), max_length=2000, blank=True)
    submitted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "number"], name="case_number_once"),
            models.CheckConstraint(
                condition=~Q(status__in=["waiting", "closed"])
                | (~Q(outcome="") & Q(submitted_at__isnull=False)),
                name="no_case_ends_without_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(status="closed") ^ Q(closed_at__isnull=True),
                name="a_closed_case_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed")
                | Q(submitted_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(submitted_by=F("decided_by")),
                name="nobody_closes_their_own_case",
            ),
            models.CheckConstraint(
                condition=Q(amount_saved__isnull=True) | Q(amount_saved__gte=0),
                name="saved_is_not_negative",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["bank", "due_at", "id"],
                condition=Q(status__in=["open", "in_progress", "waiting"]),
                name="cases_under_way",
            ),
            models.Index(fields=["bank", "-closed_at", "id"], name="cases_closed"),
            models.Index(fields=["bank", "account"], name="cases_of_account"),
        ]

    def __str__(self) -> str:
        return f"C-{self.number}"

    @property
    def late(self) -> bool:
        return self.status in self.UNDER_WAY and self.due_at < timezone.now()


class CaseAlert(OwnedByBank):
    """An alert in a case. ``holding`` while the case is under way: an alert is in one such only."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="case_links")
    holding = models.BooleanField(default=True)
    linked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    linked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["linked_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "alert"], name="alert_once_in_a_case"),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(holding=True), name="alert_in_one_open_case"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.alert_id}"


class CaseStep(OwnedByBank):
    """One line of a case's checklist: done, or said to be unnecessary, by whom and when."""

    class Code(models.TextChoices):
        """What is checked; which typology asks for what: ``banks.services.cases.checklists``."""

        FACTS = "facts", _("Compare the payments with the customer's usual behaviour")
        CALL_CUSTOMER = "call_customer", _("Call the customer on the number registered here")
        CALL_AGAIN = "call_again", _("If nobody answers, call again at different times of the day")
        ALONE = "alone", _("Make sure that the customer speaks freely and is not being guided")
        POLICE = "police", _("Ask the customer to report to the police, and note the report")
        PAYEE_BANK = "payee_bank", _("Ask the payee's bank to stop the payee's account")
        CREDENTIALS = "credentials", _("Reset the customer's sign-in and remove unknown devices")
        PAYEES = "payees", _("Look through payees added and limits raised lately")
        CARD_BLOCK = "card_block", _("Block the card and order a new one")
        CARD_HELD = "card_held", _("Ask whether the card was in the customer's hands all the time")
        MERCHANT = "merchant", _("Find other cards used at the same merchant or terminal")
        ACQUIRER = "acquirer", _("Tell the acquirer or the operator of the terminal")
        ATM = "atm", _("Secure the pictures of the cash machine")
        IDENTITY = "identity", _("Check the documents with which the account was opened")
        FLOW = "flow", _("Follow the money in and out of the account")
        HOLDER = "holder", _("Ask the holder whether the account was lent, sold or lost")
        BALANCE = "balance", _("Note the balance and decide on a freeze request")
        CONTRACT = (
            "contract",
            _("Ask for the contract, the bill or the messages behind the payment"),
        )
        RELATED = "related", _("Look for other customers who paid the same counterparty")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="steps")
    code = models.CharField(max_length=20, choices=Code)
    place = models.PositiveSmallIntegerField()
    unnecessary = models.BooleanField(default=False)
    note = models.CharField(max_length=2000, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["place"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "code"], name="step_once_in_a_case"),
            models.CheckConstraint(
                condition=Q(unnecessary=False) | (Q(done_at__isnull=False) & ~Q(note="")),
                name="unnecessary_says_why",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_code_display())


class ContactAttempt(OwnedByBank):
    """Somebody tried to reach the customer: how, when, and what came of it."""

    class Channel(models.TextChoices):
        PHONE = "phone", _("phone")
        BRANCH = "branch", _("at a branch")
        APP = "app", _("message in the app")
        EMAIL = "email", _("e-mail")
        LETTER = "letter", _("letter")
        VISIT = "visit", _("visit")

    class Outcome(models.TextChoices):
        NO_ANSWER = "no_answer", _("no answer")
        CALL_BACK = "call_back", _("will call back")
        OWN = "own", _("says the payments are their own")
        NOT_OWN = "not_own", _("says the payments are not their own")
        DECEIVED = "deceived", _("was deceived into paying")
        LENT = "lent", _("says the account was lent, sold or lost")
        UNKNOWN_ACCOUNT = "unknown_account", _("says they never opened the account")
        REFUSED = "refused", _("will not speak")

    UNANSWERED: ClassVar = (Outcome.NO_ANSWER,)

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="contacts")
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    at = models.DateTimeField(_("time"), default=timezone.now)
    called = models.CharField(_("number or address used"), max_length=80, blank=True)
    reached = models.BooleanField(_("reached"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome)
    note = models.CharField(_("note"), max_length=2000, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reached=True) ^ Q(outcome="no_answer"),
                name="nobody_answers_unless_reached",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class CaseEvent(OwnedByBank):
    """One line of a case's history. ``about`` names things by id or code, for the sentence."""

    class Kind(models.TextChoices):
        OPENED = "opened", pgettext_lazy("case", "opened")
        LINKED = "linked", _("alert linked")
        UNLINKED = "unlinked", _("alert unlinked")
        TAKEN = "taken", pgettext_lazy("case", "taken over")
        ASSIGNED = "assigned", _("given to a colleague")
        TYPOLOGY = "typology", _("typology set")
        DUE = "due", _("due time set")
        STEP = "step", _("checklist")
        CONTACT = "contact", _("contact attempt")
        NOTE = "note", _("note")
        SUBMITTED = "submitted", _("submitted for approval")
        WITHDRAWN = "withdrawn", _("submission withdrawn")
        RETURNED = "returned", _("sent back")
        CLOSED = "closed", pgettext_lazy("case", "approved and closed")
        REOPENED = "reopened", _("reopened")
        FREEZE = "freeze", _("freeze request")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=2000, blank=True)
    about = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"
