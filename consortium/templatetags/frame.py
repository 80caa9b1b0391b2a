"""What the frame of every page is made of: the rail, icons, addresses inside a place."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consortium.accounts import places

register = template.Library()


@register.inclusion_tag("components/rail.html", takes_context=True)
def rail(context: Context) -> dict[str, Any]:
    membership = context.get("membership")
    path = context["request"].path
    entries = list(places.rail(membership)) if membership else []
    here = max(
        (entry.url for entry in entries if path.startswith(entry.url)), key=len, default=None
    )
    return {"entries": entries, "here": here}


@register.simple_tag(takes_context=True)
def place_url(context: Context, page: str, *args: object) -> str:
    """`{% place_url "people" %}`: the page of that name in the place the reader is in."""
    return places.place_url(context["membership"], page, *args)


@register.simple_tag
def search_of(membership: Any) -> str:
    return places.search_of(membership)


@register.simple_tag
def home_of(membership: Any) -> str:
    return places.home_of(membership)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """`{% icon "bell" %}`: a decorative icon; with a label it speaks for itself."""
    about = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return format_html(
        '<svg class="icon" {}><use href="{}#{}"></use></svg>',
        SafeString(about),
        static("img/icons.svg"),
        name,
    )
