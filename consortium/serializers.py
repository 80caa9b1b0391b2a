"""Shapes that both worlds' APIs share: signs of life and programs."""

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
