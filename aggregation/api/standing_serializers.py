"""How far things are, for people's programs: the selectors of the pages in JSON."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aggregation.api.serializers import ModelVersionSerializer
from aggregation.models import LogEntry, Task, Vote
from aggregation.selectors import watching
from aggregation.selectors.progress import RunProgress
from consortium.accounts.models import Bank


class BankNameSerializer(serializers.ModelSerializer[Bank]):
    class Meta:
        model = Bank
        fields: ClassVar = ["id", "slug", "name"]


class NewTaskSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    name_ja = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    purpose = serializers.CharField(max_length=60, required=False, default="fraud-detection")
    protocol = serializers.ChoiceField(
        choices=Task.Protocol.choices,
        default=Task.Protocol.PAILLIER_THRESHOLD,
        help_text="how the task's sums are closed",
    )
    definition = serializers.JSONField(help_text="as `manage.py standard_task` prints it")
    most_rounds = serializers.IntegerField(
        min_value=1,
        max_value=5000,
        default=None,
        allow_null=True,
        help_text="most sums before a candidate; null: as many as the definition expects",
    )
    most_values = serializers.IntegerField(
        min_value=1, max_value=10_000_000, default=2_000_000, help_text="most values in one sum"
    )
    round_seconds = serializers.IntegerField(min_value=10, max_value=7 * 24 * 3600, default=3600)
    vote_seconds = serializers.IntegerField(
        min_value=10, max_value=30 * 24 * 3600, default=24 * 3600
    )


class DefinedTaskSerializer(serializers.ModelSerializer[Task]):
    """A task with the definition that goes into every manifest."""

    class Meta:
        model = Task
        fields: ClassVar = [
            "id", "name", "name_ja", "purpose", "protocol", "model", "recipe", "first_step",
            "metric_values", "most_rounds", "most_values", "round_seconds", "vote_seconds", "cron",
            "zone", "enabled", "next_run_at", "created_at",
        ]  # fmt: skip


class RosterStandingSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(source="row.version")
    members = BankNameSerializer(many=True)
    signed = BankNameSerializer(many=True)
    unsigned = BankNameSerializer(many=True, help_text="who may still sign")
    signatures_needed = serializers.IntegerField(source="row.signatures_needed")


class KeyStandingSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="row.pk")
    state = serializers.CharField(source="row.state")
    key_id = serializers.CharField(source="row.key_id")
    key_bits = serializers.IntegerField(source="row.key_bits")
    dealer = BankNameSerializer(source="row.dealer")
    witnesses = BankNameSerializer(many=True)
    unsigned = BankNameSerializer(many=True, help_text="who may still witness")


class AgreementSerializer(serializers.Serializer[Any]):
    """A task and how far its members are with it."""

    task = DefinedTaskSerializer()
    active = RosterStandingSerializer(allow_null=True)
    proposed = RosterStandingSerializer(allow_null=True)
    key = KeyStandingSerializer(allow_null=True)
    ready = serializers.BooleanField(help_text="whether a run can start now")


class AwaitedSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    banks = BankNameSerializer(many=True)
    needed = serializers.IntegerField(help_text="how many of them are enough")
    until = serializers.DateTimeField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)


class PhaseSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    seconds = serializers.FloatField()


class RoundStandingSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="row.pk")
    number = serializers.IntegerField(source="row.number")
    attempt = serializers.IntegerField(source="row.attempt")
    step = serializers.CharField(source="row.step")
    state = serializers.CharField(source="row.state")
    why = serializers.CharField(help_text="why it was abandoned or disputed")
    listed = BankNameSerializer(many=True, help_text="the freeze list")
    signers = BankNameSerializer(many=True)
    log_indices = serializers.SerializerMethodField()
    bytes_each = serializers.IntegerField(allow_null=True, help_text="the same for every bank")
    phases = PhaseSerializer(many=True)
    awaited = AwaitedSerializer(allow_null=True)

    def get_log_indices(self, progress: Any) -> list[int]:
        return [one.log_index for one in progress.came]


class VoteSerializer(serializers.ModelSerializer[Vote]):
    bank = BankNameSerializer()

    class Meta:
        model = Vote
        fields: ClassVar = ["bank", "accept", "reason"]


class ParticipantSerializer(serializers.Serializer[Any]):
    bank = BankNameSerializer()
    code = serializers.CharField(help_text="awaited, late, done, silent, inside or outside")


class RemainingSerializer(serializers.Serializer[Any]):
    seconds = serializers.FloatField()
    rounds = serializers.IntegerField(help_text="how many opened rounds it is reckoned from")
    earlier_run = serializers.BooleanField()


class RunStandingSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="row.pk")
    state = serializers.CharField(source="row.state")
    why = serializers.CharField(help_text="why it failed")
    awaited = AwaitedSerializer(allow_null=True)
    rounds = RoundStandingSerializer(many=True)
    version = ModelVersionSerializer(allow_null=True)
    votes = VoteSerializer(many=True)
    participants = serializers.SerializerMethodField()
    remaining = serializers.SerializerMethodField(help_text="null where it is not known")

    @extend_schema_field(ParticipantSerializer(many=True))
    def get_participants(self, run: RunProgress) -> Any:
        live = run.live
        found = watching.participants(live, run.members) if live else []
        return ParticipantSerializer(found, many=True).data

    @extend_schema_field(RemainingSerializer(allow_null=True))
    def get_remaining(self, run: RunProgress) -> Any:
        found = watching.remaining(run)
        return RemainingSerializer(found).data if found else None


class MeasuredSerializer(serializers.Serializer[Any]):
    """What the sum of score histograms over the banks says about a model version."""

    version = ModelVersionSerializer()
    task_name = serializers.CharField(source="task.name")
    window = serializers.CharField()
    banks = serializers.IntegerField(source="row.banks", help_text="how many are in the sum")
    published_at = serializers.DateTimeField(source="row.published_at")
    signers = BankNameSerializer(many=True)
    n = serializers.IntegerField(source="curve.total")
    frauds = serializers.IntegerField(source="curve.frauds")
    average_precision = serializers.FloatField(source="curve.average_precision", allow_null=True)


class LogEntrySerializer(serializers.ModelSerializer[LogEntry]):
    class Meta:
        model = LogEntry
        fields: ClassVar = ["index", "hash", "event", "body", "created_at"]


class LogPageSerializer(serializers.Serializer[Any]):
    entries = LogEntrySerializer(many=True)
    before = serializers.IntegerField(allow_null=True, help_text="for the next page; null: none")


class LogReportSerializer(serializers.Serializer[Any]):
    holds = serializers.BooleanField()
    entries = serializers.IntegerField()
    heads = serializers.IntegerField()
    cosignatures = serializers.IntegerField()
    fault = serializers.CharField()
    index = serializers.IntegerField(allow_null=True, help_text="the first entry that is wrong")
