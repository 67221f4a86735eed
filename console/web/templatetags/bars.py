"""Bars whose length is a share: SVG with a width in percent, as pages carry no style attributes."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from console.web.languages import lazily
from console.web.templatetags.display import number

register = template.Library()


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
