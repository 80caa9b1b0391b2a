"""What the API says about people, tokens, invitations and the audit trail, and what it takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from .forms import LANGUAGES
from .models import ApiToken, AuditEntry, Invitation, Membership, Role


class PlaceSerializer(serializers.Serializer[Membership]):
    bank = serializers.SlugField(source="bank.slug", default=None, help_text="null: the centre")
    role = serializers.ChoiceField(choices=Role.choices)


class MeSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField(help_text="empty: as the browser asks")
    zone = serializers.CharField()
    places = PlaceSerializer(many=True)


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    bank = serializers.SlugField(source="bank.slug", default=None, read_only=True)

    class Meta:
        model = ApiToken
        fields = (
            "id", "name", "prefix", "bank", "scopes",
            "created_at", "expires_at", "last_used_at", "revoked_at",
        )  # fmt: skip


class MadeTokenSerializer(TokenSerializer):
    secret = serializers.CharField(help_text="shown in this answer only")

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "secret")  # type: ignore[assignment]


class NewTokenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    bank = serializers.SlugField(allow_null=True, help_text="null: the centre")
    scopes = serializers.MultipleChoiceField(choices=ApiToken.Scope.choices, allow_empty=False)
    days = serializers.IntegerField(min_value=1, max_value=366, default=90)


class PersonSerializer(serializers.ModelSerializer[Membership]):
    name = serializers.CharField(source="user.name")
    email = serializers.EmailField(source="user.email")
    second_factor = serializers.BooleanField()
    last_login = serializers.DateTimeField(source="user.last_login", allow_null=True)

    class Meta:
        model = Membership
        fields = ("id", "name", "email", "role", "second_factor", "last_login")


class RoleSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices)


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    class Meta:
        model = Invitation
        fields = ("id", "name", "email", "role", "created_at", "expires_at")
        read_only_fields = ("id", "created_at", "expires_at")


class MadeInvitationSerializer(InvitationSerializer):
    link = serializers.URLField(help_text="one-time, shown in this answer only")

    class Meta(InvitationSerializer.Meta):
        fields = (*InvitationSerializer.Meta.fields, "link")  # type: ignore[assignment]


class AcceptanceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    password = serializers.CharField(trim_whitespace=False)
    language = serializers.ChoiceField(choices=LANGUAGES)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    class Meta:
        model = AuditEntry
        fields = ("sequence", "at", "actor", "verb", "target", "facts", "previous_hash", "hash")


class AuditPageSerializer(serializers.Serializer[Any]):
    entries = AuditEntrySerializer(many=True)
    before = serializers.IntegerField(allow_null=True, help_text="for the next page; null: none")


class ChainSerializer(serializers.Serializer[Any]):
    holds = serializers.BooleanField()
    entries = serializers.IntegerField()
    head = serializers.CharField()
    broken = serializers.ListField(child=serializers.IntegerField())
