"""Plots as Plotly figures: the same points, intervals, ticks and marks as the drawing; names cannot leave their script."""

from __future__ import annotations

from console.web import charts
from console.web.charts import Bar
from console.web.plots.interactive import draw, figure


def chart():
    return charts.metric_bars(
        "m", "Metrics", {"sims": [Bar("NDCG", 0.3, 0.2, 0.5), Bar("MRR", 0.1)], "popularity": [Bar("NDCG", 0.2)]}
    )


def test_it_holds_what_is_drawn():
    plot = chart().plot
    drawn = figure(plot)
    assert [trace.name for trace in drawn.data] == [series.name for series in plot.series]
    assert list(drawn.data[0].y) == [0.3, 0.1]
    assert list(drawn.data[0].error_y.array) == [0.5 - 0.3, 0.0]
    assert list(drawn.data[0].error_y.arrayminus) == [0.3 - 0.2, 0.0]
    assert list(drawn.layout.xaxis.ticktext) == ["NDCG", "MRR"]


def test_a_name_cannot_end_the_script():
    found = draw(charts.metric_bars("m", "t", {"</script><img src=x>": [Bar("a", 1.0)]}).plot, "m")
    assert "</script><img" not in found
