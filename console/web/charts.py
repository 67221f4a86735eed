"""The console's charts: what each shows and the numbers behind it, for the table and the download beside it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from console.sheets import SheetWriter
from console.web.glossary import translated
from console.web.languages import lazily, localised
from console.web.plots import interactive
from console.web.plots.model import SERIES, Colour, Look, Mark, Plot, Point, Series, categories, numbers, times
from console.web.plots.svg import draw
from console.web.plots.words import minute, plain, shown

BASELINES = {"popularity": Colour.BASELINE, "random": Colour.RANDOM}
Cell = str | float | int | None


@dataclass(frozen=True)
class Chart:
    """A plot and the numbers behind it.

    Attributes:
        key: unique on the page; the element's id and the download's name.
        title: what it shows, also for those who cannot see it.
        plot: what is drawn.
        columns: heads of the table.
        rows: its rows, the first cell a label.
    """

    key: str
    title: str
    plot: Plot
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def svg(self) -> SafeString:
        """The drawing, for a template."""
        return draw(self.plot, self.title)

    @property
    def interactive(self) -> SafeString:
        """The drawing for a file that is opened without the console (`console.web.plots.interactive`)."""
        return interactive.draw(self.plot, self.key)

    @property
    def csv_url(self) -> str:
        """The numbers as a file, in a link that needs no server."""
        text = io.StringIO()
        writer = SheetWriter(text)
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return f"data:text/csv;charset=utf-8,{quote(text.getvalue())}"


@dataclass(frozen=True)
class Bar:
    """One value with its 95 % interval, where there is one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def metric_bars(key: str, title: str, series: Mapping[str, Sequence[Bar]], head: str = lazily("Metric")) -> Chart:
    """Bars of metrics side by side, one colour for each series, with 95 % intervals as whiskers."""
    return _bars(key, title, head, series)


def share_bars(key: str, title: str, series: Mapping[str, Sequence[Bar]], head: str) -> Chart:
    """Bars of shares of one side by side, in percent."""
    percents = {name: [Bar(bar.label, 100 * bar.value) for bar in bars] for name, bars in series.items()}
    return _bars(key, title, head, percents, suffix=" %")


def _bars(key: str, title: str, head: str, series: Mapping[str, Sequence[Bar]], suffix: str = "") -> Chart:
    labels = list(dict.fromkeys(bar.label for bars in series.values() for bar in bars))
    drawn = tuple(
        Series(
            translated(name),
            tuple(
                Point(
                    labels.index(bar.label),
                    bar.value,
                    bar.low,
                    bar.high,
                    _said(f"{bar.label}\n{translated(name)}", bar, suffix),
                )
                for bar in bars
            ),
            Look.BARS,
            BASELINES.get(name, SERIES[place % len(SERIES)]),
        )
        for place, (name, bars) in enumerate(series.items())
    )
    ends = [value for bars in series.values() for bar in bars for value in (bar.value, bar.low, bar.high)]
    found = {name: {bar.label: bar for bar in bars} for name, bars in series.items()}
    columns, rows = _numbers(head, labels, found, suffix and f",{suffix}")
    plot = Plot(drawn, categories(labels), numbers(ends, suffix=suffix), height=280)
    return Chart(key, title, plot, columns, rows)


def counts(key: str, title: str, labels: Sequence[str], values: Sequence[int], head: str) -> Chart:
    """One bar for each label."""
    points = tuple(
        Point(at, value, words=f"{label}\n{localised(format(value, ','))}")
        for at, (label, value) in enumerate(zip(labels, values, strict=True))
    )
    plot = Plot(
        (Series(gettext("Count"), points, Look.BARS),), categories(labels), numbers(values), bar_width=0.9, height=150
    )
    return Chart(
        key,
        title,
        plot,
        (head, gettext("Count")),
        tuple((label, value) for label, value in zip(labels, values, strict=True)),
    )


