"""How values are shown: statuses, times, numbers, ARNs; loaded into every template."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from django import template
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, ngettext

from console.models import Experiment, Resource, Solution, SolutionVersion, Status
from console.models.base import ENDED_BADLY, UNFINISHED
from console.web.glossary import explained, logged, spelt, translated
from console.web.kinds import KINDS, Column, page_url
from console.web.languages import chance_words, figure, lazily, localised, moment
from console.web.nouns import in_sentence

register = template.Library()
register.filter(in_sentence)
register.filter(moment)
register.filter(translated)
register.filter(explained)
register.filter("chance", chance_words)
register.filter(logged)
register.filter(spelt)

WIDEST_BAR = 12  # of 120; two bars stay bars
EMPTY = format_html('<span class="text-secondary">{}</span>', "–")
SPANS: tuple[tuple[int, Callable[[int], str], Callable[[int], str]], ...] = (
    (86400 * 365, lambda n: ngettext("{n} year ago", "{n} years ago", n), lambda n: ngettext("in {n} year", "in {n} years", n)),
    (86400 * 30, lambda n: ngettext("{n} month ago", "{n} months ago", n), lambda n: ngettext("in {n} month", "in {n} months", n)),
    (86400, lambda n: ngettext("{n} day ago", "{n} days ago", n), lambda n: ngettext("in {n} day", "in {n} days", n)),
    (3600, lambda n: ngettext("{n} hour ago", "{n} hours ago", n), lambda n: ngettext("in {n} hour", "in {n} hours", n)),
    (60, lambda n: ngettext("{n} minute ago", "{n} minutes ago", n), lambda n: ngettext("in {n} minute", "in {n} minutes", n)),
)  # fmt: skip
STATUS_WORDS = (
    gettext_noop("Active"), gettext_noop("Inactive"), gettext_noop("Pending"), gettext_noop("In progress"),
    gettext_noop("Completed"), gettext_noop("Failed"), gettext_noop("Create pending"), gettext_noop("Create in progress"),
    gettext_noop("Create failed"), gettext_noop("Create stopping"), gettext_noop("Create stopped"), gettext_noop("Running"),
    gettext_noop("Stopped"), gettext_noop("Promoted"), gettext_noop("Full"), gettext_noop("Update"), gettext_noop("Autotrain"),
)  # fmt: skip


@register.simple_tag
def status(value: str) -> SafeString:
    """A status in sentence case; colour, shape and word all say it."""
    if value in {*UNFINISHED, Experiment.State.RUNNING}:
        look = "working"
    elif value in ENDED_BADLY:
        look = "failed"
    else:
        look = "idle" if value in {Status.INACTIVE, Experiment.State.STOPPED} else "active"
    return format_html('<span class="status {}">{}</span>', look, status_words(value))


@register.filter
def status_words(value: str) -> str:
    """A status in sentence case.

    >>> status_words("CREATE IN_PROGRESS")
    'Create in progress'
    """
    return gettext(value.replace("_", " ").capitalize()) if value else ""


@register.filter
def ago(value: datetime | None) -> SafeString:
    """How long since, with the exact time on hover."""
    if value is None:
        return EMPTY
    exact = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"), f"{moment(exact, seconds=True)} UTC", relative(value),
    )  # fmt: skip


def relative(value: datetime) -> str:
    """A time as people say it.

    >>> from datetime import timedelta
    >>> relative(timezone.now() - timedelta(minutes=3, seconds=5))
    '3 minutes ago'
    """
    seconds = (timezone.now() - value).total_seconds()
    for size, ago_words, ahead_words in SPANS:
        if abs(seconds) >= size:
            count = int(abs(seconds) // size)
            return (ago_words if seconds > 0 else ahead_words)(count).format(n=count)
    return gettext("just now")


@register.filter
def number(value: Any) -> str:
    """A number with three significant digits; whole numbers whole, thousands set apart.

    >>> number(0.190437), number(1234567), number(12.3456), number(None), number(-0.00312), number(0.0)
    ('0.190', '1,234,567', '12.3', '–', '−0.00312', '0')
    """
    if value is None or value == "" or isinstance(value, bool):
        return "–" if value in (None, "") else str(value)
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "–"
    return figure(value)


@register.filter
def setting(value: float) -> str:
    """A number that somebody has set, with the digits it was given.

    >>> setting(0.3), setting(1.0)
    ('0.3', '1')
    """
    return localised(f"{value:g}")


@register.filter
def signed(value: float | None) -> str:
    """A difference as a number with its sign.

    >>> signed(0.0219), signed(-0.12), signed(0.0), signed(None)
    ('+0.0219', '−0.120', '0', '–')
    """
    return f"{'+' if value and value > 0 else ''}{number(value)}"


@register.filter
def percent(value: float | str | None) -> str:
    """A share of one as a percentage; a template's missing value is an empty text.

    >>> percent(0.0312), percent(4.87e-17), percent(None), percent("")
    ('3.12 %', '0 %', '–', '–')
    """
    return f"{number(_hundredfold(value))} %" if value or value == 0 else "–"


@register.filter
def change(value: float | None) -> str:
    """A change of one part as a percentage with its sign.

    >>> change(0.219), change(-0.12), change(0.0), change(None)
    ('+21.9 %', '−12 %', '0 %', '–')
    """
    return "–" if value is None else f"{signed(_hundredfold(value))} %"


@register.filter
def points(value: float | None) -> str:
    """A difference of two shares in percentage points, where the words beside it say so.

    >>> points(0.0649), points(-0.12)
    ('+6.49', '−12')
    """
    return signed(None if value is None else _hundredfold(value))


def _hundredfold(share: float | str) -> float:
    """A share in percent, without what computing left of a zero."""
    return round(100 * float(share), 6)


@register.filter
def days(value: float) -> str:
    """A time that is guessed, in whole days; a part of one counts as one.

    >>> days(8.76), days(0.2)
    ('9 days', '1 day')
    """
    whole = max(1, math.ceil(value))
    return ngettext("{n} day", "{n} days", whole).format(n=number(whole))


@register.filter
def set_days(value: float) -> str:
    """A time that somebody has set, in days.

    >>> set_days(1), set_days(0.5), set_days(30.0)
    ('1 day', '0.500 days', '30 days')
    """
    return ngettext("{n} day", "{n} days", 1 if value == 1 else 2).format(n=number(value))


@register.filter
def events(count: int) -> str:
    """How many events somebody or something has.

    >>> events(1), events(1200)
    ('1 event', '1,200 events')
    """
    return ngettext("{n} event", "{n} events", count).format(n=number(count))


@register.filter
def whole_percent(value: float) -> str:
    """A share of one in whole percent, for progress.

    >>> whole_percent(0.3712)
    '37 %'
    """
    return f"{round(100 * value)} %"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as people say them.

    >>> duration(4.2), duration(75), duration(7300), duration(0.02), duration(None)
    ('4.2 s', '1 min 15 s', '2 h 1 min', 'under 0.1 s', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 0.05:
        return gettext("under 0.1 s")
    if seconds < 60:
        return f"{localised(f'{seconds:.1f}')} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return gettext("{minutes} min {rest} s").format(minutes=minutes, rest=rest)
    hours, minutes = divmod(minutes, 60)
    return gettext("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


@register.filter
def size(value: float | None) -> str:
    """Bytes in the unit that fits.

    >>> size(812), size(123_456), size(1_073_741_824)
    ('812 B', '121 KiB', '1.00 GiB')
    """
    if value is None:
        return "–"
    if value < 1024:
        return f"{int(value)} B"
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024 or unit == "GiB":
            return f"{number(value) if not float(value).is_integer() else localised(format(value, '.2f'))} {unit}"
    raise AssertionError("unreachable")


@register.simple_tag
def arn(value: str | None) -> SafeString:
    """An ARN cut to its last part, with a button that copies the whole."""
    if not value:
        return EMPTY
    short = value.rpartition(":")[2]
    return format_html('<span class="arn"><code title="{}">{}</code>{}</span>', value, short, copy(value, "ARN"))


@register.filter
def short_arn(value: str) -> str:
    """An ARN's kind and name; other text as it is."""
    return value.rpartition(":")[2] if value.startswith("arn:") else value


