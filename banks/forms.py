"""Forms of a bank's pages; services check again what matters."""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from banks.models import Alert, BankSettings, Label
from banks.services.settings import EDITABLE
from consortium.templatetags.figures import MINOR_DIGITS

UNKNOWN = "unknown"


class DateInput(forms.DateInput):
    input_type = "date"


class TransactionSearchForm(forms.Form):
    """What to look for; amounts in the currency's own units."""

    id = forms.CharField(label=_("transaction id"), max_length=80, required=False)
    account = forms.CharField(label=_("account"), max_length=80, required=False)
    counterparty = forms.CharField(label=_("counterparty"), max_length=80, required=False)
    amount_from = forms.DecimalField(label=_("amount from"), min_value=0, required=False)
    amount_to = forms.DecimalField(label=_("amount up to"), min_value=0, required=False)
    currency = forms.CharField(
        label=_("currency"), max_length=3, required=False, widget=forms.HiddenInput
    )
    since = forms.DateField(label=_("from day"), required=False, widget=DateInput)
    until = forms.DateField(label=_("to day"), required=False, widget=DateInput)
    label = forms.ChoiceField(
        label=_("label"),
        required=False,
        choices=[("", _("any")), (UNKNOWN, _("unknown")), *Label.choices],
    )

    @property
    def wanted(self) -> dict[str, Any]:
        """The cleaned conditions as the selector takes them."""
        given = self.cleaned_data
        digits = MINOR_DIGITS.get(given["currency"] or "JPY", 2)
        return {
            **given,
            "amount_from": minor_units(given["amount_from"], digits),
            "amount_to": minor_units(given["amount_to"], digits),
            "since": _midnight(given["since"]),
            "until": _midnight(given["until"] + timedelta(days=1)) if given["until"] else None,
        }


def minor_units(amount: Decimal | None, digits: int) -> int | None:
    """An amount in the currency's own units, as the smallest ones."""
    return None if amount is None else int(amount.scaleb(digits))


def _midnight(day: Any) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None


