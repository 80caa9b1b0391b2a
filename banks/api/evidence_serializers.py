"""What stands behind a version's figures, as the API says it; intervals are 95 %."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from banks.api.serializers import ConfusionSerializer, FiguresSerializer, IntervalSerializer


class StandingSerializer(serializers.Serializer[Any]):
    genuine = serializers.IntegerField()
    frauds = serializers.IntegerField()
    too_few_positives = serializers.BooleanField()
    average_precision = serializers.FloatField(allow_null=True)
    average_precision_interval = IntervalSerializer(allow_null=True)
    recall_at_precision_80 = serializers.FloatField(source="recall_at_precision", allow_null=True)
    recall_at_precision_80_interval = IntervalSerializer(
        source="recall_at_precision_interval", allow_null=True
    )
    precision_at_recall_70 = serializers.FloatField(source="precision_at_recall", allow_null=True)
    precision_at_recall_70_interval = IntervalSerializer(
        source="precision_at_recall_interval", allow_null=True
    )


class SureConfusionSerializer(ConfusionSerializer):
    precision_interval = IntervalSerializer(allow_null=True)
    recall_interval = IntervalSerializer(allow_null=True)
    f1_interval = IntervalSerializer(allow_null=True)


class TopOfDaySerializer(serializers.Serializer[Any]):
    """Among the k most suspicious accounts of each day."""

    k = serializers.IntegerField()
    days = serializers.IntegerField()
    listed = serializers.IntegerField()
    hits = serializers.IntegerField()
    precision = serializers.FloatField(allow_null=True)
    interval = IntervalSerializer(allow_null=True)
    most = serializers.FloatField(allow_null=True, help_text="what a perfect score would reach")


class ReliabilityBinSerializer(serializers.Serializer[Any]):
    low = serializers.FloatField()
    high = serializers.FloatField()
    rows = serializers.IntegerField()
    frauds = serializers.IntegerField()
    said = serializers.FloatField(help_text="mean probability")
    found = serializers.FloatField(help_text="share of fraud")
    interval = IntervalSerializer(allow_null=True)


class ReliabilitySerializer(serializers.Serializer[Any]):
    expected_calibration_error = serializers.FloatField(allow_null=True)
    expected_frauds = serializers.FloatField()
    frauds = serializers.IntegerField()
    bins = ReliabilityBinSerializer(many=True)


class SegmentSerializer(serializers.Serializer[Any]):
    """A part of the window: a channel, a band of amounts (name: number of digits), a typology."""

    kind = serializers.CharField(source="segment.kind")
    name = serializers.CharField(source="segment.name")
    standing = StandingSerializer()
    confusion = SureConfusionSerializer()


class VersionEvidenceSerializer(serializers.Serializer[Any]):
    figures = FiguresSerializer()
    standing = StandingSerializer(source="figures.standing")
    confusion = SureConfusionSerializer(source="figures.confusion")
    value_share = serializers.FloatField(allow_null=True)
    value_interval = IntervalSerializer(allow_null=True)
    days = TopOfDaySerializer(many=True)
    reliability = ReliabilitySerializer()
    segments = SegmentSerializer(many=True)
