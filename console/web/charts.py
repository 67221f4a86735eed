"""Plotly figures in the console's colours; each carries the numbers behind it, for the table and the download beside it.

Colours are CSS variables: static/console.js puts in what they mean in the light or the dark theme, and redraws on a switch.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go

ACCENT, INK, MUTED, LINE = "var(--op-accent)", "var(--op-ink)", "var(--op-muted)", "var(--op-line)"
GOOD, BAD, EVEN, EXPLORE = "var(--op-good)", "var(--op-bad)", "var(--op-even)", "var(--op-explore)"
SERIES = (ACCENT, EXPLORE, GOOD, "var(--op-violet, #9c6ade)", "var(--op-teal, #1098ad)", BAD)
ACRONYMS = {"ndcg", "mrr", "map"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star")
Cell = str | float | int | None


@dataclass(frozen=True)
class Chart:
    """A figure and the numbers behind it.

    Attributes:
        key: unique on the page; the element's id and the download's name.
        title: what it shows, also for those who cannot see it.
        figure: plotly's JSON.
        columns: heads of the table.
        rows: its rows, the first cell a label.
    """

    key: str
    title: str
    figure: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def csv_url(self) -> str:
        """The numbers as a file, in a link that needs no server."""
        text = io.StringIO()
        writer = csv.writer(text)
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


def metric_bars(key: str, title: str, series: Mapping[str, Sequence[Bar]], head: str = "Metric") -> Chart:
    """Bars of metrics side by side, one colour for each series, with 95 % intervals as whiskers."""
    return _bars(key, title, head, series)


def share_bars(key: str, title: str, series: Mapping[str, Sequence[Bar]], head: str) -> Chart:
    """Bars of shares of one side by side, in percent."""
    percents = {name: [Bar(bar.label, 100 * bar.value) for bar in bars] for name, bars in series.items()}
    return _bars(key, title, head, percents, suffix=" %")


def _bars(key: str, title: str, head: str, series: Mapping[str, Sequence[Bar]], suffix: str = "") -> Chart:
    figure = _figure(barmode="group", bargap=0.28)
    figure.update_yaxes(ticksuffix=suffix)
    baselines = {"popularity": EVEN, "random": LINE}
    for place, (name, bars) in enumerate(series.items()):
        colour = baselines.get(name, SERIES[place % len(SERIES)])
        figure.add_bar(
            name=name,
            x=[bar.label for bar in bars],
            y=[bar.value for bar in bars],
            marker_color=colour,
            error_y=_whiskers(bars),
            hovertemplate=f"%{{x}}<br>{name}: %{{y:.4~g}}{suffix}<extra></extra>",
        )
    found = {name: {bar.label: bar for bar in bars} for name, bars in series.items()}
    labels = dict.fromkeys(bar.label for bars in series.values() for bar in bars)
    columns, rows = _numbers(head, labels, found, suffix and f",{suffix}")
    return Chart(key, title, figure.to_plotly_json(), columns, rows)


def training_curves(key: str, epochs: Sequence[Mapping[str, float]], best_epoch: int | None) -> Chart | None:
    """Loss (left) and validation figures (right) by epoch with the best epoch marked; None if nothing was recorded."""
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch if name != "epoch"))
    if not names:
        return None
    figure = _figure(xaxis_title="Epoch", hovermode="x unified")
    figure.update_xaxes(dtick=1 if len(epochs) <= 12 else None)
    for place, name in enumerate(names):
        points = [(epoch["epoch"], epoch[name]) for epoch in epochs if name in epoch]
        figure.add_scatter(
            name=plain(name),
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="lines+markers",
            yaxis="y" if is_loss(name) else "y2",
            line={"color": SERIES[place % len(SERIES)], "width": 2, "dash": "solid" if is_loss(name) else "dot"},
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 6},
        )
    if any(map(is_loss, names)) and not all(map(is_loss, names)):
        figure.update_layout(
            yaxis_title="Loss",
            yaxis2=_axis(overlaying="y", side="right", title="Validation", showgrid=False, tickmode="auto"),
        )
    elif not any(map(is_loss, names)):
        figure.update_traces(yaxis="y")
    if best_epoch is not None:
        figure.add_vline(x=best_epoch, line={"color": GOOD, "dash": "dash", "width": 1.5})
        figure.add_annotation(  # at the foot: above the plot is the legend, in several lines on a phone
            x=best_epoch,
            y=0,
            yref="paper",
            text=f"best, epoch {best_epoch}",
            showarrow=False,
            xanchor="left",
            xshift=4,
            yanchor="bottom",
        )
    rows = tuple((int(epoch["epoch"]), *(epoch.get(name) for name in names)) for epoch in epochs)
    return Chart(key, "Learning by epoch", figure.to_plotly_json(), ("Epoch", *map(plain, names)), rows)


def by_cutoff(key: str, title: str, series: Mapping[str, Mapping[int, Bar]]) -> Chart:
    """Lines of one metric over the length of the list, with the intervals as bands."""
    figure = _figure(xaxis_title="Length of the list", hovermode="x unified")
    for place, (name, points) in enumerate(series.items()):
        colour = EVEN if name == "popularity" else SERIES[place % len(SERIES)]
        cutoffs = sorted(points)
        figure.add_scatter(
            name=name,
            x=cutoffs,
            y=[points[k].value for k in cutoffs],
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7},
            error_y=_whiskers([points[k] for k in cutoffs]),
        )
    columns, rows = _numbers("Length", sorted({k for points in series.values() for k in points}), series)
    return Chart(key, title, figure.to_plotly_json(), columns, rows)


def bands(key: str, title: str, series: Mapping[str, Sequence[Mapping[str, Any]]]) -> Chart:
    """Lines of a metric over every length of the list, {"k", "value", "low", "high"}, with the intervals as bands."""
    figure = _figure(xaxis_title="Length of the list", hovermode="x unified")
    for place, (name, points) in enumerate(series.items()):
        colour, lengths = SERIES[place % len(SERIES)], [point["k"] for point in points]
        edge = [point["high"] for point in points] + [point["low"] for point in reversed(points)]
        figure.add_scatter(
            x=[*lengths, *reversed(lengths)], y=edge, fill="toself", fillcolor=colour, opacity=0.15, line={"width": 0},
            mode="lines", hoverinfo="skip", showlegend=False, legendgroup=name,
        )  # fmt: skip
        figure.add_scatter(
            name=name, x=lengths, y=[point["value"] for point in points], mode="lines", legendgroup=name,
            line={"color": colour, "width": 2, "dash": DASHES[place % len(DASHES)]},
        )  # fmt: skip
    found = {
        name: {p["k"]: Bar(str(p["k"]), p["value"], p["low"], p["high"]) for p in points}
        for name, points in series.items()
    }
    columns, rows = _numbers("Length", sorted({k for points in found.values() for k in points}), found)
    return Chart(key, title, figure.to_plotly_json(), columns, rows)


def lorenz(key: str, series: Mapping[str, Sequence[Mapping[str, float]]]) -> Chart:
    """Which share of all places the least recommended items got, {"items", "share"}; the diagonal is equal treatment."""
    shares = {name: {100 * p["items"]: 100 * p["share"] for p in points} for name, points in series.items()}
    figure = _figure(xaxis_title="Items, least recommended first", yaxis_title="Their share of the places")
    figure.update_xaxes(ticksuffix=" %", range=[0, 100], hoverformat=".1f")
    figure.update_yaxes(ticksuffix=" %", range=[0, 100], hoverformat=".1f")
    for place, (name, points) in enumerate(shares.items()):
        figure.add_scatter(
            name=name, x=list(points), y=list(points.values()), mode="lines",
            line={"color": SERIES[place % len(SERIES)], "width": 2, "dash": DASHES[place % len(DASHES)]},
        )  # fmt: skip
    figure.add_scatter(
        name="all equally", x=[0, 100], y=[0, 100], mode="lines", line={"color": EVEN, "width": 1, "dash": "dot"}
    )
    places = sorted({items for points in shares.values() for items in points})
    columns = ("Share of items, %", *(f"{name}, %" for name in series))
    rows = tuple((round(at, 2), *(points.get(at) for points in shares.values())) for at in places)
    return Chart(key, "Concentration of the recommendations", figure.to_plotly_json(), columns, rows)


def traffic_chart(key: str, minutes: Sequence[Mapping[str, Any]]) -> Chart:
    """Requests by the minute as bars, errors on top of them, and the 95th percentile of the latency as a line."""
    times = [datetime.fromtimestamp(one["start"], UTC).isoformat() for one in minutes]
    figure = _figure(barmode="stack", bargap=0.1, hovermode="x unified", yaxis_title="Requests")
    good = [one["requests"] - one["errors"] for one in minutes]
    figure.add_bar(name="answered", x=times, y=good, marker_color=ACCENT)
    figure.add_bar(name="refused", x=times, y=[one["errors"] for one in minutes], marker_color=BAD)
    figure.add_scatter(
        name="p95, ms", x=times, y=[one.get("p95") for one in minutes], mode="lines+markers", yaxis="y2",
        line={"color": EXPLORE, "width": 2}, marker={"size": 5},
    )  # fmt: skip
    figure.update_layout(yaxis2=_axis(overlaying="y", side="right", title="ms", showgrid=False, rangemode="tozero"))
    columns = ("Minute (UTC)", "Requests", "Errors", "p50", "p95", "p99")
    rows = tuple(
        (_minute(one["start"]), one["requests"], one["errors"], one.get("p50"), one.get("p95"), one.get("p99"))
        for one in minutes
    )
    return Chart(key, "Requests by the minute", figure.to_plotly_json(), columns, rows)


def lift_chart(key: str, points: Sequence[Mapping[str, Any]]) -> Chart:
    """The lift as it would have been read over time, with its 95 % interval as a band and no change as a line."""
    told = [point for point in points if point.get("lift") is not None and point.get("high") is not None]
    times = [datetime.fromtimestamp(point["end"], UTC).isoformat() for point in told]
    low, value, high = ([100 * point[name] for point in told] for name in ("low", "lift", "high"))
    figure = _figure(showlegend=False, hovermode="x unified", yaxis_title="Lift, %")
    figure.add_scatter(
        x=[*times, *reversed(times)], y=[*high, *reversed(low)], fill="toself", fillcolor=ACCENT, opacity=0.18,
        line={"width": 0}, hoverinfo="skip", mode="lines",
    )  # fmt: skip
    figure.add_scatter(
        name="lift", x=times, y=value, mode="lines+markers", line={"color": ACCENT, "width": 2}, marker={"size": 5},
        customdata=list(zip(low, high, strict=True)),
        hovertemplate="%{y:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": MUTED, "width": 1, "dash": "dot"})
    settled = [bound for point in told[len(told) // 3 :] for bound in (100 * point["low"], 100 * point["high"])]
    if settled:  # the first hours' intervals would flatten all the rest
        reach = 1.1 * max(abs(bound) for bound in settled)
        figure.update_yaxes(range=[max(-105, -reach), min(reach, 400)], rangemode="normal")
    columns = (
        "Until (UTC)",
        "Control users",
        "Converted",
        "Treatment users",
        "Converted",
        "Lift, %",
        "Low, %",
        "High, %",
    )
    rows = tuple(
        (_minute(point["end"]), point["controlUsers"], point["controlConverted"], point["treatmentUsers"],
         point["treatmentConverted"], *(_percent(point.get(name)) for name in ("lift", "low", "high")))
        for point in points
    )  # fmt: skip
    return Chart(key, "Lift over time", figure.to_plotly_json(), columns, rows)


def _minute(seconds: float) -> str:
    """Epoch seconds for a table that says UTC at its head."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def trial_lines(key: str, trials: Sequence[Mapping[str, Any]], objective: str) -> Chart | None:
    """Every finished trial of a tuning as a line through its settings to its value; None below two or without settings."""
    trials = [trial for trial in trials if trial.get("value") is not None]
    names = sorted({name for trial in trials for name in trial["parameters"]})
    scales = [(name, _scale([trial["parameters"].get(name, "") for trial in trials])) for name in names]
    if len(trials) < 2 or not names:
        return None
    values = [float(trial["value"]) for trial in trials]
    figure = _figure()
    figure.add_parcoords(
        dimensions=[
            {"label": name, "values": scale[0], "tickvals": scale[1], "ticktext": scale[2]} for name, scale in scales
        ]
        + [{"label": objective, "values": values}],
        line={"color": values, "colorscale": [[0, LINE], [1, ACCENT]], "showscale": False},
        labelfont={"color": INK},
        tickfont={"color": MUTED},
        rangefont={"color": "rgba(0,0,0,0)"},
    )
    figure.update_layout(margin={"l": 64, "r": 48, "t": 48, "b": 24})
    rows = tuple(
        (trial["number"], *(trial["parameters"].get(name) for name in names), trial["value"]) for trial in trials
    )
    return Chart(key, "Trials of the tuning", figure.to_plotly_json(), ("Trial", *names, objective), rows)


