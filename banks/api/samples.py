"""What the two samples say, by API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.selectors import samples
from consortium.accounts.access import bank_api


class EstimateSerializer(serializers.Serializer[Any]):
    """A share with its 95 % interval."""

    value = serializers.FloatField()
    low = serializers.FloatField(source="interval.low")
    high = serializers.FloatField(source="interval.high")


class SampledRecallSerializer(serializers.Serializer[Any]):
    """Recall estimated from decisions and a random sample below the threshold."""

    since = serializers.DateTimeField()
    caught = serializers.IntegerField()
    undecided = serializers.IntegerField()
    drawn = serializers.IntegerField()
    judged = serializers.IntegerField()
    found = serializers.IntegerField()
    stands_for = serializers.FloatField(allow_null=True)
    recall = EstimateSerializer(allow_null=True)


class GroupSerializer(serializers.Serializer[Any]):
    decided = serializers.IntegerField()
    fraud = serializers.IntegerField()
    cannot_tell = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True, help_text="median from take to decision")


class BlindComparisonSerializer(serializers.Serializer[Any]):
    """Alerts served without score beside those with it; the difference is blind minus shown."""

    blind = GroupSerializer()
    shown = GroupSerializer()
    difference = EstimateSerializer(allow_null=True)


class SamplesSerializer(serializers.Serializer[Any]):
    recall = SampledRecallSerializer()
    blind = BlindComparisonSerializer()


@extend_schema(operation_id="samples_read", responses=SamplesSerializer)
@bank_api()
def read(request: Any) -> Response:
    """Recall with its interval, and what reviewing without score shows."""
    found = {
        "recall": samples.sampled_recall(request.bank),
        "blind": samples.blind_comparison(request.bank),
    }
    return Response(SamplesSerializer(found).data)
