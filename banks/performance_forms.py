"""Forms of the performance pages: trying a threshold out, proposing it, answering a proposal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from banks.models import ThresholdChange

Aim = ThresholdChange.Aim


def _percent(label: Any, *, least: float) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"})
    return forms.FloatField(
        label=label, min_value=least, max_value=100, required=False, widget=widget
    )


class StudioForm(forms.Form):
    """What somebody tries out; shares in per cent."""

    prevalence = _percent(_("Of all payments, fraud are (%)"), least=0.0001)
    precision = _percent(_("Precision of at least (%)"), least=0.1)
    recall = _percent(_("Recall of at least (%)"), least=0.1)
    reviews = forms.FloatField(
        label=_("Reviews a day, at most"),
        min_value=0,
        max_value=1_000_000,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
    )
    aim = forms.ChoiceField(choices=Aim.choices, required=False)

    @property
    def wanted(self) -> dict[str, Any]:
        """As the studio takes it; what could not be read is as if not given."""
        given = getattr(self, "cleaned_data", {})
        shares = {name: given.get(name) for name in (Aim.PRECISION, Aim.RECALL)}
        targets = {str(name): share / 100 for name, share in shares.items() if share is not None}
        if given.get("reviews") is not None:
            targets[str(Aim.REVIEWS)] = given["reviews"]
        prevalence = given.get("prevalence")
        return {
            "prevalence": None if prevalence is None else min(prevalence / 100, 0.999),
            "aim": given.get("aim") or "",
            "targets": targets,
        }


class ProposalForm(forms.Form):
    """A threshold for the second person to look at."""

    value = forms.FloatField(label=_("threshold"), min_value=0, max_value=1)
    aim = forms.ChoiceField(choices=Aim.choices, required=False)
    target = forms.FloatField(required=False)
    reason = forms.CharField(
        label=_("Why?"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    effective_from = forms.DateTimeField(
        label=_("Takes effect"),
        required=False,
        help_text=_("Leave it empty to let it take effect as soon as it is approved."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
