"""Where an invited bank comes in: it makes its keys and its first administrator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from banks.coordinator import Unreachable
from banks.services.rounds import joining
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused


class JoinForm(forms.Form):
    invitation = forms.CharField(
        label=_("Invitation"),
        max_length=200,
        help_text=_("The whole one-time text that the operator sent."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    admin_name = forms.CharField(label=_("Your name"), max_length=120)
    admin_email = forms.EmailField(label=_("E-mail address"))
    admin_password = forms.CharField(
        label=_("Password"),
        help_text=_("At least 12 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_admin_password(self) -> str:
        password: str = self.cleaned_data["admin_password"]
        validate_password(password)
        return password

    def clean(self) -> dict[str, Any]:
        """The bank's short name: this node's own, or in the demo the invited bank's."""
        cleaned: dict[str, Any] = super().clean() or {}
        bank_id = cleaned.get("invitation", "").partition(".")[0]
        slug = settings.BANK_SLUG or _invited_slug(bank_id)
        if not slug:
            raise forms.ValidationError(
                {"invitation": _("This is not an invitation. Copy the whole link.")}
            )
        return {**cleaned, "slug": slug, "language": get_language() or ""}


def _invited_slug(bank_id: str) -> str:
    try:
        return Bank.objects.filter(pk=bank_id).values_list("slug", flat=True).first() or ""
    except (ValueError, forms.ValidationError):
        return ""


def join(request: Any, invitation: str = "") -> HttpResponse:
    form = JoinForm(request.POST or None, initial={"invitation": invitation})
    if request.method == "POST" and form.is_valid():
        try:
            bank = joining.accept(**form.cleaned_data)
        except Refused as refused:
            field = refused.field if refused.field in form.fields else None
            form.add_error(field, translated(refused))
        except Unreachable:
            form.add_error(None, _("The coordinator does not answer. Try again in a minute."))
        else:
            messages.success(request, _("Welcome. Sign in with what you just chose."))
            return redirect(f"/accounts/login/?next=/bank/{bank.slug}/joining/")
    return render(request, "banks/join.html", {"form": form}, status=422 if form.errors else 200)
