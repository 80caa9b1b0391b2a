"""The components pages are built of; each one's parameters stand at the top of its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from consortium.drawing import bars_of, line_through, rows_of, share, tint
from consortium.intervals import wilson

register = template.Library()


def _component(name: str, context: Context, **parameters: Any) -> str:
    return render_to_string(f"components/{name}.html", parameters, request=context.get("request"))


@register.simple_block_tag(takes_context=True)
def page_header(
    context: Context, content: SafeString, title: str, lead: str = "", back: str = ""
) -> str:
    return _component("page_header", context, actions=content, title=title, lead=lead, back=back)


@register.simple_block_tag(takes_context=True)
def empty_state(
    context: Context, content: SafeString, title: str, text: str = "", icon: str = "inbox"
) -> str:
    return _component("empty_state", context, action=content, title=title, text=text, icon=icon)


@register.simple_block_tag(takes_context=True)
def error_state(context: Context, content: SafeString, title: str, text: str = "") -> str:
    return _component("error_state", context, action=content, title=title, text=text)


@register.simple_block_tag(takes_context=True)
def card(context: Context, content: SafeString, title: str = "", note: str = "") -> str:
    return _component("card", context, body=content, title=title, note=note)


@register.simple_block_tag(takes_context=True)
def data_table(context: Context, content: SafeString, caption: str, *, hidden: bool = False) -> str:
    return _component("table", context, body=content, caption=caption, hidden=hidden)


@register.simple_block_tag(takes_context=True)
def confirm(
    context: Context,
    content: SafeString,
    url: str,
    label: str,
    sentence: str,
    button: str,
    style: str = "danger",
) -> str:
    return _component(
        "confirm",
        context,
        fields=content,
        url=url,
        label=label,
        sentence=sentence,
        button=button,
        style=style,
        csrf_token=context.get("csrf_token"),
    )


@register.simple_block_tag(takes_context=True)
def path_step(context: Context, content: SafeString, step: Any) -> str:
    return _component("path_step", context, body=content, step=step)


@register.inclusion_tag("components/figure.html")
def figure(**parameters: Any) -> dict[str, Any]:
    return parameters


@register.inclusion_tag("components/pagination.html")
def pagination(**parameters: Any) -> dict[str, Any]:
    return parameters


@register.inclusion_tag("components/copy_box.html")
def copy_box(**parameters: Any) -> dict[str, Any]:
    return parameters


@register.inclusion_tag("components/progress.html")
def progress(**parameters: Any) -> dict[str, Any]:
    return parameters


@register.inclusion_tag("components/confusion_matrix.html")
def confusion_matrix(
    tp: int,
    fp: int,
    fn: int,
    tn: int,
    links: Mapping[str, str] | None = None,
    caption: str = "",
    amounts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Tints follow the share within the true class, so a rare class is visible too."""
    rows = {"tp": tp + fn, "fn": tp + fn, "fp": fp + tn, "tn": fp + tn}
    columns = {"tp": tp + fp, "fp": tp + fp, "fn": fn + tn, "tn": fn + tn}
    counts = {"tp": tp, "fn": fn, "fp": fp, "tn": tn}
    return {
        "cells": {
            name: {
                "name": name,
                "count": count,
                "tint": tint(count, rows[name]),
                "link": (links or {}).get(name, ""),
                "amount": (amounts or {}).get(name, ""),
                "row": share(count, rows[name]),
                "row_interval": wilson(count, rows[name]),
                "column": share(count, columns[name]),
                "column_interval": wilson(count, columns[name]),
            }
            for name, count in counts.items()
        },
        "fraud": tp + fn,
        "genuine": fp + tn,
        "flagged": tp + fp,
        "passed": fn + tn,
        "total": tp + fn + fp + tn,
        "caption": caption,
    }


@register.inclusion_tag("components/sparkline.html")
def sparkline(
    values: Sequence[float | None], label: str, mark: int | None = None
) -> dict[str, Any]:
    return {"line": line_through(values, mark=mark), "label": label}


@register.inclusion_tag("components/histogram.html")
def histogram(counts: Sequence[int], label: str, marked_from: int | None = None) -> dict[str, Any]:
    return {"bars": bars_of(counts, marked_from=marked_from), "label": label}


@register.inclusion_tag("components/chart.html")
def chart(id: str, data: Mapping[str, Any], label: str, size: str = "") -> dict[str, Any]:
    return {
        "id": id,
        "data": data,
        "data_id": f"{id}-data",
        "label": label,
        "size": size,
        "rows": list(rows_of(data)),
    }


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, *, hide_label: bool = False) -> dict[str, Any]:
    """A form's field with label, help and its own errors, described by them for screen readers."""
    widget = bound.field.widget
    group = isinstance(widget, CheckboxSelectMultiple | RadioSelect)
    single_tick = isinstance(widget, CheckboxInput)
    if group or single_tick:
        look = "form-check-input"
    else:
        look = "form-select" if isinstance(widget, Select) else "form-control"
    widget.attrs["class"] = f"{look} is-invalid" if bound.errors else look
    return {"bound": bound, "group": group, "single_tick": single_tick, "hide_label": hide_label}


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    return {"form": form}
