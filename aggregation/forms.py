"""Forms of the centre's pages; the services check again what matters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aggregation.models import Task
from aggregation.selectors import members
from aggregation.services.schedules import next_run
from aggregation.services.tasks import LARGEST_TEXT, read_definition
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused

MOST_ROUNDS = 5000


class InviteForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    name_ja = forms.CharField(label=_("Name in Japanese"), max_length=120, required=False)
    slug = forms.SlugField(
        label=_("Short name in addresses"),
        max_length=40,
        required=False,
        help_text=_("Latin letters, digits and hyphens. Left empty, it follows from the name."),
    )


class ReasonForm(forms.Form):
    """Why somebody suspends, removes, gives up."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class ScheduleForm(forms.Form):
    """Every field by itself first, then cron and zone together: they must name a next run."""

    cron = forms.CharField(
        label=_("Schedule (cron)"),
        max_length=60,
        help_text=_("Five fields: minute hour day month weekday. 0 3 * * * is every day at 3:00."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("As in Asia/Tokyo or UTC."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    enabled = forms.BooleanField(label=_("Start runs by this schedule"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if {"cron", "zone"} <= set(cleaned):
            try:
                next_run(cron=cleaned["cron"], zone=cleaned["zone"], after=timezone.now())
            except Refused as refused:
                self.add_error(refused.field, translated(refused))
        return cleaned


class TaskForm(forms.Form):
    """A new task; its definition comes from a bank's model owner, as text or as a file."""

    name = forms.CharField(label=_("Name"), max_length=120)
    name_ja = forms.CharField(label=_("Name in Japanese"), max_length=120, required=False)
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=60,
        initial="fraud-detection",
        help_text=_("What the members agree their data may be used for. Nodes refuse any other."),
    )
    protocol = forms.ChoiceField(
        label=_("How sums are closed"),
        choices=Task.Protocol.choices,
        initial=Task.Protocol.PAILLIER_THRESHOLD,
        required=False,
        help_text=_(
            "Threshold Paillier for updates; masked sums for long vectors. The shared key is for "
            "the laboratory: any one bank could open every update."
        ),
    )
    most_rounds = forms.IntegerField(
        label=_("Most sums in a run"),
        required=False,
        help_text=_("Left empty, as many as the definition expects."),
        validators=[MinValueValidator(1), MaxValueValidator(MOST_ROUNDS)],
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1, "max": MOST_ROUNDS}),
    )
    round_seconds = forms.IntegerField(
        label=_("Seconds to contribute to a round"),
        initial=3600,
        validators=[MinValueValidator(10), MaxValueValidator(7 * 24 * 3600)],
        widget=forms.NumberInput(attrs={"min": 10, "max": 7 * 24 * 3600}),
    )
    vote_seconds = forms.IntegerField(
        label=_("Seconds to vote on a candidate"),
        initial=24 * 3600,
        validators=[MinValueValidator(10), MaxValueValidator(30 * 24 * 3600)],
        widget=forms.NumberInput(attrs={"min": 10, "max": 30 * 24 * 3600}),
    )
    definition = forms.CharField(
        label=_("Definition (JSON)"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text=_("Paste what the model owner sent, or choose the file below."),
    )
    file = forms.FileField(label=_("or as a file"), required=False, allow_empty_file=True)

    def clean(self) -> dict[str, Any]:
        """One of the two must be there; what it holds is read strictly."""
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["protocol"] = cleaned.get("protocol") or Task.Protocol.PAILLIER_THRESHOLD
        upload = cleaned.pop("file", None)
        pasted = cleaned.get("definition", "")
        if bool(upload) == bool(pasted.strip()):
            self.add_error("definition", _("Paste the definition or choose its file: one of them."))
            return cleaned
        try:
            text = upload.read(LARGEST_TEXT + 1) if upload else pasted
            cleaned["definition"] = read_definition(text)
        except Refused as refused:
            self.add_error("file" if upload else "definition", translated(refused))
        return cleaned


class BankChoice(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.display_name)


class RosterForm(forms.Form):
    banks = BankChoice(
        queryset=Bank.objects.none(),
        to_field_name="slug",
        label=_("Members from the next roster on"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["banks"].queryset = members.able()  # type: ignore[attr-defined]


class RunForm(forms.Form):
    window = forms.CharField(
        label=_("Data window"),
        max_length=100,
        required=False,
        help_text=_(
            "Names the data that the first sum is about; left empty, it is until today. Over one "
            "window it is opened with one set of banks only."
        ),
    )


class ExtendForm(forms.Form):
    minutes = forms.IntegerField(
        label=_("Minutes more"), min_value=1, max_value=7 * 24 * 60, initial=30
    )
    reason = forms.CharField(label=_("Reason"), max_length=300)
