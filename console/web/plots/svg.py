"""Plots as SVG that needs no script and no style attribute: widths in percent, so that text keeps its size on any screen.

Lines are drawn in a nested picture that stretches (`preserveAspectRatio="none"`); bars, symbols and words stand at percentages.
Colours are classes of static/styles/plots.css, in both themes. What is said on hover is in `data-tip`, shown by static/console.js; the
same numbers are in the table beside each chart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from console.web.plots.model import Look, Mark, Plot, Point, Scale, Series

WIDE = 1000  # units of the stretched picture
SYMBOLS = (
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "M-4.5 0L0-4.5L4.5 0L0 4.5z",
    "M-3.5-3.5h7v7h-7z",
    "M-4.5 3.5L0-4.5L4.5 3.5z",
    "M-4.5-3.5L0 4.5L4.5-3.5z",
    "M-4-1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z",
)
MAX_NARROW_NAMES = 5  # more of them scroll sideways on a phone
LETTER = 6.6  # px, about, of the labels
NOTHING = SafeString("")


def draw(plot: Plot, title: str) -> SafeString:
    """The whole plot: keys of the series, axes, area."""
    is_wide = len(plot.x.names) > MAX_NARROW_NAMES
    return format_html(
        '<div class="plot{}">{}<div class="plot-scroll"{}><div class="plot-box">{}<svg class="plot-area" width="100%" height="{}" role="{}" aria-label="{}">{}</svg>'
        "{}{}</div></div>{}</div>",
        " wide" if is_wide else "",
        _keys(plot),
        mark_safe(' tabindex="0"') if is_wide else NOTHING,
        _upright(plot.y, plot.height, is_right=False),
        plot.height,
        "group" if any(point.url for series in plot.series for point in series.points) else "img",
        title,
        _join([_grid(plot), *_areas(plot), *_bars(plot), *_lines(plot), *(_mark(mark, plot) for mark in plot.marks), _hits(plot)]),
        _upright(plot.right, plot.height, is_right=True) if plot.right else NOTHING,
        _level(plot.x),
        _titles(plot),
    )  # fmt: skip


def _join(parts: Iterable[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - each part was escaped where it was made


def _percent(share: float) -> str:
    return f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"


def _keys(plot: Plot) -> SafeString:
    """The legend; each entry hides and shows its series."""
    if len(plot.series) < 2 or plot.is_parallel:
        return NOTHING
    return format_html('<ul class="plot-keys">{}</ul>', _join(_key(at, one) for at, one in enumerate(plot.series)))


def _key(place: int, series: Series) -> SafeString:
    if series.look is Look.BARS:
        sample = mark_safe('<rect width="12" height="10" x="4" y="1"/>')
    else:
        line = "" if series.look is Look.POINTS else f'<path class="line d{series.style}" d="M0 6h20"/>'
        dot = "" if series.look is Look.LINE else f'<path d="{SYMBOLS[series.style]}" transform="translate(10 6)"/>'
        sample = mark_safe(line + dot)  # noqa: S308
    return format_html(
        '<li><label><input type="checkbox" checked data-key="{}"> <svg class="{}" width="20" height="12" aria-hidden="true">{}'
        "</svg> {}</label></li>",
        place, series.colour, sample, series.name,
    )  # fmt: skip


def _grid(plot: Plot) -> SafeString:
    if plot.is_parallel:
        places = (_percent(plot.x.at(place)) for place in range(len(plot.x.names)))
        return format_html_join(
            "", '<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/>', ((place, plot.height) for place in places)
        )
    return format_html_join(
        "", '<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>', ((_y(plot.y, v, plot.height),) for v, _ in plot.y.ticks)
    )  # fmt: skip


def _y(scale: Scale, value: float, height: int) -> float:
    return round(height - height * scale.at(value), 1)


def _scale_of(series: Series, plot: Plot) -> Scale:
    return plot.right if series.is_on_right and plot.right else plot.y


def _stretched(plot: Plot, inner: SafeString) -> SafeString:
    return format_html(
        '<svg class="stretched" width="100%" height="{0}" viewBox="0 0 {1} {0}" preserveAspectRatio="none">{2}</svg>',
        plot.height, WIDE, inner,
    )  # fmt: skip


def _areas(plot: Plot) -> Iterator[SafeString]:
    """Intervals as bands."""
    for place, series in enumerate(plot.series):
        points = [(p.x, p.low, p.high) for p in series.points if p.low is not None and p.high is not None]
        if series.has_band and points:
            scale = _scale_of(series, plot)
            there = [(x, high) for x, _, high in points]
            back = [(x, low) for x, low, _ in reversed(points)]
            path = _path([*there, *back], plot, scale)
            yield format_html('<g class="{} k{}">{}</g>', series.colour, place,
                              _stretched(plot, format_html('<path class="band" d="{}z"/>', path)))  # fmt: skip


def _path(points: Sequence[tuple[float, float]], plot: Plot, scale: Scale) -> str:
    return "M" + "L".join(f"{WIDE * plot.x.at(x):.1f} {_y(scale, y, plot.height)}" for x, y in points)


def _bars(plot: Plot) -> Iterator[SafeString]:
    shown = [(place, series) for place, series in enumerate(plot.series) if series.look is Look.BARS]
    span = plot.x.high - plot.x.low
    width = plot.bar_width / (1 if plot.is_stacked else max(1, len(shown)))
    heaped: defaultdict[float, float] = defaultdict(float)
    for nth, (place, series) in enumerate(shown):
        parts = []
        for point in series.points:
            start = point.x - plot.bar_width / 2 + (0 if plot.is_stacked else nth * width)
            base = heaped[point.x] if plot.is_stacked else 0.0
            if plot.is_stacked:
                heaped[point.x] += point.y or 0.0
            parts.append(_bar(point, plot, _percent(plot.x.at(start)), _percent(0.94 * width / span), base))
            if not series.has_band:
                parts.append(_whisker(point, plot, plot.y, plot.x.at(start + 0.47 * width)))
        yield format_html('<g class="{} k{}">{}</g>', series.colour, place, _join(parts))


def _bar(point: Point, plot: Plot, left: str, width: str, base: float) -> SafeString:
    if not point.y:
        return NOTHING
    ends = sorted((_y(plot.y, base, plot.height), _y(plot.y, base + point.y, plot.height)))
    return format_html(
        '<rect class="bar" x="{}" width="{}" y="{}" height="{}" data-tip="{}"/>',
        left, width, ends[0], round(max(ends[1] - ends[0], 0.5), 1), point.words,
    )  # fmt: skip


def _whisker(point: Point, plot: Plot, scale: Scale, at: float) -> SafeString:
    if point.low is None or point.high is None:
        return NOTHING
    high, low = _y(scale, point.high, plot.height), _y(scale, point.low, plot.height)
    return format_html(
        '<svg class="whisker" x="{}" overflow="visible"><path d="M0 {}V{}M-4 {}h8M-4 {}h8"/></svg>', _percent(at), high, low, high, low
    )  # fmt: skip


def _lines(plot: Plot) -> Iterator[SafeString]:
    for place, series in enumerate(plot.series):
        if series.look is Look.BARS:
            continue
        scale = _scale_of(series, plot)
        parts = [] if series.look is Look.POINTS else [_stretched(plot, _line(series, plot, scale))]
        if not series.has_band:
            parts += [_whisker(point, plot, scale, plot.x.at(point.x)) for point in series.points]
        if series.look is not Look.LINE:
            parts += [_symbol(point, series, plot, scale) for point in series.points]
        yield format_html('<g class="{} k{}">{}</g>', series.colour, place, _join(parts))


def _line(series: Series, plot: Plot, scale: Scale) -> SafeString:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in series.points:
        if point.y is None:
            runs.append([])
        else:
            runs[-1].append((point.x, point.y))
    path = "".join(_path(run, plot, scale) for run in runs if run)
    tip = format_html(' data-tip="{}"', series.points[0].words) if plot.is_parallel else NOTHING
    return format_html('<path class="line d{}" d="{}"{}/>', series.style, path, tip)


def _symbol(point: Point, series: Series, plot: Plot, scale: Scale) -> SafeString:
    if point.y is None:
        return NOTHING
    shape = format_html(
        '<svg x="{}" y="{}" overflow="visible"><path d="{}" data-tip="{}"/>{}</svg>',
        _percent(plot.x.at(point.x)), _y(scale, point.y, plot.height), SYMBOLS[series.style % len(SYMBOLS)], point.words,
        _name(series, plot.x.at(point.x)) if series.look is Look.POINTS else NOTHING,
    )  # fmt: skip
    return format_html('<a href="{}" aria-label="{}">{}</a>', point.url, point.words, shape) if point.url else shape


def _name(series: Series, at: float) -> SafeString:
    """A series' name beside its point, to the side where there is room."""
    return format_html(
        '<text x="{}" y="4" text-anchor="{}">{}</text>', *((9, "start") if at < 0.6 else (-9, "end")), series.name
    )


