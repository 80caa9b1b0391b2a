"""What the alerts' API takes and gives. Amounts are integers in minor units."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from banks.api.serializers import ReasonSerializer, TransactionSerializer
from banks.models import Alert, AlertEvent, BulkAction, SavedView
from banks.selectors.alerts import Filters

VEILED = ("probability", "other_probabilities", "threshold", "only_consortium", "expected_loss")


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """An alert. While ``veiled``, what the model said is null, on purpose, until the decision."""

    transaction = TransactionSerializer()
    version = serializers.IntegerField(source="version.number")
    claimed_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    decided_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    reasons = ReasonSerializer(many=True)
    veiled = serializers.BooleanField(read_only=True)

    class Meta:
        model = Alert
        fields: ClassVar = [
            "pk",
            "transaction",
            "version",
            "veiled",
            *VEILED,
            "priority",
            "reasons",
            "status",
            "claimed_by",
            "claimed_at",
            "snoozed_until",
            "disposition",
            "reason_code",
            "note",
            "decided_by",
            "decided_at",
            "created_at",
        ]

    def to_representation(self, instance: Alert) -> dict[str, Any]:
        said: dict[str, Any] = super().to_representation(instance)
        if instance.veiled:
            said |= {**dict.fromkeys(VEILED), "reasons": []}
        return said


class AlertEventSerializer(serializers.ModelSerializer[AlertEvent]):
    user = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = AlertEvent
        fields: ClassVar = ["kind", "user", "text", "at"]


class QueueSerializer(serializers.Serializer[Any]):
    """A page of alerts; ``next`` is the ``after`` of the next page, empty at the end."""

    total = serializers.IntegerField()
    next = serializers.CharField(source="next_cursor", allow_blank=True)
    line_after = serializers.IntegerField(
        allow_null=True, help_text="today's capacity ends before the alert at this place"
    )
    alerts = AlertSerializer(many=True)


class OptionSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()


class FacetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    options = OptionSerializer(many=True)


class CountsSerializer(serializers.Serializer[Any]):
    """How many alerts stand behind each view and facet, under the other filters."""

    tabs = serializers.DictField(child=serializers.IntegerField())
    decided_today = serializers.IntegerField()
    total = serializers.IntegerField()
    facets = FacetSerializer(many=True)


class DecisionSerializer(serializers.Serializer[Any]):
    disposition = serializers.CharField()
    reason_code = serializers.CharField()
    note = serializers.CharField(required=False, default="", allow_blank=True)


class SnoozeSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField(help_text="at most 30 days away")
    reason = serializers.CharField(allow_blank=True)


class BulkRequestSerializer(serializers.Serializer[Any]):
    """One act on up to 100 alerts; ``decide`` and ``snooze`` need what they need for one."""

    act = serializers.ChoiceField(choices=["decide", "claim", "release", "snooze"])
    alerts = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    disposition = serializers.CharField(required=False, allow_blank=True)
    reason_code = serializers.CharField(required=False, allow_blank=True)
    note = serializers.CharField(required=False, allow_blank=True)
    until = serializers.DateTimeField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True)

    NEEDED: ClassVar = {"decide": ("disposition", "reason_code"), "snooze": ("until", "reason")}

    @property
    def facts(self) -> dict[str, Any]:
        """The arguments of the act."""
        given = self.validated_data
        names = (
            *self.NEEDED.get(given["act"], ()),
            *(("note",) if given["act"] == "decide" else ()),
        )
        return {name: given[name] for name in names if name in given}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in self.NEEDED.get(attrs["act"], ()):
            if name not in attrs:
                self.fields[name].required = True
                raise serializers.ValidationError(
                    {name: self.fields[name].error_messages["required"]}
                )
        return attrs


class BulkActionSerializer(serializers.ModelSerializer[BulkAction]):
    """What was changed, and what was skipped and why."""

    act = serializers.CharField()

    class Meta:
        model = BulkAction
        fields: ClassVar = ["pk", "act", "facts", "changed", "skipped", "created_at", "undone_at"]


class FiltersSerializer(serializers.Serializer[Any]):
    view = serializers.CharField(required=False, default="open")
    channel = serializers.CharField(required=False, default="", allow_blank=True)
    amount = serializers.CharField(required=False, default="", allow_blank=True)
    age = serializers.CharField(required=False, default="", allow_blank=True)
    only = serializers.CharField(required=False, default="", allow_blank=True)
    q = serializers.CharField(required=False, default="", allow_blank=True)


class SavedViewSerializer(serializers.ModelSerializer[SavedView]):
    """One's own view of the queue."""

    filters = FiltersSerializer()

    class Meta:
        model = SavedView
        fields: ClassVar = ["pk", "name", "filters", "created_at"]
        read_only_fields: ClassVar = ["pk", "created_at"]

    def validate_filters(self, value: dict[str, Any]) -> dict[str, str]:
        return Filters.from_query(value).kept


class TextSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(allow_blank=True)
