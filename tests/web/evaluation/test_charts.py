"""Figures are drawn in the theme's colours and carry the numbers behind them."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from console.web.charts import (
    Bar,
    bands,
    by_cutoff,
    lorenz,
    metric_bars,
    share_bars,
    stacked_over_time,
    training_curves,
)
from console.web.live_charts import lift_chart, traffic_chart, trial_lines
from console.web.plots.model import Look

BARS = [Bar("NDCG at 10", 0.19, 0.17, 0.22), Bar("Coverage", 0.4)]


def test_it_works():
    chart = metric_bars("bars", "Metrics", {"films": BARS, "popularity": [Bar("NDCG at 10", 0.07)]})
    drawn, baseline = chart.plot.series
    assert [(point.y, point.low, point.high) for point in drawn.points] == [(0.19, 0.17, 0.22), (0.4, None, None)]
    assert (drawn.colour, baseline.colour) == ("s0", "even")
    assert chart.columns == ("Metric", "films", "films low", "films high", "popularity")
    assert chart.rows == (("NDCG at 10", 0.19, 0.17, 0.22, 0.07), ("Coverage", 0.4, None, None, None))
    assert chart.svg.count('class="bar"') == 3
    assert chart.svg.count('class="whisker"') == 1
    assert "NDCG at 10\nfilms: 0.190 (0.170 to 0.220)" in chart.svg


def test_a_taller_value_is_drawn_taller():
    svg = metric_bars("bars", "Metrics", {"films": [Bar("a", 0.2), Bar("b", 0.4)]}).svg
    low, high = (float(height) for height in re.findall(r'class="bar"[^>]* height="([\d.]+)"', svg))
    assert high == pytest.approx(2 * low, rel=0.01)


def test_nothing_stands_inline_and_names_are_escaped():
    svg = metric_bars("bars", "<b>", {"<script>": BARS, "b": BARS}).svg
    assert "style=" not in svg
    assert "<script" not in svg
    assert "<b>" not in svg


def test_shares_are_in_percent_on_the_axis_and_in_the_table():
    chart = share_bars("tiers", "Tiers", {"films": [Bar("head", 0.55), Bar("tail", 0.05)]}, "Popularity")
    assert all(label.endswith(" %") for _, label in chart.plot.y.ticks)
    assert [point.y for point in chart.plot.series[0].points] == [pytest.approx(55), pytest.approx(5)]
    assert chart.columns == ("Popularity", "films, %")
    assert chart.rows[1] == ("tail", pytest.approx(5))


def test_concentration_is_in_percent_on_both_axes_and_in_the_table():
    points = [{"items": 0.0, "share": 0.0}, {"items": 0.5, "share": 0.125}, {"items": 1.0, "share": 1.0}]
    chart = lorenz("lorenz", {"films": points})
    assert [scale.ticks[-1][1] for scale in (chart.plot.x, chart.plot.y)] == ["100 %", "100 %"]
    assert [point.y for point in chart.plot.series[0].points] == [0, 12.5, 100]
    assert chart.columns == ("Share of items, %", "films, %")
    assert chart.rows[1] == (50, 12.5)


def test_the_numbers_can_be_taken_along_as_csv():
    lines = unquote(metric_bars("bars", "Metrics", {"films": BARS}).csv_url.partition(",")[2]).splitlines()
    assert lines == ["Metric,films,films low,films high", "NDCG at 10,0.19,0.17,0.22", "Coverage,0.4,,"]


def test_each_of_six_series_has_a_colour_and_a_key():
    chart = metric_bars("bars", "Metrics", {f"version {n}": BARS for n in range(6)})
    assert len({series.colour for series in chart.plot.series}) == 6
    assert chart.svg.count("data-key=") == 6


def test_curves_put_loss_left_and_validation_right_and_mark_the_best_epoch():
    epochs = [
        {"epoch": 1, "loss": 5.0, "validation_ndcg_at_10": 0.1},
        {"epoch": 2, "loss": 4.0, "validation_ndcg_at_10": 0.2},
    ]
    chart = training_curves("curves", epochs, 2)
    assert chart is not None
    loss, validation = chart.plot.series
    assert (loss.is_on_right, validation.is_on_right) == (False, True)
    assert [(mark.value, mark.words) for mark in chart.plot.marks] == [(2, "best, epoch 2")]
    assert "best, epoch 2" in chart.svg
    assert chart.rows == ((1, 5.0, 0.1), (2, 4.0, 0.2))
    assert chart.columns == ("Epoch", "Loss", "Validation NDCG at 10")


def test_rounds_of_a_training_are_lines_of_their_own_one_after_the_other():
    epochs = [{"epoch": n, "round": 1 + (n > 3), "loss": 5.0 - n, "validation": n / 10} for n in range(1, 6)]
    chart = training_curves("curves", epochs, 5)
    assert chart is not None
    loss, _ = chart.plot.series
    assert [point.x for point in loss.points] == sorted(point.x for point in loss.points)
    assert [point.y for point in loss.points] == [4.0, 3.0, 2.0, None, 1.0, 0.0]
    assert chart.columns == ("Epoch", "Loss", "Validation")
    lines = [line for line in chart.svg.split("<path ") if line.startswith('class="line d0')]
    assert max(line.partition("/>")[0].count("M") for line in lines) == 2


def test_curves_without_a_loss_have_one_axis():
    chart = training_curves("curves", [{"epoch": 1, "validation": 0.1}], None)
    assert chart is not None
    assert chart.plot.right is None
    assert not chart.plot.series[0].is_on_right


def test_there_are_no_curves_without_epochs():
    assert training_curves("curves", [], None) is None


def test_cutoffs_are_in_order_with_their_intervals():
    chart = by_cutoff("k", "NDCG", {"films": {25: Bar("25", 0.3, 0.2, 0.4), 5: Bar("5", 0.1, 0.0, 0.2)}})
    assert [point.x for point in chart.plot.series[0].points] == [5, 25]
    assert [row[0] for row in chart.rows] == [5, 25]


def test_trials_are_lines_through_numbers_and_words():
    trials = [
        {"number": 0, "parameters": {"bptt": "8", "recency_mask": "true"}, "value": 0.2},
        {"number": 1, "parameters": {"bptt": "16", "recency_mask": "false"}, "value": 0.3},
    ]
    chart = trial_lines("trials", trials, "NDCG at 10")
    assert chart is not None
    worse, better = chart.plot.series
    assert [point.y for point in worse.points] == [0, 1, 0]
    assert [point.y for point in better.points] == [1, 0, 1]
    assert chart.plot.x.names == ("bptt: 8 – 16", "recency_mask: false – true", "NDCG at 10")
    assert (worse.colour, better.colour) == ("q0", "q2")
    assert chart.rows[1] == (1, "16", "false", 0.3)
    assert trial_lines("trials", trials[:1], "NDCG at 10") is None


def test_intervals_of_long_curves_are_bands():
    svg = bands(
        "by-length", "NDCG", {"films": [{"k": k, "value": 0.1 * k, "low": 0.0, "high": 1.0} for k in (1, 2)]}
    ).svg
    assert svg.count('class="band"') == 1
    assert 'class="whisker"' not in svg
    assert "films at 2: 0.200 (0 to 1)" in svg


def test_traffic_stacks_errors_on_answers_and_leaves_a_gap_without_latency():
    minutes = [{"start": 60 * at, "requests": 10, "errors": at, "p95": None if at else 12.0} for at in range(2)]
    chart = traffic_chart("traffic", minutes)
    assert [series.look for series in chart.plot.series] == [Look.BARS, Look.BARS, Look.STEPS]
    tops = re.findall(r'class="bar" [^>]*y="([\d.]+)" height="([\d.]+)"', chart.svg)
    assert len(tops) == 3  # no bar where nothing was refused
    (answered, _), (refused, height) = tops[1], tops[2]
    assert float(refused) + float(height) == pytest.approx(float(answered), abs=0.2)
    assert chart.plot.series[2].points[1].y is None


def test_sums_over_time_stack_and_the_rest_is_grey():
    chart = stacked_over_time("sums", "Clicks", {"a": {0: 2.0, 900: 1.0}, "all others": {900: 3.0}}, 900, "all others")
    assert chart.plot.is_stacked
    assert [series.colour for series in chart.plot.series] == ["s0", "even"]
    assert chart.rows == (("1970-01-01 00:00", 2.0, 0), ("1970-01-01 00:15", 1.0, 3.0))


def test_a_lift_without_an_interval_is_left_out_of_the_line_and_kept_in_the_table():
    common = {"controlUsers": 5, "controlConverted": 1, "treatmentUsers": 5, "treatmentConverted": 2}
    points = [
        {"end": 3600, "lift": None, **common},
        {"end": 7200, "lift": 0.1, "low": -0.2, "high": 0.4, **common},
    ]
    chart = lift_chart("lift", points)
    assert [point.y for point in chart.plot.series[0].points] == [pytest.approx(10)]
    assert len(chart.rows) == 2
