"""`{{ round.step|step_name }}`, `{{ model.family|family_name }}`."""

from __future__ import annotations

from django import template

from consortium.accounts.verbs import verb_name
from consortium.naming import family_name, protocol_name, purpose_name, step_name

register = template.Library()
register.filter("step_name", step_name)
register.filter("family_name", family_name)
register.filter("protocol_name", protocol_name)
register.filter("purpose_name", purpose_name)
register.filter("verb_name", verb_name)
