"""Plots as Plotly figures, for files that are opened without a server: they zoom, say values on hover and hide series.

Pages draw the same plots as SVG (`console.web.plots.svg`): a page's share of Plotly's script would be most of its weight.
"""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString

from console.web.plots.model import SERIES, Colour, Look, Plot, Point, Scale, Series

COLOURS = dict(zip(SERIES, ("#3b5bdb", "#e8590c", "#2b8a3e", "#9c36b5", "#0c8599", "#a61e4d"), strict=True)) | {
    Colour.BASELINE: "#868e96",
    Colour.RANDOM: "#ced4da",
    Colour.GOOD: "#2b8a3e",
    Colour.BAD: "#c92a2a",
}
MODES = {Look.LINE: "lines", Look.STEPS: "lines+markers", Look.POINTS: "markers"}
DASHES = ("solid", "dash", "dot", "dashdot")
MARGIN = {"l": 60, "r": 60, "t": 20, "b": 60}


def script() -> SafeString:
    """Plotly's JavaScript as an element, once for all figures of a file."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  only files that are downloaded need it

    return SafeString(f"<script>{get_plotlyjs()}</script>")


def draw(plot: Plot, key: str) -> SafeString:
    """The figure as an element with the id `key`, for a file that has the `script`."""
    from plotly.io import to_html  # noqa: PLC0415

    text: str = to_html(
        figure(plot), full_html=False, include_plotlyjs=False, div_id=f"{key}-figure", config={"displaylogo": False}
    )
    return SafeString(text)  # Plotly writes values as JSON, in which < and > are escaped


def figure(plot: Plot) -> Any:
    """The plot as a `plotly.graph_objects.Figure`."""
    from plotly import graph_objects  # noqa: PLC0415

    drawn = graph_objects.Figure()
    for series in plot.series:
        drawn.add_trace(
            graph_objects.Bar(_bar(series)) if series.look is Look.BARS else graph_objects.Scatter(_line(series))
        )
    for mark in plot.marks:
        add = drawn.add_vline if mark.is_vertical else drawn.add_hline
        add(mark.value, line_color=COLOURS.get(mark.colour), line_dash="dot", annotation_text=mark.words)
    drawn.update_layout(
        template="plotly_white", height=plot.height + 120, margin=MARGIN, barmode="stack" if plot.is_stacked else "group",
        bargap=1 - plot.bar_width, xaxis=_axis(plot.x), yaxis=_axis(plot.y), hovermode="closest",
    )  # fmt: skip
    if plot.right is not None:
        drawn.update_layout(yaxis2=_axis(plot.right) | {"overlaying": "y", "side": "right"})
    return drawn


def _bar(series: Series) -> dict[str, Any]:
    return _shared(series) | {"marker": {"color": COLOURS.get(series.colour)}}


def _line(series: Series) -> dict[str, Any]:
    style = {"color": COLOURS.get(series.colour), "dash": DASHES[series.style % len(DASHES)]}
    return _shared(series) | {"mode": MODES[series.look], "line": style, "marker": {"color": style["color"], "size": 9}}


def _shared(series: Series) -> dict[str, Any]:
    """What bars and lines have in common: places, values, intervals, words."""
    points = series.points
    return {
        "name": series.name,
        "x": [point.x for point in points],
        "y": [point.y for point in points],
        "error_y": _intervals(points),
        "hovertext": [point.words for point in points],
        "yaxis": "y2" if series.is_on_right else "y",
    }


def _intervals(points: tuple[Point, ...]) -> dict[str, Any] | None:
    """Whiskers from the low to the high end of each interval; None where no point has one."""
    ends = [(point.y, point.low, point.high) for point in points]
    if all(None in end for end in ends):
        return None
    above = [0.0 if value is None or high is None else high - value for value, _, high in ends]
    below = [0.0 if value is None or low is None else value - low for value, low, _ in ends]
    return {"type": "data", "array": above, "arrayminus": below, "thickness": 1}


def _axis(scale: Scale) -> dict[str, Any]:
    """The scale's range, ticks and title."""
    ticks = list(enumerate(scale.names)) if scale.names else list(scale.ticks)
    return {
        "title": {"text": scale.title},
        "range": [scale.low, scale.high],
        "tickvals": [place for place, _ in ticks],
        "ticktext": [words for _, words in ticks],
    }