def _mark(mark: Mark, plot: Plot) -> SafeString:
    """A line across the area with its words at the foot."""
    if not mark.is_vertical:
        y = _y(plot.y, mark.value, plot.height)
        return format_html('<line class="mark {}" x1="0" x2="100%" y1="{}" y2="{}"/>', mark.colour, y, y)
    at = plot.x.at(mark.value)
    return format_html(
        '<g class="mark {0}"><line x1="{1}" x2="{1}" y1="0" y2="{2}"/><text x="{1}" dx="{3}" y="{4}" text-anchor="{5}">{6}</text></g>',
        mark.colour, _percent(at), plot.height, 5 if at < 0.7 else -5, plot.height - 6, "start" if at < 0.7 else "end", mark.words,
    )  # fmt: skip


def _hits(plot: Plot) -> SafeString:
    """Over each place of line charts an invisible strip, which says all values there."""
    said: defaultdict[float, list[str]] = defaultdict(list)
    for series in () if plot.is_parallel else plot.series:
        if series.look in {Look.LINE, Look.STEPS}:
            for point in series.points:
                if point.words and not point.url:
                    said[point.x].append(point.words)
    places = sorted(said)
    edges = [plot.x.low, *((a + b) / 2 for a, b in pairwise(places)), plot.x.high]
    return format_html_join(
        "", '<rect class="hit" x="{}" width="{}" y="0" height="{}" data-tip="{}"/>',
        (
            (_percent(plot.x.at(edges[i])), _percent(plot.x.at(edges[i + 1]) - plot.x.at(edges[i])), plot.height, "\n".join(said[place]))
            for i, place in enumerate(places)
        ),
    )  # fmt: skip