def stacked_over_time(
    key: str, title: str, series: Mapping[str, Mapping[int, float]], period: int, others: str
) -> Chart:
    """Sums of periods of `period` seconds as stacked bars; the series named `others` is grey."""
    starts = sorted({at for points in series.values() for at in points})
    drawn = tuple(
        Series(
            name,
            tuple(Point(at + period / 2, value, words=f"{minute(at)}\n{name}: {shown(value)}") for at, value in points.items()),
            Look.BARS,
            Colour.BASELINE if name == others else SERIES[place % len(SERIES)],
        )
        for place, (name, points) in enumerate(series.items())
    )  # fmt: skip
    sums = [sum(points.get(at, 0) for points in series.values()) for at in starts]
    plot = Plot(drawn, times(starts, width=period), numbers(sums), is_stacked=True, bar_width=0.92 * period)
    rows: list[tuple[Cell, ...]] = [(minute(at), *[points.get(at, 0) for points in series.values()]) for at in starts]
    return Chart(key, title, plot, (gettext("From (UTC)"), *series), tuple(rows))


def timeline(key: str, title: str, start: float, width: float, values: Sequence[int]) -> Chart:
    """Counts of equal spans of time from `start` on."""
    starts = [start + at * width for at in range(len(values))]
    days = [minute(at).partition(" ")[0] for at in starts]
    points = tuple(
        Point(at + width / 2, value, words=gettext("from {day}\n{value}").format(day=day, value=localised(f"{value:,}"))) for at, day, value in zip(starts, days, values, strict=True)
    )  # fmt: skip
    plot = Plot(
        (Series(gettext("Events"), points, Look.BARS),), times(starts, width=width), numbers(values), bar_width=0.95 * width, height=150
    )  # fmt: skip
    return Chart(
        key,
        title,
        plot,
        (gettext("From"), gettext("Count")),
        tuple((day, value) for day, value in zip(days, values, strict=True)),
    )


def training_curves(key: str, epochs: Sequence[Mapping[str, float]], best_epoch: int | None) -> Chart | None:
    """Loss (left) and validation figures (right) by epoch with the best epoch marked; None if nothing was recorded.

    A training of several rounds has a line for each, as a round starts where the learning rate jumps.
    """
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch if name not in {"epoch", "round"}))
    if not names:
        return None
    losses = [name for name in names if is_loss(name)]
    has_two = 0 < len(losses) < len(names)
    drawn = tuple(
        Series(
            plain(name),
            tuple(_learned(epochs, name)),
            Look.STEPS, SERIES[place % len(SERIES)], place, is_on_right=has_two and not is_loss(name),
        )
        for place, name in enumerate(names)
    )  # fmt: skip
    left = numbers(
        [one.get(name) for one in epochs for name in (losses or names)], title=gettext("Loss") if losses else ""
    )
    others = [one.get(name) for one in epochs for name in names if not is_loss(name)]
    plot = Plot(
        drawn,
        replace(numbers([one["epoch"] for one in epochs], from_zero=False, whole=True), title=gettext("Epoch")),
        left,
        numbers(others, title=gettext("Validation")) if has_two else None,
        ()
        if best_epoch is None
        else (Mark(best_epoch, gettext("best, epoch {best_epoch}").format(best_epoch=best_epoch)),),
    )
    rows = tuple((int(epoch["epoch"]), *(epoch.get(name) for name in names)) for epoch in epochs)
    return Chart(key, gettext("Learning by epoch"), plot, (gettext("Epoch"), *map(plain, names)), rows)


def _learned(epochs: Sequence[Mapping[str, float]], name: str) -> Iterator[Point]:
    """A figure by epoch, with a gap where a round ends."""
    known = [one for one in epochs if name in one]
    for before, one in pairwise([{}, *known]):
        if before and before.get("round") != one.get("round"):
            yield Point(one["epoch"], None)
        epoch = localised(f"{one['epoch']:.0f}")
        words = gettext("Epoch {epoch}\n{name}: {one}").format(epoch=epoch, name=plain(name), one=shown(one[name]))
        yield Point(one["epoch"], one[name], words=words)


def by_cutoff(key: str, title: str, series: Mapping[str, Mapping[int, Bar]]) -> Chart:
    """Lines of one metric over the length of the list, with the intervals as whiskers."""
    return _over_lengths(key, title, series, Look.STEPS, has_band=False)


