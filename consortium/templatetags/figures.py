"""Numbers and times as the reader's language writes them. What is missing is said, never 0."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext

register = template.Library()

# ISO 4217 minor digits of the currencies that differ from 2.
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "JOD": 3}
SIGNS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
MISSING = "–"


def _japanese() -> bool:
    return (get_language() or "").startswith("ja")


@register.filter
def money(minor_units: int | None, currency: str = "JPY") -> str:
    """`{{ transaction.amount|money:transaction.currency }}`: ¥1,234 or 1,234円, $12.34."""
    if minor_units is None:
        return MISSING
    digits = MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(abs(minor_units), 10**digits)
    text = number_format(whole, use_l10n=True, force_grouping=True)
    if digits:
        text += f".{rest:0{digits}d}"
    minus = "−" if minor_units < 0 else ""
    if currency == "JPY" and _japanese():
        return f"{minus}{text}円"
    sign = SIGNS.get(currency)
    return f"{minus}{sign}{text}" if sign else f"{minus}{text}\u00a0{currency}"


@register.filter
def count(value: int | None) -> str:
    """A whole number with its groups: 1,470,000."""
    return MISSING if value is None else number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def signed(value: int | None) -> str:
    """A difference of counts: +12, −3, 0."""
    if value is None:
        return MISSING
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + count(abs(value))


@register.filter
def decimal(value: float | None, digits: int = 1) -> str:
    """`{{ alerts_a_day|decimal }}`: 1,234.5."""
    return MISSING if value is None else f"{value:,.{digits}f}"


@register.filter
def percent(share: float | None, digits: int = 1) -> str:
    """`{{ precision|percent }}`: 0.6936 is 69.4%."""
    return MISSING if share is None else f"{share * 100:.{digits}f}%"


@register.filter
def signed_percent(share: float | None, digits: int = 0) -> str:
    """A difference as a share: +12%, −3%."""
    if share is None:
        return MISSING
    sign = "+" if share > 0 else "−" if share < 0 else ""
    return f"{sign}{percent(abs(share), digits)}"


@register.simple_tag
def percent_interval(low: float | str | None, high: float | str | None, digits: int = 1) -> str:
    """`{% percent_interval low high %}`: 60.1–77.3%."""
    if not isinstance(low, float | int) or not isinstance(high, float | int):
        return ""  # a template has "" for what is not there
    return f"{low * 100:.{digits}f}–{high * 100:.{digits}f}%"


@register.filter
def day(moment: dt.date | dt.datetime | None) -> str:
    """22 Nov 2026 or 2026年11月22日."""
    if moment is None:
        return MISSING
    if isinstance(moment, dt.datetime):
        moment = timezone.localtime(moment)
    return date_format(moment, "Y年n月j日" if _japanese() else "j M Y")


@register.filter
def moment(at: dt.datetime | None) -> str:
    """22 Nov 2026 14:05 JST or 2026年11月22日 14:05 JST: the reader's zone, and which one it is."""
    if at is None:
        return MISSING
    local = timezone.localtime(at)
    return f"{day(local)} {local:%H:%M} {local.tzname()}"


@register.simple_tag
def period(start: dt.date | dt.datetime | None, end: dt.date | dt.datetime | None) -> str:
    """1 Nov 2026 – 30 Nov 2026."""
    return f"{day(start)} – {day(end)}"


@register.filter
def duration(seconds: float | None) -> str:
    """2.2 ms, 3.2 s, 4 min 10 s, 10 min, 2 h 5 min, 24 h."""
    if seconds is None:
        return MISSING
    if 0 < seconds < 0.1:
        return gettext("%(number)s ms") % {"number": f"{seconds * 1000:.1f}"}
    if seconds < 60:
        return gettext("%(seconds)s s") % {
            "seconds": f"{seconds:.1f}"
            if seconds < 10 and isinstance(seconds, float)
            else round(seconds)
        }
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60 and not rest:
        return gettext("%(minutes)d min") % {"minutes": minutes}
    if minutes < 60:
        return gettext("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    if not minutes:
        return gettext("%(hours)d h") % {"hours": hours}
    return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}


@register.filter
def ago(at: dt.datetime | None) -> str:
    """12 s ago, 4 min ago, 3 h ago; the day and hour where it is longer than a day ago."""
    if at is None:
        return MISSING
    seconds = max(0, int((timezone.now() - at).total_seconds()))
    if seconds >= 24 * 3600:
        return moment(at)
    if seconds >= 60:
        seconds -= seconds % (3600 if seconds >= 3600 else 60)
    return gettext("%(time)s ago") % {"time": duration(seconds)}


@register.filter
def file_size(size: int | None) -> str:
    """1,234 B, 5.6 kB, 7.8 MB (powers of 1000)."""
    if size is None:
        return MISSING
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return MISSING


@register.filter
def plainly(fact: object) -> str:
    """A fact of an audit entry as words: a list is its items, not brackets and quotes."""
    if fact is None or fact == "":
        return MISSING
    if isinstance(fact, list):
        return ", ".join(plainly(item) for item in fact)
    if isinstance(fact, dict):
        return ", ".join(f"{name}: {plainly(item)}" for name, item in fact.items())
    if isinstance(fact, bool):
        return gettext("yes") if fact else gettext("no")
    return str(fact)
