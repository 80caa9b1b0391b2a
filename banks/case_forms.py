"""Forms of cases and freeze requests; services check again what matters."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from banks.forms import AlertIds, minor_units
from banks.models import Case, ContactAttempt, FreezeRequest, ReasonCode
from banks.services.cases import TYPOLOGIES
from consortium.accounts.models import User
from consortium.templatetags.figures import MINOR_DIGITS

LONGEST = 12_000  # longer texts are refused with their length, and stay in the field


def typology_choices() -> list[tuple[str, Any]]:
    """The alert desk's reasons for fraud, and not knowing yet."""
    return [("", _("not known yet")), *((code, ReasonCode(code).label) for code in TYPOLOGIES)]


def text_area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class TimeInput(forms.DateTimeInput):
    """A moment on the reader's clock."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class OpenCaseForm(forms.Form):
    """A case from alerts, from an account, or both."""

    alert = AlertIds(label=_("alerts"), required=False)
    account = forms.CharField(
        label=_("account"),
        max_length=80,
        required=False,
        help_text=_("Of the first alert, where this stays empty."),
    )
    typology = forms.ChoiceField(label=_("typology"), choices=typology_choices, required=False)


class AlertsForm(forms.Form):
    alert = AlertIds(label=_("alerts"), required=False)


class TypologyForm(forms.Form):
    typology = forms.ChoiceField(label=_("typology"), choices=typology_choices, required=False)


class DueForm(forms.Form):
    due_at = forms.DateTimeField(label=_("due"), widget=TimeInput)


class OwnerForm(forms.Form):
    """To whom a case is given."""

    owner = forms.TypedChoiceField(label=_("owner"), coerce=int)

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].choices = [(one.pk, str(one)) for one in people]  # type: ignore[attr-defined]


class NoteForm(forms.Form):
    text = forms.CharField(label=_("Note"), required=False, widget=text_area(3))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Why?"), required=False, widget=text_area(2))


class DecisionNoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), required=False, widget=text_area(2))


class StepForm(forms.Form):
    """The answer to one step of the checklist."""

    code = forms.CharField(label=_("step"), widget=forms.HiddenInput)
    answer = forms.CharField(label=_("answer"), required=False)
    note = forms.CharField(label=_("Note"), required=False)


class ContactForm(forms.Form):
    """Somebody tried to reach the customer."""

    channel = forms.ChoiceField(label=_("channel"), choices=ContactAttempt.Channel.choices)
    outcome = forms.ChoiceField(label=_("what came of it"), choices=ContactAttempt.Outcome.choices)
    at = forms.DateTimeField(
        label=_("time"), required=False, widget=TimeInput, help_text=_("Empty: just now.")
    )
    called = forms.CharField(label=_("number or address used"), max_length=80, required=False)
    note = forms.CharField(label=_("Note"), required=False, widget=text_area(2))


class SubmitForm(forms.Form):
    """How a case ends, for the second person."""

    outcome = forms.ChoiceField(
        label=_("outcome"), choices=Case.Outcome.choices, widget=forms.RadioSelect, required=False
    )
    amount_saved = forms.DecimalField(
        label=_("amount saved"),
        min_value=0,
        max_digits=16,
        required=False,
        help_text=_("What was kept from being lost; empty where it is not known."),
    )
    summary = forms.CharField(label=_("What was found"), required=False, widget=text_area(4))

    def facts(self, currency: str) -> dict[str, Any]:
        given = self.cleaned_data
        saved = minor_units(given["amount_saved"], MINOR_DIGITS.get(currency, 2))
        return {
            "outcome": given["outcome"],
            "summary": given["summary"],
            "amount_saved": saved,
        }


class FreezeForm(forms.Form):
    """A request to stop an account; it may be kept as a draft while something is missing."""

    account = forms.CharField(label=_("account"), max_length=80, required=False)
    requester = forms.ChoiceField(
        label=_("who asks for it"), choices=FreezeRequest.Requester.choices
    )
    reference = forms.CharField(
        label=_("reference number"),
        max_length=80,
        required=False,
        help_text=_("Of the police, lawyer, centre or bank that asks; needed for these."),
    )
    received_at = forms.DateTimeField(label=_("received"), required=False, widget=TimeInput)
    reason = forms.CharField(label=_("reason"), required=False, widget=text_area(4))

    FIELDS: ClassVar = ("account", "requester", "reference", "received_at", "reason")


class CarryOutForm(forms.Form):
    """The account was stopped in the core system."""

    carried_out_at = forms.DateTimeField(label=_("carried out"), required=False, widget=TimeInput)
    balance = forms.DecimalField(label=_("balance then"), max_digits=16, required=False)
    reply = forms.CharField(
        label=_("reply given"),
        required=False,
        widget=text_area(2),
        help_text=_("What was answered to whoever asked."),
    )

    def facts(self, currency: str) -> dict[str, Any]:
        given = self.cleaned_data
        return {**given, "balance": minor_units(given["balance"], MINOR_DIGITS.get(currency, 2))}