@register.simple_tag
def copy(value: str, what: str = lazily("text")) -> SafeString:
    """A button that copies `value`."""
    words = gettext("Copy {what}").format(what=what)
    return format_html(
        '<button type="button" class="copy" data-copy="{}" aria-label="{}" title="{}">'
        '<i class="bi bi-copy" aria-hidden="true"></i></button>',
        value, words, words,
    )  # fmt: skip


@register.filter
def url_of(row: Resource) -> str:
    """A resource's page."""
    return page_url(row)


@register.filter
def delete_url_of(row: Resource) -> str:
    """The page that asks before deleting a resource."""
    return reverse(f"{KINDS[type(row).__name__].slug}-delete", args=[row.arn_name])


@register.filter
def noun_of(row: Resource) -> str:
    """What a resource is called in a sentence."""
    kind = KINDS.get(type(row).__name__)
    return kind.called() if kind else type(row).__name__


@register.simple_tag
def show(value: Any, look: str = "text") -> Any:
    """A value made up for reading, as its look says."""
    match look:
        case "status":
            return status(value)
        case "time":
            return ago(value)
        case "number":
            return number(value)
        case "arn":
            return arn(value)
        case "code":
            return format_html("<code>{}</code>", value) if value else EMPTY
        case "copied":
            return format_html('<span class="arn"><code>{}</code>{}</span>', value, copy(value)) if value else EMPTY
        case "resource" | "link":
            return format_html('<a href="{}">{}</a>', page_url(value), value) if value else EMPTY
    return EMPTY if value is None or value == "" else value


