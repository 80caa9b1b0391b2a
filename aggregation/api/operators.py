"""What the operator's and the auditor's programs may call, under ``/api/v1/centre/``."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from aggregation.api import serializers as wire
from aggregation.models import KeyEpoch, PublishedSum, Round, Task, TrainingRun
from aggregation.services import enrolment, epochs, rosters, runs, schedules
from consortium.accounts.access import centre_api
from consortium.accounts.models import Bank, Role

SHOWN_RUNS = 50
ACTS = {
    "suspend": enrolment.suspend_bank,
    "reinstate": enrolment.reinstate_bank,
    "remove": enrolment.remove_bank,
}
INVITED = inline_serializer(
    "InvitedBank", {"bank": wire.BankSerializer(), "invitation": serializers.CharField()}
)


# Banks


@extend_schema(operation_id="centre_banks", responses=wire.BankSerializer(many=True))
@centre_api()
def banks(request: Any) -> Response:
    """All banks with the fingerprints of their keys."""
    return Response(wire.BankSerializer(Bank.objects.all(), many=True).data)


@extend_schema(
    operation_id="centre_bank_invite", request=wire.InviteSerializer, responses={201: INVITED}
)
@centre_api(Role.OPERATOR, methods=["POST"])
def invite(request: Any) -> Response:
    """Invite a bank; the one-time text of its link is shown here only."""
    bank, text = enrolment.invite_bank(
        actor=request.actor, **_valid(wire.InviteSerializer, request)
    )
    return Response({"bank": wire.BankSerializer(bank).data, "invitation": text}, status=201)


@extend_schema(operation_id="centre_bank_renew", request=None, responses={201: INVITED})
@centre_api(Role.OPERATOR, methods=["POST"])
def renew(request: Any, slug: str) -> Response:
    """A new one-time link for a bank that has not joined yet."""
    bank = get_object_or_404(Bank, slug=slug)
    text = enrolment.renew_invitation(actor=request.actor, bank=bank)
    return Response({"bank": wire.BankSerializer(bank).data, "invitation": text}, status=201)


@extend_schema(
    operation_id="centre_bank_act",
    request=wire.ReasonSerializer,
    responses=wire.BankSerializer,
)
@centre_api(Role.OPERATOR, methods=["POST"])
def act(request: Any, slug: str, act: str) -> Response:
    """Suspend, reinstate or remove a bank."""
    bank = get_object_or_404(Bank, slug=slug)
    ACTS[act](actor=request.actor, bank=bank, **_valid(wire.ReasonSerializer, request))
    bank.refresh_from_db()
    return Response(wire.BankSerializer(bank).data)


# Tasks


@extend_schema(operation_id="centre_tasks", responses=wire.TaskSerializer(many=True))
@centre_api()
def tasks(request: Any) -> Response:
    """All tasks with their schedules and rosters."""
    return Response(wire.TaskSerializer(_tasks(), many=True).data)


@extend_schema(
    operation_id="centre_schedule", request=wire.ScheduleSerializer, responses=wire.TaskSerializer
)
@centre_api(Role.OPERATOR, methods=["POST"])
def schedule(request: Any, task_id: uuid.UUID) -> Response:
    """Set when the task's runs begin by themselves."""
    task = schedules.set_schedule(
        actor=request.actor,
        task=_task(task_id),
        **_valid(wire.ScheduleSerializer, request),
    )
    return Response(wire.TaskSerializer(task).data)


@extend_schema(
    operation_id="centre_roster_propose",
    request=wire.ProposalSerializer,
    responses={201: wire.RosterSerializer},
)
@centre_api(Role.OPERATOR, methods=["POST"])
def propose(request: Any, task_id: uuid.UUID) -> Response:
    """Propose the task's next members; a majority of the present ones decides."""
    row = rosters.propose_roster(
        actor=request.actor, task=_task(task_id), **_valid(wire.ProposalSerializer, request)
    )
    return Response(wire.RosterSerializer(row).data, status=201)


@extend_schema(operation_id="centre_roster_withdraw", request=None, responses={204: None})
@centre_api(Role.OPERATOR, methods=["POST"])
def withdraw(request: Any, task_id: uuid.UUID) -> Response:
    """Take back a roster that is not valid yet."""
    rosters.withdraw_roster(actor=request.actor, task=_task(task_id))
    return Response(status=204)


