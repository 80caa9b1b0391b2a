"""Shapes that both worlds' APIs share: signs of life, programs, steps of a guided path."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class PulseSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    at = serializers.DateTimeField()
    silent = serializers.BooleanField()
    version = serializers.CharField()


class WorkQueueSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    length = serializers.IntegerField(help_text="messages that wait")
    workers = PulseSerializer(many=True)


class ProgramSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField()


class StepSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    code = serializers.CharField(source="found.code")
    title = serializers.CharField(source="found.title")
    state = serializers.ChoiceField(choices=["done", "now", "waiting", "next"])
    at = serializers.DateTimeField(source="found.at", allow_null=True)
    by = serializers.CharField(source="found.by", allow_blank=True)
    awaits = serializers.ListField(source="found.awaits", child=serializers.CharField())