@register.simple_tag
def cell(column: Column, row: Resource) -> Any:
    """A cell of a list."""
    value = column.of(row)
    if column.look == "link":
        return format_html('<a class="fw-semibold" href="{}">{}</a>', page_url(row), value)
    return show(value, column.look)


@register.simple_tag
def sparkbars(bins: list[dict[str, Any]] | None) -> SafeString:
    """A column's histogram as small bars, each with its range and count on hover."""
    if not bins:
        return EMPTY
    top, width = max(one["count"] for one in bins) or 1, min(WIDEST_BAR, 120 / len(bins))
    bars = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        (
            (round(i * width, 1), round(28 - 28 * one["count"] / top, 1), round(max(width - 1, 1), 1),
             round(28 * one["count"] / top, 1), one.get("label", ""), number(one["count"]))
            for i, one in enumerate(bins)
        ),
    )  # fmt: skip
    words = "; ".join(f"{one.get('label', '')}: {number(one['count'])}" for one in bins[:5])
    return format_html('<svg class="sparkbars" viewBox="0 0 120 28" role="img" aria-label="{}">{}</svg>', words, bars)


@register.filter
def copy_query(solution: Solution) -> str:
    """The parameters with which a new solution starts as a copy of this one."""
    return urlencode({"group": solution.dataset_group.name, "recipe": solution.recipe or "", "like": solution.name})


@register.filter
def compared_query(versions: Sequence[SolutionVersion], most: int = 6) -> str:
    """The newest active versions as parameters of a comparison's address."""
    active = (version for version in versions[:most] if version.status == "ACTIVE")
    return "".join(f"&version={quote(version.arn_name, safe='')}" for version in active)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's own query string with some parameters changed; None takes one away."""
    params: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        else:
            params[name] = str(value)
    encoded = params.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.simple_tag(takes_context=True)
def sort_query(context: template.Context, column: Column) -> str:
    """The query string that sorts by a column, the other way round if it does already."""
    now = context["request"].GET.get("sort", "")
    return str(query(context, sort=f"-{column.sort}" if now == column.sort else column.sort, page=None))


@register.filter
def sort_state(column: Column, sort: str) -> str:
    """What aria-sort says of a column."""
    if not column.sort or sort.lstrip("-") != column.sort:
        return "none"
    return "descending" if sort.startswith("-") else "ascending"
