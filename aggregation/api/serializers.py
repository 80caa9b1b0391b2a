"""Shapes of the operator's API. Nothing here counts one bank's transactions."""

from __future__ import annotations

from rest_framework import serializers

from aggregation.models import ModelVersion, PublishedSum, RosterVersion, Round, Task, TrainingRun
from consortium.accounts.models import Bank
from consortium.protocol.envelope import fingerprint


class BankSerializer(serializers.ModelSerializer[Bank]):
    signing_fingerprint = serializers.SerializerMethodField()
    sealing_fingerprint = serializers.SerializerMethodField()

    class Meta:
        model = Bank
        fields = (
            "id",
            "slug",
            "name",
            "name_ja",
            "status",
            "signing_fingerprint",
            "sealing_fingerprint",
        )

    def get_signing_fingerprint(self, bank: Bank) -> str:
        return _fingerprint(bytes(bank.signing_key))

    def get_sealing_fingerprint(self, bank: Bank) -> str:
        return _fingerprint(bytes(bank.sealing_key))


class RosterSerializer(serializers.ModelSerializer[RosterVersion]):
    banks = serializers.SerializerMethodField()
    signed = serializers.SerializerMethodField()

    class Meta:
        model = RosterVersion
        fields = ("version", "state", "hash", "signatures_needed", "banks", "signed")

    def get_banks(self, roster: RosterVersion) -> list[str]:
        return [member["bank"] for member in roster.body["members"]]

    def get_signed(self, roster: RosterVersion) -> list[str]:
        return [str(signature.bank_id) for signature in roster.signatures.all()]


class TaskSerializer(serializers.ModelSerializer[Task]):
    rosters = RosterSerializer(many=True, read_only=True)

    class Meta:
        model = Task
        fields = (
            "id",
            "name",
            "name_ja",
            "purpose",
            "protocol",
            "most_rounds",
            "round_seconds",
            "cron",
            "zone",
            "enabled",
            "next_run_at",
            "rosters",
        )


class RoundSerializer(serializers.ModelSerializer[Round]):
    class Meta:
        model = Round
        fields = (
            "id",
            "number",
            "attempt",
            "step",
            "state",
            "phase",
            "deadline",
            "manifest_hash",
            "result",
            "reason",
            "opened_at",
            "finished_at",
        )


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = ("id", "number", "sha256", "state", "vote_until", "published_at")


class RunSerializer(serializers.ModelSerializer[TrainingRun]):
    rounds = RoundSerializer(many=True, read_only=True)
    version = ModelVersionSerializer(read_only=True, default=None)

    class Meta:
        model = TrainingRun
        fields = (
            "id",
            "task",
            "number",
            "state",
            "trigger",
            "window",
            "reason",
            "started_at",
            "finished_at",
            "version",
            "rounds",
        )


class PublishedSumSerializer(serializers.ModelSerializer[PublishedSum]):
    version = ModelVersionSerializer(source="round.run.version", read_only=True)

    class Meta:
        model = PublishedSum
        fields = ("round", "version", "values", "banks", "published_at")


class InviteSerializer(serializers.Serializer[object]):
    name = serializers.CharField(max_length=120)
    name_ja = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    slug = serializers.SlugField(max_length=40, required=False, default="", allow_blank=True)


class ReasonSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(max_length=500)


class ScheduleSerializer(serializers.Serializer[object]):
    cron = serializers.CharField(max_length=60)
    zone = serializers.CharField(max_length=64)
    enabled = serializers.BooleanField()


class ProposalSerializer(serializers.Serializer[object]):
    banks = serializers.SlugRelatedField(
        slug_field="slug", queryset=Bank.objects.all(), many=True, allow_empty=False
    )


class StartSerializer(serializers.Serializer[object]):
    window = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)


def _fingerprint(key: bytes) -> str:
    return fingerprint(key.hex()) if key else ""