class LabelForm(forms.Form):
    """What a transaction turned out to be."""

    value = forms.TypedChoiceField(
        label=_("It was"),
        choices=[*((str(value), label) for value, label in Label.choices), ("", _("unknown"))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("How do you know?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class DecisionForm(forms.Form):
    """An alert's end: what it was, why, and a note."""

    disposition = forms.ChoiceField(
        label=_("This was"),
        choices=Alert.Disposition.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    reason_code = forms.CharField(label=_("Reason"), required=False)
    note = forms.CharField(
        label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class AlertIds(forms.Field):
    """The alerts that were ticked."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[uuid.UUID]:
        try:
            return [uuid.UUID(str(one)) for one in value or []]
        except ValueError as error:
            raise forms.ValidationError(_("These are no alerts.")) from error


class BulkForm(forms.Form):
    """One act on several alerts."""

    ACTS: ClassVar = [("decide", ""), ("claim", ""), ("release", ""), ("snooze", "")]
    WAITS: ClassVar = [
        ("1h", _("1 hour")),
        ("4h", _("4 hours")),
        ("tomorrow", _("tomorrow, 09:00")),
        ("3d", _("3 days")),
    ]

    alert = AlertIds(label=_("alerts"), required=False)
    act = forms.ChoiceField(label=_("what to do"), choices=ACTS)
    disposition = forms.CharField(label=_("This was"), required=False)
    reason_code = forms.CharField(label=_("Reason"), required=False)
    note = forms.CharField(label=_("Note"), required=False)
    wait = forms.ChoiceField(label=_("until"), choices=WAITS, required=False)
    reason = forms.CharField(label=_("What does it wait for?"), required=False)

    def facts(self, until: Callable[[str], datetime]) -> dict[str, Any]:
        """The arguments of the act that was chosen."""
        given = self.cleaned_data
        if given["act"] == "decide":
            return {name: given[name] for name in ("disposition", "reason_code", "note")}
        if given["act"] == "snooze":
            return {"until": until(given["wait"] or "tomorrow"), "reason": given["reason"]}
        return {}


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The bank's own settings."""

    class Meta:
        model = BankSettings
        fields: ClassVar = [name for name in EDITABLE if name != "reviews_a_day"]
        help_texts: ClassVar = {
            "label_delay_days": _("How long it takes until most frauds are known."),
            "minutes_a_review": _(
                "People × minutes ÷ this is what the team can review in a day: the queue's line"
                " is drawn there."
            ),
            "sla_hours": _("From when it was raised."),
            "facts_first": _(
                "The score and its reasons are folded away until the reader asks for them."
            ),
            "blind_share": _(
                "0 to 0.2; 0.04 is 4 of 100. Shows whether the score leads the reader."
            ),
            "sample_share": _(
                "0 to 0.1; 0.0005 is 5 of 10,000. Without it the recall of this bank's own"
                " decisions is unknown."
            ),
            "recoverable_share": _("0 to 1: what is usually saved when a fraud is stopped."),
            "review_cost": _("In the smallest unit of the currency (yen; cents), for one alert."),
            "training_cron": _("Five cron fields on the bank's clock: 30 2 * * * is 02:30."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone)
        self.fields["zone"] = forms.ChoiceField(
            label=_("time zone"), choices=[(zone, zone) for zone in ["UTC", *zones]]
        )


class UploadForm(forms.Form):
    """One file with transactions."""

    file = forms.FileField(
        label=_("CSV or Parquet file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.parquet,.txt"}),
    )


class MappingForm(forms.Form):
    """Which of a file's columns plays which role."""

    ROLES: ClassVar = {
        "id": _("transaction id"),
        "time": _("time"),
        "account": _("account"),
        "counterparty": _("counterparty"),
        "amount": _("amount"),
        "currency": _("currency"),
        "channel": _("channel"),
        "label": _("label (1 fraud, 0 genuine)"),
        "label_known_at": _("time at which the label became known"),
    }

    kind = forms.ChoiceField(
        label=_("What the file holds"),
        choices=[
            ("behaviour", _("raw transactions: features are built here")),
            ("ready", _("ready features: each further column is one")),
        ],
        widget=forms.RadioSelect,
    )
    zone = forms.CharField(label=_("time zone of times without one"), max_length=64)
    time_unit = forms.ChoiceField(
        label=_("how the time is written"),
        required=False,
        choices=[
            ("", _("date and time, like 2026-05-31T14:05:00")),
            ("s", _("seconds, from 1970 or from a start of its own")),
            ("ms", _("milliseconds")),
            ("us", _("microseconds")),
            ("h", _("hours")),
            ("d", _("days")),
        ],
    )
    amount_digits = forms.IntegerField(
        label=_("decimals of the amount (0 for yen, 2 for cents)"), min_value=0, max_value=4
    )
    extra = forms.MultipleChoiceField(label=_("further numeric columns"), required=False)
    save_as = forms.CharField(
        label=_("Save this mapping as"),
        max_length=80,
        required=False,
        help_text=_("For the next file of the same source; may stay empty."),
    )

    def __init__(self, *args: Any, columns: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "–"), *((name, name) for name in columns)]
        for role, label in self.ROLES.items():
            self.fields[f"role_{role}"] = forms.ChoiceField(
                label=label, choices=choices, required=False
            )
        self.fields["extra"].choices = [(name, name) for name in columns]  # type: ignore[attr-defined]

    @property
    def roles(self) -> list[forms.BoundField]:
        """The fields that choose a column."""
        return [self[f"role_{role}"] for role in self.ROLES]

    @property
    def mapping(self) -> dict[str, Any]:
        """The mapping's JSON."""
        given = self.cleaned_data
        columns = {role: given[f"role_{role}"] for role in self.ROLES if given[f"role_{role}"]}
        unit = {"time_unit": given["time_unit"]} if given["time_unit"] else {}
        return {
            "columns": columns,
            "zone": given["zone"],
            "extra": given["extra"],
            "kind": given["kind"],
            "amount_digits": given["amount_digits"],
            **unit,
        }

    @classmethod
    def initial_for(cls, mapping: dict[str, Any]) -> dict[str, Any]:
        """A mapping's JSON as the form's first values."""
        return {
            **{f"role_{role}": name for role, name in mapping.get("columns", {}).items()},
            "zone": mapping.get("zone", "Asia/Tokyo"),
            "extra": mapping.get("extra", []),
            "kind": mapping.get("kind", "behaviour"),
            "time_unit": mapping.get("time_unit", ""),
            "amount_digits": mapping.get("amount_digits", 0),
        }
