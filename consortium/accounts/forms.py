"""What people type about themselves and each other, checked."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from .models import BANK_ROLES, CENTRE_ROLES, ApiToken, Bank, Membership, Role, User

LANGUAGES = (("en", "English"), ("ja", "日本語"))  # each in its own words
ZONES = (
    "Asia/Tokyo", "Asia/Seoul", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore",
    "Asia/Manila", "Asia/Jakarta", "Asia/Bangkok", "Asia/Kolkata", "Asia/Dubai",
    "Australia/Sydney", "Europe/London", "Europe/Paris", "Europe/Zurich", "Europe/Helsinki",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Sao_Paulo", "UTC",
)  # fmt: skip


def role_choices(bank: Bank | None) -> list[tuple[str, Any]]:
    return [(role.value, role.label) for role in (BANK_ROLES if bank else CENTRE_ROLES)]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    zone = forms.ChoiceField(label=_("Time zone"), choices=[(zone, zone) for zone in ZONES])
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("As the browser asks")), *LANGUAGES],
        required=False,
    )

    class Meta:
        model = User
        fields = ("name", "language", "zone", "shortcuts")
        labels = {"name": _("Name")}  # noqa: RUF012
        help_texts = {  # noqa: RUF012
            "shortcuts": _("j, k, 1, 2, 3 and others on the alert pages; ? lists them."),
        }


class PlaceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        where = obj.bank.display_name if obj.bank else _("Centre")
        return f"{where} · {obj.get_role_display()}"


class TokenForm(forms.Form):
    """A new API token: for one of the person's places, with only the scopes it needs."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What will use it, for example: nightly upload")
    )
    place = PlaceField(label=_("Place"), queryset=Membership.objects.none(), empty_label=None)
    scopes = forms.MultipleChoiceField(
        label=_("Allowed to"),
        choices=ApiToken.Scope,
        widget=forms.CheckboxSelectMultiple,
        initial=["read"],
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("1 year"))],
        initial=90,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Membership.objects.select_related("bank").filter(user=user)
        cast(PlaceField, self.fields["place"]).queryset = own


class InvitationForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail address"))
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, bank: Bank | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(label=_("Role"), choices=role_choices(bank))


class AcceptanceForm(forms.Form):
    """A newcomer names themselves and chooses a password."""

    name = forms.CharField(label=_("Name"), max_length=120)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    password = forms.CharField(
        label=_("Password"),
        help_text=_("At least 12 characters; a few words are easier to remember than signs."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )
    again = forms.CharField(
        label=_("Password again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("password")
        if password and password != cleaned.get("again"):
            self.add_error("again", _("The two passwords differ."))
        elif password:
            person = User(email=self.email, name=cleaned.get("name", ""))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role)
