"""What the performance API takes and gives. Amounts are integers in minor units."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from banks.api.serializers import (
    ConfusionSerializer,
    IntervalSerializer,
    TransactionSerializer,
)
from banks.models import ThresholdChange


class ThresholdProposalSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField(help_text="probability of fraud from which alerts are raised")
    reason = serializers.CharField(max_length=200, allow_blank=True)
    aim = serializers.ChoiceField(choices=ThresholdChange.Aim.choices, default="person")
    target = serializers.FloatField(required=False, default=None, allow_null=True)
    effective_from = serializers.DateTimeField(
        required=False, default=None, allow_null=True, help_text="null: as soon as it is approved"
    )


class ThresholdNoteSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class ThresholdChangeSerializer(serializers.ModelSerializer[ThresholdChange]):
    version = serializers.IntegerField(source="version.number")
    proposed_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    decided_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = ThresholdChange
        fields: ClassVar = [
            "pk",
            "version",
            "value",
            "before",
            "aim",
            "target",
            "reason",
            "effect",
            "status",
            "proposed_by",
            "proposed_at",
            "decided_by",
            "decided_at",
            "note",
            "effective_from",
        ]


class StudioSerializer(serializers.Serializer[Any]):
    """A threshold tried out; ``confusion`` stays as measured whatever the prevalence."""

    cut = serializers.IntegerField(source="figures.cut")
    threshold = serializers.FloatField(source="figures.threshold")
    in_force = serializers.FloatField(source="in_force_threshold")
    confusion = ConfusionSerializer(source="figures.confusion")
    prevalence = serializers.FloatField(allow_null=True)
    measured_prevalence = serializers.FloatField(allow_null=True)
    precision = serializers.FloatField(allow_null=True)
    precision_interval = IntervalSerializer(allow_null=True)
    recall = serializers.FloatField(source="figures.confusion.recall", allow_null=True)
    recall_interval = IntervalSerializer(
        source="figures.confusion.recall_interval", allow_null=True
    )
    f1 = serializers.FloatField(allow_null=True)
    alerts_a_day = serializers.FloatField()
    hours_a_day = serializers.FloatField()
    value_caught = serializers.IntegerField(source="caught")
    value_missed = serializers.IntegerField(source="missed")
    expected_value_a_day = serializers.IntegerField(source="value_a_day")


class RowSerializer(serializers.Serializer[Any]):
    """A transaction as it was counted, with its score and label of that moment."""

    transaction = TransactionSerializer()
    probability = serializers.FloatField()
    label_when_judged = serializers.IntegerField(source="label", help_text="1 fraud, 0 genuine")
    note = serializers.CharField()


class OpenedSerializer(serializers.Serializer[Any]):
    """A page of the rows behind a count; ``next`` is null at the end."""

    total = serializers.IntegerField()
    amount = serializers.IntegerField()
    next = serializers.IntegerField(source="next_after", allow_null=True)
    rows = RowSerializer(many=True)


class MonthCountsSerializer(serializers.Serializer[Any]):
    raised = serializers.IntegerField()
    decided = serializers.IntegerField()
    fraud = serializers.IntegerField()
    genuine = serializers.IntegerField()
    cannot_tell = serializers.IntegerField()
    fraud_amount = serializers.IntegerField(allow_null=True)
    only_seen_together = serializers.IntegerField()
    only_seen_together_amount = serializers.IntegerField(allow_null=True)


class ShareSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(source="whole")
    interval = IntervalSerializer(allow_null=True)


class RecallSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(source="judged", help_text="drawn below the threshold, decided")
    interval = IntervalSerializer(allow_null=True)


class MonthSerializer(serializers.Serializer[Any]):
    """A month of the desk; amounts in minor units."""

    first = serializers.DateField()
    last_day = serializers.DateField()
    has_ended = serializers.BooleanField()
    counts = MonthCountsSerializer()
    precision = ShareSerializer()
    recall = RecallSerializer()
    value_saved = serializers.IntegerField(source="saved", allow_null=True)
    median_hours = serializers.FloatField(allow_null=True)
    in_time = ShareSerializer()