def _upright(scale: Scale, height: int, *, is_right: bool) -> SafeString:
    width = round(max((len(label) for _, label in scale.ticks), default=0) * LETTER + 10)
    words = format_html_join(
        "", '<text x="{}" y="{}" dy="0.33em" text-anchor="{}">{}</text>',
        ((8 if is_right else width - 8, _y(scale, v, height), "start" if is_right else "end", label) for v, label in scale.ticks),
    )  # fmt: skip
    side = " right" if is_right else ""
    return format_html(
        '<svg class="plot-y{}" width="{}" height="{}" aria-hidden="true">{}</svg>', side, width, height, words
    )


def _level(scale: Scale) -> SafeString:
    if scale.names:
        names = format_html_join("", "<span>{}</span>", ((name,) for name in scale.names))
        return format_html('<div class="plot-x names" aria-hidden="true">{}</div>', names)
    words = format_html_join(
        "", '<text x="{}" y="14" class="{}" text-anchor="{}">{}</text>',
        (
            (_percent(at), "odd" if place % 2 else "", "start" if at < 0.03 else "end" if at > 0.97 else "middle", label)
            for place, (at, label) in enumerate((scale.at(value), label) for value, label in scale.ticks)
        ),
    )  # fmt: skip
    return format_html('<svg class="plot-x" width="100%" height="18" aria-hidden="true">{}</svg>', words)


def _titles(plot: Plot) -> SafeString:
    """What the axes are, in words below the plot."""
    named = [("↑", plot.y.title), ("→", plot.x.title), (gettext("↑ right"), plot.right.title if plot.right else "")]
    said = [f"{arrow} {title}" for arrow, title in named if title]
    return format_html('<p class="plot-titles" aria-hidden="true">{}</p>', " · ".join(said)) if said else NOTHING