@extend_schema(operation_id="centre_key_discard", request=None, responses={204: None})
@centre_api(Role.OPERATOR, methods=["POST"])
def discard_key(request: Any, task_id: uuid.UUID, epoch_id: uuid.UUID) -> Response:
    """Drop a key that its witnesses did not sign."""
    epoch = get_object_or_404(KeyEpoch, pk=epoch_id, task=task_id)
    epochs.discard_epoch(actor=request.actor, epoch=epoch)
    return Response(status=204)


@extend_schema(operation_id="centre_key_rotate", request=None, responses={204: None})
@centre_api(Role.OPERATOR, methods=["POST"])
def rotate_key(request: Any, task_id: uuid.UUID, epoch_id: uuid.UUID) -> Response:
    """Retire a key that no run uses; the members make the next one."""
    epoch = get_object_or_404(KeyEpoch, pk=epoch_id, task=task_id)
    epochs.rotate_epoch(actor=request.actor, epoch=epoch)
    return Response(status=204)


# Runs


@extend_schema(operation_id="centre_runs", responses=wire.RunSerializer(many=True))
@centre_api()
def latest(request: Any) -> Response:
    """The newest runs with their rounds and model versions."""
    return Response(wire.RunSerializer(_runs()[:SHOWN_RUNS], many=True).data)


@extend_schema(operation_id="centre_run", responses=wire.RunSerializer)
@centre_api()
def run(request: Any, run_id: uuid.UUID) -> Response:
    return Response(wire.RunSerializer(get_object_or_404(_runs(), pk=run_id)).data)


@extend_schema(
    operation_id="centre_run_start",
    request=wire.StartSerializer,
    responses={201: wire.RunSerializer},
)
@centre_api(Role.OPERATOR, methods=["POST"])
def start(request: Any, task_id: uuid.UUID) -> Response:
    """Run the task now."""
    made = runs.start_run(
        actor=request.actor, task=_task(task_id), **_valid(wire.StartSerializer, request)
    )
    return Response(wire.RunSerializer(_runs().get(pk=made.pk)).data, status=201)


@extend_schema(operation_id="centre_run_stop", request=None, responses=wire.RunSerializer)
@centre_api(Role.OPERATOR, methods=["POST"])
def stop(request: Any, run_id: uuid.UUID) -> Response:
    """End a run; its round is abandoned."""
    runs.stop_run(actor=request.actor, run=get_object_or_404(TrainingRun, pk=run_id))
    return Response(wire.RunSerializer(_runs().get(pk=run_id)).data)


@extend_schema(
    operation_id="centre_round_give_up",
    request=wire.ReasonSerializer,
    responses=wire.RoundSerializer,
)
@centre_api(Role.OPERATOR, methods=["POST"])
def give_up(request: Any, round_id: uuid.UUID) -> Response:
    """Give a round up; the run tries it again."""
    row = get_object_or_404(Round, pk=round_id)
    why = _valid(wire.ReasonSerializer, request)["reason"]
    runs.abandon_round(actor=request.actor, round_=row, why=why)
    row.refresh_from_db()
    return Response(wire.RoundSerializer(row).data)


@extend_schema(
    operation_id="centre_published_sums", responses=wire.PublishedSumSerializer(many=True)
)
@centre_api()
def published_sums(request: Any, task_id: uuid.UUID) -> Response:
    """The consortium's score histograms: genuine bins, then fraud bins; never one bank's."""
    sums = PublishedSum.objects.filter(round__run__task=_task(task_id))
    found = sums.select_related("round__run__version")
    return Response(wire.PublishedSumSerializer(found, many=True).data)


def _valid(shape: type[serializers.Serializer[object]], request: Any) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _task(task_id: uuid.UUID) -> Task:
    return get_object_or_404(Task, pk=task_id)


def _tasks() -> QuerySet[Task]:
    return Task.objects.prefetch_related("rosters__signatures")


def _runs() -> QuerySet[TrainingRun]:
    rounds = Round.objects.defer("aggregate", "manifest", "proposal")
    return TrainingRun.objects.select_related("version").prefetch_related(
        Prefetch("rounds", queryset=rounds)
    )
