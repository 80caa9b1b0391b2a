"""What a person says about themselves: name, language, time zone."""

from __future__ import annotations

from django.conf import settings

from consortium.accounts.models import User

LANGUAGES = dict(settings.LANGUAGES)


def set_language(*, user: User, language: str) -> None:
    User.objects.filter(pk=user.pk).update(language=language)


def update_profile(
    *, user: User, name: str, language: str, zone: str, shortcuts: bool = True
) -> None:
    User.objects.filter(pk=user.pk).update(
        name=name, language=language, zone=zone, shortcuts=shortcuts
    )
