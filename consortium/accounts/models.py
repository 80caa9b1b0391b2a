"""WHO: people, banks, what each may do, and what each has done."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class PersonManager(UserManager["User"]):
    """People sign in by e-mail address; there is no user name."""

    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: object
    ) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user


class User(AbstractUser):
    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(
        _("language"), max_length=5, choices=[("en", "English"), ("ja", "日本語")], blank=True
    )
    zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tokyo")
    shortcuts = models.BooleanField(_("single keys as shortcuts"), default=True)
    muted = ArrayField(models.CharField(max_length=12), default=list, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[PersonManager] = PersonManager()

    def __str__(self) -> str:
        return self.name or self.email


class Bank(models.Model):
    """A member bank: a UUID on the wire, a slug in addresses, public keys made on its own side."""

    class Status(models.TextChoices):
        INVITED = "invited", _("invited")
        JOINED = "joined", _("keys received")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        REMOVED = "removed", _("removed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_ja = models.CharField(_("name in Japanese"), max_length=120, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.INVITED)
    signing_key = models.BinaryField(max_length=32, blank=True, default=b"")
    sealing_key = models.BinaryField(max_length=32, blank=True, default=b"")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        return (
            self.name_ja if self.name_ja and (get_language() or "").startswith("ja") else self.name
        )


class Role(models.TextChoices):
    ANALYST = "analyst", _("analyst")
    LEAD = "lead", _("lead")
    MODEL_OWNER = "model_owner", _("model owner")
    BANK_ADMIN = "bank_admin", _("bank administrator")
    OPERATOR = "operator", _("operator")
    AUDITOR = "auditor", _("auditor")


BANK_ROLES = (Role.ANALYST, Role.LEAD, Role.MODEL_OWNER, Role.BANK_ADMIN, Role.AUDITOR)
CENTRE_ROLES = (Role.OPERATOR, Role.AUDITOR)


class Membership(models.Model):
    """One person's role in one bank, or at the centre where ``bank`` is empty."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    bank = models.ForeignKey(
        Bank, on_delete=models.CASCADE, related_name="memberships", null=True, blank=True
    )
    role = models.CharField(_("role"), max_length=12, choices=Role)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "bank"], name="one_role_per_bank", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(bank__isnull=True, role__in=CENTRE_ROLES)
                | Q(bank__isnull=False, role__in=BANK_ROLES),
                name="role_fits_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class Invitation(models.Model):
    """A one-time link for a colleague; only the hash of its token is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=120)
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, null=True, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.email


class ApiToken(models.Model):
    """A program's key: shown once, stored hashed, scoped, expiring, revocable."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        SCORE = "score", _("score transactions")
        WRITE = "write", _("change things")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, null=True, blank=True)
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=12)
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope), default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    place: Membership | None = None  # where it may work, once somebody has come with it

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def scope_labels(self) -> list[str]:
        return [str(self.Scope(scope).label) for scope in self.scopes]


class AuditEntry(models.Model):
    """Who did what to which thing, when. One hash chain per bank and one for the centre.

    ``facts`` holds ids, states and reasons, never a transaction's values.
    """

    chain = models.CharField(max_length=36)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, null=True, blank=True)
    actor = models.CharField(max_length=160)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    verb = models.CharField(max_length=60)
    target = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["-at", "-sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="one_entry_per_place")
        ]
        indexes: ClassVar = [models.Index(fields=["bank", "-at"])]

    def __str__(self) -> str:
        return f"{self.chain}/{self.sequence} {self.verb}"


class Notification(models.Model):
    """Something happened that one person should know, written in the transaction of the event.

    ``roles`` may read it: whoever has lost the role, or the place, does not see it any more.
    ``facts`` holds names and ids, never a transaction's values.
    """

    class Kind(models.TextChoices):
        APPROVAL = "approval", _("waits for my approval")
        CASE = "case", _("a case given to me")
        RUN = "run", _("a run finished or was abandoned")
        MODEL = "model", _("a new model or a vote on one")
        THRESHOLD = "threshold", _("a threshold scheduled")
        MEMBER = "member", _("members proposed, banks come and go")
        KEY = "key", _("a key to make, or one that ends")
        DRIFT = "drift", _("drift, and training proposed for it")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, null=True, blank=True)
    roles = ArrayField(models.CharField(max_length=12))
    kind = models.CharField(max_length=12, choices=Kind)
    verb = models.CharField(max_length=60)
    facts = models.JSONField(default=dict)
    page = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-at"]),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="unread"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.verb}"
