"""The bank in the consortium by API: rosters to sign, keys to deal and witness, evidence."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks import tasks
from banks.models import Destruction
from banks.selectors import membership as selectors
from banks.selectors import privacy
from banks.services.rounds import agreement, ceremony, ledger
from banks.services.rounds.node import Node
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role
from consortium.parsing import whole_number

READERS = (Role.BANK_ADMIN, Role.MODEL_OWNER, Role.AUDITOR)


class MemberSerializer(serializers.Serializer[selectors.Member]):
    name = serializers.CharField()
    bank = serializers.UUIDField()
    signing = serializers.CharField(help_text="fingerprint of the signing key")
    sealing = serializers.CharField(help_text="fingerprint of the sealing key")


class TrustedRosterSerializer(serializers.Serializer[selectors.Agreement]):
    task = serializers.UUIDField()
    version = serializers.IntegerField()
    coordinator = serializers.CharField(help_text="fingerprint of the centre's key")
    members = MemberSerializer(many=True)


class MembershipSerializer(serializers.Serializer[Any]):
    fingerprints = serializers.DictField(child=serializers.CharField(), allow_null=True)
    waiting = serializers.ListField(
        child=serializers.DictField(), help_text="duties that only a person may do"
    )
    agreements = TrustedRosterSerializer(many=True)


class ComparedSerializer(serializers.Serializer[Any]):
    compared = serializers.BooleanField(help_text="the fingerprints were compared by voice")

    def validate_compared(self, value: bool) -> bool:
        if not value:
            raise serializers.ValidationError("Compare the fingerprints first.")
        return value


class SentMessageSerializer(serializers.Serializer[privacy.Sent]):
    id = serializers.IntegerField(source="row.pk")
    at = serializers.DateTimeField(source="row.at")
    purpose = serializers.CharField(source="row.purpose")
    protocol = serializers.CharField(help_text="of the round that it was for; empty: of none")
    path = serializers.CharField(source="row.path")
    size = serializers.IntegerField(source="row.size")
    sha256 = serializers.CharField(source="row.sha256")
    status = serializers.IntegerField(source="row.status")


class DestructionSerializer(serializers.ModelSerializer[Destruction]):
    class Meta:
        model = Destruction
        fields = ("at", "what", "subject", "pieces", "size")


class EvidenceSerializer(serializers.Serializer[Any]):
    task = serializers.UUIDField()
    ok = serializers.BooleanField()
    entries = serializers.IntegerField()
    receipts = serializers.IntegerField()
    cosigners = serializers.IntegerField()
    fault = serializers.CharField(allow_blank=True)


@extend_schema(operation_id="membership", responses=MembershipSerializer)
@bank_api(*READERS)
def membership(request: Any) -> Response:
    line = selectors.line(request.bank)
    found = {
        "fingerprints": selectors.own_fingerprints(request.bank),
        "waiting": line.for_people if line else [],
        "agreements": selectors.agreements(request.bank),
    }
    return Response(MembershipSerializer(found).data)


@extend_schema(operation_id="roster_sign", request=ComparedSerializer, responses={204: None})
@bank_api(Role.BANK_ADMIN, methods=["POST"])
def sign_roster(request: Any, task: uuid.UUID, version: int) -> Response:
    ComparedSerializer(data=request.data).is_valid(raise_exception=True)
    agreement.sign_proposed_roster(
        Node(request.bank), task=str(task), version=version, actor=request.actor
    )
    return Response(status=204)


@extend_schema(operation_id="key_ceremony", request=None, responses={202: None})
@bank_api(Role.BANK_ADMIN, methods=["POST"])
def hold_ceremony(request: Any, task: uuid.UUID) -> Response:
    """Begin the key ceremony on this bank's worker."""
    arguments = (str(request.bank.pk), str(task), request.user.pk)
    queue = f"{request.bank.slug}.train"
    transaction.on_commit(partial(tasks.hold_ceremony.apply_async, arguments, queue=queue))
    return Response(status=202)


@extend_schema(operation_id="key_witness", request=None, responses={204: None})
@bank_api(Role.BANK_ADMIN, methods=["POST"])
def witness(request: Any, epoch: uuid.UUID) -> Response:
    ceremony.witness(Node(request.bank), epoch_id=str(epoch), actor=request.actor)
    return Response(status=204)


@extend_schema(operation_id="sent_messages", responses=SentMessageSerializer(many=True))
@bank_api(*READERS)
def sent(request: Any) -> Response:
    """What left this bank, newest first; `?before=ID` for older ones."""
    before = whole_number(request.query_params, "before")
    page = privacy.ledger(request.bank, before=before)
    return Response([SentMessageSerializer(one).data for one in page.rows])


@extend_schema(operation_id="participation_verify", responses=EvidenceSerializer)
@bank_api(*READERS)
def verify(request: Any, task: uuid.UUID) -> Response:
    """Fetch the evidence and check every line of it with public keys only."""
    if str(task) not in {found.task for found in selectors.agreements(request.bank)}:
        raise Http404
    report = ledger.verify(Node(request.bank), str(task))
    found = {
        "task": task,
        "ok": report.ok,
        "entries": report.entries,
        "receipts": len(report.rounds),
        "cosigners": len(report.cosigners),
        "fault": report.fault.sentence if report.fault else "",
    }
    return Response(EvidenceSerializer(found).data)


@extend_schema(operation_id="destroyed", responses=DestructionSerializer(many=True))
@bank_api(*READERS)
def destroyed(request: Any) -> Response:
    """What this bank no longer has: the newest shares, mask keys and uploads destroyed."""
    rows = [one.row for one in privacy.destroyed(request.bank)]
    return Response(DestructionSerializer(rows, many=True).data)
