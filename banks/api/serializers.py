"""What the bank's API takes and gives. Amounts are integers in minor units (cents; whole yen)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from banks.ml.schema import MAX_AMOUNT
from banks.models import (
    BankSettings,
    Comparison,
    Import,
    Label,
    LabelEvent,
    ModelVersion,
    Threshold,
    TrainingRun,
    Transaction,
)
from banks.services.settings import EDITABLE


class NewTransactionSerializer(serializers.Serializer[Any]):
    """A transaction to be scored."""

    id = serializers.CharField(max_length=80)
    time = serializers.DateTimeField(help_text="ISO 8601 with its offset from UTC")
    amount = serializers.IntegerField(min_value=0, max_value=MAX_AMOUNT)
    account = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    counterparty = serializers.CharField(
        max_length=80, required=False, default="", allow_blank=True
    )
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False, default="JPY")
    channel = serializers.CharField(max_length=20, required=False, default="", allow_blank=True)
    extra = serializers.DictField(child=serializers.FloatField(), required=False, default=dict)

    def to_internal_value(self, data: Any) -> Any:
        text = data.get("time") if isinstance(data, dict) else None
        if isinstance(text, str) and not _names_its_zone(text):
            raise serializers.ValidationError(
                {"time": [_("Write the time with its offset, like 2026-05-31T14:05:00+09:00.")]}
            )
        return super().to_internal_value(data)

    def validate_time(self, value: Any) -> Any:
        if value > timezone.now() + timedelta(days=1):
            raise serializers.ValidationError(_("The time lies more than a day in the future."))
        return value


def _names_its_zone(text: str) -> bool:
    return text.endswith(("Z", "z")) or "+" in text or "-" in text.rpartition("T")[2]


class ScoreRequestSerializer(serializers.Serializer[Any]):
    """1 to 100 transactions, oldest first."""

    transactions = NewTransactionSerializer(many=True, allow_empty=False)


class ReasonSerializer(serializers.Serializer[Any]):
    feature = serializers.CharField()
    contribution = serializers.FloatField(help_text="share of the logit; above 0 raised the score")
    value = serializers.FloatField(allow_null=True)
    typical = serializers.FloatField(allow_null=True)


class ScoredSerializer(serializers.Serializer[Any]):
    """One transaction's score; ``alert`` is null where none was raised."""

    id = serializers.CharField(source="transaction.external_id")
    probability = serializers.FloatField(source="score.probability")
    threshold = serializers.FloatField()
    version = serializers.IntegerField(source="score.version.number")
    alert = serializers.UUIDField(source="alert.pk", allow_null=True, default=None)
    reasons = ReasonSerializer(source="alert.reasons", many=True, default=list)


class ScoreAnswerSerializer(serializers.Serializer[Any]):
    results = ScoredSerializer(many=True)


class TransactionSerializer(serializers.ModelSerializer[Transaction]):
    class Meta:
        model = Transaction
        fields: ClassVar = [
            "pk",
            "external_id",
            "time",
            "account",
            "counterparty",
            "amount",
            "currency",
            "channel",
            "label",
            "label_known_at",
        ]


class LabelEventSerializer(serializers.ModelSerializer[LabelEvent]):
    said_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = LabelEvent
        fields: ClassVar = ["value", "source", "reason", "known_at", "said_by"]


class LabelRequestSerializer(serializers.Serializer[Any]):
    value = serializers.ChoiceField(
        choices=Label.choices, allow_null=True, help_text="1 fraud, 0 genuine, null unknown again"
    )
    reason = serializers.CharField(max_length=200, allow_blank=True)


class WhySerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, default="", allow_blank=True)


class TrainingRequestSerializer(serializers.Serializer[Any]):
    family = serializers.CharField(
        max_length=20,
        required=False,
        default="",
        allow_blank=True,
        help_text="logistic, blend, trees, elm or mlp; empty: the same as last time",
    )
    windows = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        default=None,
        allow_null=True,
        help_text="train_from … test_until and label_delay in µs since 1970 UTC",
    )


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    class Meta:
        model = TrainingRun
        fields: ClassVar = [
            "pk",
            "phase",
            "status",
            "trigger",
            "settings",
            "step",
            "step_number",
            "steps_total",
            "progress",
            "timings",
            "result",
            "created_at",
            "started_at",
            "finished_at",
            "failure_code",
            "failure",
            "failure_params",
        ]


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields: ClassVar = [
            "pk",
            "number",
            "origin",
            "family",
            "status",
            "artifact_sha256",
            "parameters",
            "trained_from",
            "trained_until",
            "lineage",
            "created_at",
        ]


class ThresholdSerializer(serializers.ModelSerializer[Threshold]):
    set_by = serializers.StringRelatedField()  # type: ignore[var-annotated]
    approved_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = Threshold
        fields: ClassVar = ["value", "method", "reason", "set_by", "approved_by", "created_at"]


class ConfusionSerializer(serializers.Serializer[Any]):
    tp = serializers.IntegerField()
    fp = serializers.IntegerField()
    fn = serializers.IntegerField()
    tn = serializers.IntegerField()
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    f1 = serializers.FloatField(allow_null=True)


class IntervalSerializer(serializers.Serializer[Any]):
    """95 %."""

    low = serializers.FloatField()
    high = serializers.FloatField()


class FiguresSerializer(serializers.Serializer[Any]):
    """A version on one window of this bank; intervals are 95 %."""

    version = VersionSerializer()
    window_from = serializers.DateTimeField(source="evaluation.window_from")
    window_until = serializers.DateTimeField(source="evaluation.window_until")
    label_delay_days = serializers.IntegerField(source="evaluation.label_delay_days")
    immature = serializers.IntegerField(source="evaluation.immature")
    rows = serializers.IntegerField()
    frauds = serializers.IntegerField(source="standing.frauds")
    threshold = serializers.FloatField()
    confusion = ConfusionSerializer()
    average_precision = serializers.FloatField(source="standing.average_precision", allow_null=True)
    recall_at_precision_80 = serializers.FloatField(
        source="standing.recall_at_precision", allow_null=True
    )
    alerts_a_day = serializers.FloatField()
    value_caught = serializers.IntegerField()
    value_missed = serializers.IntegerField()


class ComparisonSerializer(serializers.ModelSerializer[Comparison]):
    verdict = serializers.ChoiceField(choices=Comparison.Verdict.choices, read_only=True)
    gained = serializers.IntegerField(read_only=True)
    value_gained = serializers.IntegerField(read_only=True)

    class Meta:
        model = Comparison
        exclude: ClassVar = ["id", "bank"]


class SideBySideSerializer(serializers.Serializer[Any]):
    in_use = serializers.BooleanField()
    figures = FiguresSerializer()
    comparison = ComparisonSerializer(allow_null=True)


class SettingsSerializer(serializers.ModelSerializer[BankSettings]):
    class Meta:
        model = BankSettings
        fields: ClassVar = [*EDITABLE, "next_training_at"]
        read_only_fields: ClassVar = ["next_training_at"]


class ImportSerializer(serializers.ModelSerializer[Import]):
    class Meta:
        model = Import
        fields: ClassVar = [
            "pk",
            "file_name",
            "file_sha256",
            "file_bytes",
            "encoding",
            "mapping",
            "good_rows_only",
            "status",
            "rows_read",
            "rows_imported",
            "rows_already_there",
            "rows_refused",
            "first_errors",
            "warnings",
            "failure_code",
            "failure",
            "created_at",
            "started_at",
            "finished_at",
        ]


class ImportRequestSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()
    mapping = serializers.JSONField()
    good_rows_only = serializers.BooleanField(required=False, default=False)
