"""What the cases' API takes and gives. Amounts are integers in minor units."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from banks.models import Case, CaseStep, ContactAttempt, FreezeRequest
from banks.services.cases import TYPOLOGIES

TYPOLOGY = "one of " + ", ".join(TYPOLOGIES)


class CaseSerializer(serializers.ModelSerializer[Case]):
    """A case; ``number`` is counted within the bank and written C-<number>."""

    owner = serializers.StringRelatedField()  # type: ignore[var-annotated]
    opened_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    submitted_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    decided_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = Case
        fields: ClassVar = [
            "pk",
            "number",
            "account",
            "typology",
            "status",
            "owner",
            "opened_by",
            "opened_at",
            "due_at",
            "currency",
            "amount_at_risk",
            "amount_saved",
            "outcome",
            "summary",
            "submitted_by",
            "submitted_at",
            "decided_by",
            "closed_at",
        ]


class CaseListSerializer(serializers.Serializer[Any]):
    """A page of cases; ``next`` is the ``after`` of the next page, empty at the end."""

    next = serializers.CharField(source="next_cursor", allow_blank=True)
    cases = CaseSerializer(many=True)


class ChecklistStepSerializer(serializers.ModelSerializer[CaseStep]):
    done_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = CaseStep
        fields: ClassVar = ["code", "unnecessary", "note", "done_by", "done_at"]


class ContactSerializer(serializers.ModelSerializer[ContactAttempt]):
    made_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = ContactAttempt
        fields: ClassVar = ["channel", "at", "called", "reached", "outcome", "note", "made_by"]


class FreezeSerializer(serializers.ModelSerializer[FreezeRequest]):
    """A freeze request: a record with four eyes, nothing here stops an account."""

    case = serializers.UUIDField(source="case_id")
    drafted_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    submitted_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    decided_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    carried_out_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    lifted_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = FreezeRequest
        fields: ClassVar = [
            "pk",
            "case",
            "account",
            "requester",
            "reference",
            "received_at",
            "reason",
            "status",
            "drafted_by",
            "drafted_at",
            "submitted_by",
            "submitted_at",
            "decided_by",
            "decided_at",
            "decision_note",
            "carried_out_by",
            "carried_out_at",
            "balance",
            "currency",
            "reply",
            "lifted_by",
            "lifted_at",
            "lift_reason",
        ]


class MomentSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    who = serializers.CharField()
    kind = serializers.CharField()
    about = serializers.CharField()
    text = serializers.CharField()


class LackSerializer(serializers.Serializer[Any]):
    """What must be done before the case can be submitted."""

    code = serializers.ChoiceField(choices=["typology", "steps", "alerts", "freezes"])
    count = serializers.IntegerField()


class WholeCaseSerializer(serializers.Serializer[Any]):
    """A case with all that it holds."""

    case = CaseSerializer()
    alerts = serializers.ListField(child=serializers.UUIDField())
    steps = ChecklistStepSerializer(many=True)
    contacts = ContactSerializer(many=True)
    freezes = FreezeSerializer(many=True)
    history = MomentSerializer(many=True)
    lacks = LackSerializer(many=True)
    suggestions = serializers.ListField(child=serializers.UUIDField())


class OpenCaseSerializer(serializers.Serializer[Any]):
    """Alerts, an account, or both."""

    alerts = serializers.ListField(child=serializers.UUIDField(), max_length=100, default=list)
    account = serializers.CharField(max_length=80, allow_blank=True, default="")
    typology = serializers.CharField(allow_blank=True, default="", help_text=TYPOLOGY)


class AlertsSerializer(serializers.Serializer[Any]):
    alerts = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)


class AlertNameSerializer(serializers.Serializer[Any]):
    alert = serializers.UUIDField()


class ChangeCaseSerializer(serializers.Serializer[Any]):
    """What is given is set; the rest stays."""

    typology = serializers.CharField(required=False, help_text=TYPOLOGY)
    due_at = serializers.DateTimeField(required=False)


class OwnerSerializer(serializers.Serializer[Any]):
    owner = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, help_text="a colleague's user id"
    )


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer to a step of the checklist; ``unnecessary`` needs a note."""

    code = serializers.ChoiceField(choices=CaseStep.Code.values)
    answer = serializers.ChoiceField(choices=["done", "unnecessary", "open"])
    note = serializers.CharField(allow_blank=True, default="")


class NewContactSerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=ContactAttempt.Channel.values)
    outcome = serializers.ChoiceField(choices=ContactAttempt.Outcome.values)
    at = serializers.DateTimeField(required=False, help_text="now, if not given")
    called = serializers.CharField(max_length=80, allow_blank=True, default="")
    note = serializers.CharField(allow_blank=True, default="")


class SubmissionSerializer(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=Case.Outcome.values)
    summary = serializers.CharField()
    amount_saved = serializers.IntegerField(
        min_value=0, max_value=2**62 - 1, required=False, allow_null=True
    )


class NoteSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(allow_blank=True, default="")


class NewFreezeSerializer(serializers.Serializer[Any]):
    """A draft; what is missing is asked for when it is submitted."""

    account = serializers.CharField(max_length=80, allow_blank=True, default="")
    requester = serializers.ChoiceField(choices=FreezeRequest.Requester.values)
    reference = serializers.CharField(max_length=80, allow_blank=True, default="")
    received_at = serializers.DateTimeField(allow_null=True, default=None)
    reason = serializers.CharField(allow_blank=True, default="")


class CarryOutSerializer(serializers.Serializer[Any]):
    carried_out_at = serializers.DateTimeField()
    balance = serializers.IntegerField(min_value=-(2**62) + 1, max_value=2**62 - 1)
    reply = serializers.CharField(allow_blank=True, default="")
