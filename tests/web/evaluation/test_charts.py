"""Figures are drawn in the theme's colours and carry the numbers behind them."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from console.web.charts import Bar, by_cutoff, lorenz, metric_bars, share_bars, training_curves, trial_lines

BARS = [Bar("NDCG at 10", 0.19, 0.17, 0.22), Bar("Coverage", 0.4)]


def test_it_works():
    chart = metric_bars("bars", "Metrics", {"films": BARS, "popularity": [Bar("NDCG at 10", 0.07)]})
    drawn, baseline = chart.figure["data"]
    assert list(drawn["y"]) == [0.19, 0.4]
    assert [round(part, 2) for part in drawn["error_y"]["array"]] == [0.03, 0]
    assert [round(part, 2) for part in drawn["error_y"]["arrayminus"]] == [0.02, 0]
    assert baseline["marker"]["color"] == "var(--op-even)"
    assert "error_y" not in baseline
    assert chart.columns == ("Metric", "films", "films low", "films high", "popularity")
    assert chart.rows == (("NDCG at 10", 0.19, 0.17, 0.22, 0.07), ("Coverage", 0.4, None, None, None))


def test_shares_are_in_percent_on_the_axis_and_in_the_table():
    chart = share_bars("tiers", "Tiers", {"films": [Bar("head", 0.55), Bar("tail", 0.05)]}, "Popularity")
    assert chart.figure["layout"]["yaxis"]["ticksuffix"] == " %"
    assert list(chart.figure["data"][0]["y"]) == [pytest.approx(55), pytest.approx(5)]
    assert chart.columns == ("Popularity", "films, %")
    assert chart.rows[1] == ("tail", pytest.approx(5))


def test_concentration_is_in_percent_on_both_axes_and_in_the_table():
    points = [{"items": 0.0, "share": 0.0}, {"items": 0.5, "share": 0.125}, {"items": 1.0, "share": 1.0}]
    chart = lorenz("lorenz", {"films": points})
    assert [chart.figure["layout"][axis]["ticksuffix"] for axis in ("xaxis", "yaxis")] == [" %", " %"]
    assert list(chart.figure["data"][0]["y"]) == [0, 12.5, 100]
    assert chart.columns == ("Share of items, %", "films, %")
    assert chart.rows[1] == (50, 12.5)


def test_the_numbers_can_be_taken_along_as_csv():
    lines = unquote(metric_bars("bars", "Metrics", {"films": BARS}).csv_url.partition(",")[2]).splitlines()
    assert lines == ["Metric,films,films low,films high", "NDCG at 10,0.19,0.17,0.22", "Coverage,0.4,,"]


def test_every_colour_is_the_themes():
    chart = metric_bars("bars", "Metrics", {f"version {n}": BARS for n in range(6)})
    assert all(trace["marker"]["color"].startswith("var(--op-") for trace in chart.figure["data"])
    assert chart.figure["layout"]["font"]["color"] == "var(--op-ink)"


def test_curves_put_loss_left_and_validation_right_and_mark_the_best_epoch():
    epochs = [
        {"epoch": 1, "loss": 5.0, "validation_ndcg_at_10": 0.1},
        {"epoch": 2, "loss": 4.0, "validation_ndcg_at_10": 0.2},
    ]
    chart = training_curves("curves", epochs, 2)
    assert chart is not None
    loss, validation = chart.figure["data"]
    assert (loss["yaxis"], validation["yaxis"]) == ("y", "y2")
    assert chart.figure["layout"]["shapes"][0]["x0"] == 2
    assert chart.figure["layout"]["annotations"][0]["text"] == "best, epoch 2"
    assert chart.rows == ((1, 5.0, 0.1), (2, 4.0, 0.2))
    assert chart.columns == ("Epoch", "Loss", "Validation NDCG at 10")


def test_curves_without_a_loss_have_one_axis():
    chart = training_curves("curves", [{"epoch": 1, "validation": 0.1}], None)
    assert chart is not None
    assert chart.figure["data"][0]["yaxis"] == "y"


def test_there_are_no_curves_without_epochs():
    assert training_curves("curves", [], None) is None


def test_cutoffs_are_in_order_with_their_intervals():
    chart = by_cutoff("k", "NDCG", {"films": {25: Bar("25", 0.3, 0.2, 0.4), 5: Bar("5", 0.1, 0.0, 0.2)}})
    assert list(chart.figure["data"][0]["x"]) == [5, 25]
    assert [row[0] for row in chart.rows] == [5, 25]


def test_trials_are_lines_through_numbers_and_words():
    trials = [
        {"number": 0, "parameters": {"bptt": "8", "recency_mask": "true"}, "value": 0.2},
        {"number": 1, "parameters": {"bptt": "16", "recency_mask": "false"}, "value": 0.3},
    ]
    chart = trial_lines("trials", trials, "NDCG at 10")
    assert chart is not None
    bptt, mask, value = chart.figure["data"][0]["dimensions"]
    assert list(bptt["values"]) == [8.0, 16.0]
    assert list(mask["ticktext"]) == ["false", "true"]
    assert list(value["values"]) == [0.2, 0.3]
    assert chart.rows[1] == (1, "16", "false", 0.3)
    assert trial_lines("trials", trials[:1], "NDCG at 10") is None