def is_loss(name: str) -> bool:
    """Whether less is better."""
    return "loss" in name


def plain(name: str) -> str:
    """A figure's name as a person says it.

    >>> plain("validation_ndcg_at_10")
    'Validation NDCG at 10'
    """
    words = [word.upper() if word in ACRONYMS else word for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _scale(texts: Sequence[str]) -> tuple[list[float], list[float] | None, list[str] | None]:
    """Where settings stand on an axis: numbers where they are, words one after the other."""
    try:
        return [float(text) for text in texts], None, None
    except ValueError:
        words = sorted(set(texts))
        return [float(words.index(text)) for text in texts], [float(place) for place in range(len(words))], words


def _figure(**layout: Any) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "size": 12, "family": "system-ui, sans-serif"},
        margin={"l": 48, "r": 48, "t": 24, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis=_axis(showgrid=False),
        yaxis=_axis(rangemode="tozero"),
        hoverlabel={"bgcolor": "var(--op-card)", "bordercolor": LINE, "font": {"color": INK}},
    )
    return figure.update_layout(**layout)


def _axis(**more: Any) -> dict[str, Any]:
    return {
        "gridcolor": LINE,
        "linecolor": LINE,
        "zerolinecolor": LINE,
        "tickfont": {"color": MUTED},
        "automargin": True,
    } | more


def _whiskers(bars: Sequence[Bar]) -> dict[str, Any] | None:
    if all(bar.low is None or bar.high is None for bar in bars):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if bar.high is None else max(0.0, bar.high - bar.value) for bar in bars],
        "arrayminus": [0 if bar.low is None else max(0.0, bar.value - bar.low) for bar in bars],
        "color": INK,
        "thickness": 1.2,
        "width": 4,
    }


def _numbers(
    head: str, places: Iterable[Any], series: Mapping[str, Mapping[Any, Bar]], unit: str = ""
) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Heads and rows of the table: a value for each series, with its interval where the series has some."""
    parts = [(name, part) for name, points in series.items() for part in _parts(points.values())]
    heads = (f"{name}{'' if part == 'value' else f' {part}'}{unit}" for name, part in parts)
    rows = ((place, *(getattr(series[name].get(place), part, None) for name, part in parts)) for place in places)
    return (head, *heads), tuple(rows)


def _parts(bars: Iterable[Bar]) -> tuple[str, ...]:
    return ("value", "low", "high") if any(bar.low is not None for bar in bars) else ("value",)
