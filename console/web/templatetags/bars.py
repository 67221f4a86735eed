"""Bars whose length is a share: SVG with a width in percent, as pages carry no style attributes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from console.web.languages import lazily
from console.web.templatetags.display import number

register = template.Library()
WIDEST = 8.0  # how many times as appealing, or as unappealing, as an ordinary item the bar reaches


@register.simple_tag
def progress_bar(percent: int | None, label: str = lazily("Progress")) -> SafeString:
    """How far something is; None moves without an end."""
    if percent is None:
        return format_html('<div class="progress unknown" role="progressbar" aria-label="{}"></div>', label)
    return format_html(
        '<div class="progress" role="progressbar" aria-label="{0}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{1}">'
        '<svg aria-hidden="true"><rect width="{1}%" height="100%"/></svg><span>{1} %</span></div>',
        label, percent,
    )  # fmt: skip


@register.simple_tag
def share_bar(percent: float) -> SafeString:
    """A soft bar behind a line of text."""
    return format_html('<svg class="share" aria-hidden="true"><rect width="{}%" height="100%"/></svg>', percent)


@register.simple_tag
def split_bar(label: str, control: float, treatment: float, *, is_thin: bool = False) -> SafeString:
    """How the users of an experiment are divided."""
    words = [gettext("Control {share} %"), gettext("Treatment {share} %")]
    said = [text.format(share=number(share)) for text, share in zip(words, (control, treatment), strict=True)]
    return format_html(
        '<div class="split{0}" role="img" aria-label="{1}: {4}, {5}"><svg aria-hidden="true">'
        '<rect class="control" width="{2}%" height="100%"/><rect class="treatment" x="{2}%" width="{3}%" height="100%"/></svg>'
        '<span class="control" aria-hidden="true">{4}</span><span class="treatment" aria-hidden="true">{5}</span></div>',
        " seen" if is_thin else "", label, control, treatment, *said,
    )  # fmt: skip


@register.simple_tag
def appeal_bar(appeal: Mapping[str, float]) -> SafeString:
    """An item's appeal with its interval on a logarithmic scale, 1 in the middle."""
    low, value, high = (_place(appeal[name]) for name in ("low", "value", "high"))
    look = "good" if appeal["low"] > 1 else "bad" if appeal["high"] < 1 else "even"
    return format_html(
        '<span class="appeal {0}">{4} <small>{5} – {6}</small><svg aria-hidden="true"><line class="one" x1="50%" x2="50%" y1="0" '
        'y2="100%"/><line x1="{1}%" x2="{3}%" y1="50%" y2="50%"/><circle cx="{2}%" cy="50%" r="3.5"/></svg></span>',
        look, low, value, high, number(appeal["value"]), number(appeal["low"]), number(appeal["high"]),
    )  # fmt: skip


def _place(value: float) -> float:
    """Percent of the width.

    >>> _place(1), _place(2), _place(0), _place(100)
    (50.0, 66.7, 2.0, 98.0)
    """
    share = 0.5 + 0.5 * math.log(max(value, 1e-9)) / math.log(WIDEST)
    return round(100 * min(0.98, max(0.02, share)), 1)