def bands(key: str, title: str, series: Mapping[str, Sequence[Mapping[str, Any]]]) -> Chart:
    """Lines of a metric over every length of the list, {"k", "value", "low", "high"}, with the intervals as bands."""
    found = {
        name: {p["k"]: Bar(str(p["k"]), p["value"], p["low"], p["high"]) for p in points}
        for name, points in series.items()
    }
    return _over_lengths(key, title, found, Look.LINE, has_band=True)


def _over_lengths(
    key: str, title: str, series: Mapping[str, Mapping[int, Bar]], look: Look, *, has_band: bool
) -> Chart:
    drawn = tuple(
        Series(
            translated(name),
            tuple(Point(k, points[k].value, points[k].low, points[k].high, _said(gettext("{name} at {k}").format(name=translated(name), k=k), points[k])) for k in sorted(points)),
            look, Colour.BASELINE if name == "popularity" else SERIES[place % len(SERIES)], place, has_band,
        )
        for place, (name, points) in enumerate(series.items())
    )  # fmt: skip
    lengths = sorted({k for points in series.values() for k in points})
    ends = [value for points in series.values() for bar in points.values() for value in (bar.value, bar.low, bar.high)]
    columns, rows = _numbers(gettext("Length"), lengths, series)
    plot = Plot(drawn, numbers(lengths, title=gettext("Length of the list"), whole=True), numbers(ends), height=280)
    return Chart(key, title, plot, columns, rows)


def lorenz(key: str, series: Mapping[str, Sequence[Mapping[str, float]]]) -> Chart:
    """Which share of all places the least recommended items got, {"items", "share"}; the diagonal is equal treatment."""
    shares = {name: {100 * p["items"]: 100 * p["share"] for p in points} for name, points in series.items()}
    drawn = [
        Series(
            name,
            tuple(Point(x, y, words=gettext("{name}: {x} % of the items, {y} % of the places").format(name=name, x=shown(x), y=shown(y))) for x, y in points.items()),
            Look.LINE, SERIES[place % len(SERIES)], place,
        )
        for place, (name, points) in enumerate(shares.items())
    ]  # fmt: skip
    drawn.append(Series(gettext("all equally"), (Point(0, 0), Point(100, 100)), Look.LINE, Colour.BASELINE, 2))
    places = sorted({items for points in shares.values() for items in points})
    plot = Plot(
        tuple(drawn),
        numbers([0, 100], suffix=" %", title=gettext("Items, least recommended first")),
        numbers([0, 100], suffix=" %", title=gettext("Their share of the places")),
        height=280,
    )
    rows = tuple((round(at, 2), *(points.get(at) for points in shares.values())) for at in places)
    columns = (gettext("Share of items, %"), *(f"{name}, %" for name in series))
    return Chart(key, gettext("Concentration of the recommendations"), plot, columns, rows)


def is_loss(name: str) -> bool:
    """Whether less is better."""
    return "loss" in name


def _said(name: str, bar: Bar, suffix: str = "") -> str:
    """A value in words, for the pointer."""
    interval = (
        ""
        if bar.low is None or bar.high is None
        else gettext(" ({low} to {high})").format(low=shown(bar.low), high=shown(bar.high))
    )
    return f"{name}: {shown(bar.value)}{suffix}{interval}"


def _numbers(
    head: str, places: Iterable[Any], series: Mapping[str, Mapping[Any, Bar]], unit: str = ""
) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Heads and rows of the table: a value for each series, with its interval where the series has some."""
    parts = [(name, part) for name, points in series.items() for part in _parts(points.values())]
    heads = (f"{translated(name)}{'' if part == 'value' else f' {translated(part)}'}{unit}" for name, part in parts)
    rows = ((place, *(getattr(series[name].get(place), part, None) for name, part in parts)) for place in places)
    return (head, *heads), tuple(rows)


def _parts(bars: Iterable[Bar]) -> tuple[str, ...]:
    return ("value", "low", "high") if any(bar.low is not None for bar in bars) else ("value",)
