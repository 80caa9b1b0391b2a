"""What the consortium's coming runs will take this bank, by API; and what a run took beside it."""

from __future__ import annotations

import uuid
from typing import Any

from django.shortcuts import get_list_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.models import TrustedRoster
from banks.selectors import estimates
from banks.services.rounds.estimates import rehearsing
from banks.views.coming_runs import MEASURERS, READERS
from consortium.accounts.access import bank_api


class KindOfSumSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    times = serializers.IntegerField()
    length = serializers.IntegerField(help_text="values of the longest")
    upload = serializers.IntegerField(help_text="bytes of one bank's uploads")


class RunEstimateSerializer(serializers.Serializer[Any]):
    basis = serializers.ChoiceField(["run", "rehearsal", "agreement"])
    sums = serializers.IntegerField()
    sent = serializers.IntegerField(help_text="bytes that this bank sends")
    received = serializers.IntegerField(help_text="bytes that this bank receives")
    in_all = serializers.IntegerField(help_text="bytes that all banks send")
    kinds = KindOfSumSerializer(many=True)
    seconds = serializers.DictField(child=serializers.FloatField(), help_text="by kind of work")
    memory = serializers.IntegerField(help_text="bytes at most; 0: not known")


class ComingRunSerializer(serializers.Serializer[estimates.Coming]):
    task = serializers.UUIDField(source="task.task")
    name = serializers.CharField(source="task.name")
    protocol = serializers.CharField(source="task.shape.protocol")
    estimate = RunEstimateSerializer()
    measuring = serializers.BooleanField()
    trouble = serializers.CharField()


@extend_schema(operation_id="coming_runs", responses=ComingRunSerializer(many=True))
@bank_api(*READERS)
def coming(request: Any) -> Response:
    """One line for each task whose members hold a key."""
    return Response([ComingRunSerializer(one).data for one in estimates.coming(request.bank)])


@extend_schema(operation_id="coming_run_measure", request=None, responses={202: None})
@bank_api(*MEASURERS, methods=["POST"])
def measure(request: Any, task: uuid.UUID) -> Response:
    """Let this bank's worker go through the run alone; the estimate is there a minute later."""
    get_list_or_404(TrustedRoster, bank=request.bank, task=task)
    rehearsing.ask(bank=request.bank, task=str(task), actor=request.actor)
    return Response(status=202)
