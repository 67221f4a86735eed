"""The generator of any size and the drawings of what was measured on it."""

from __future__ import annotations

import tracemalloc
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from benchmarks import generate
from benchmarks.generate import write_interactions
from benchmarks.plot import log_log, slope


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return pd.read_csv(write_interactions(tmp_path_factory.mktemp("made") / "events.csv", 60_000, 800, 600))


def test_it_has_the_size_that_was_asked_for(events):
    assert len(events) == pytest.approx(60_000, rel=0.1)
    assert events["USER_ID"].nunique() == 800
    assert events["ITEM_ID"].between(0, 599).all()
    assert events["ITEM_ID"].nunique() > 400


def test_the_events_of_a_user_stand_together_and_in_order(events):
    assert events["USER_ID"].is_monotonic_increasing
    assert (events.groupby("USER_ID")["TIMESTAMP"].diff().dropna() >= 0).all()


def test_what_comes_next_can_be_learned(events):
    """The next item is of the same cluster as the last far more often than chance has it."""
    cluster = events["ITEM_ID"] % (600 // generate.CLUSTER_ITEMS)
    same_user = events["USER_ID"].diff() == 0
    stays = (cluster.diff() == 0)[same_user].mean()
    assert stays == pytest.approx(generate.STAY, abs=0.05)


def test_the_same_seed_makes_the_same_file(tmp_path):
    first, second = (write_interactions(tmp_path / name, 2_000, 40, 200).read_bytes() for name in ("a.csv", "b.csv"))
    assert first == second


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "BLOCK_EVENTS", 5_000)
    peaks = []
    for events in (20_000, 200_000):
        tracemalloc.start()
        write_interactions(tmp_path / f"{events}.csv", events, events // 20, 500)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_a_drawing_shows_every_point_and_name():
    lines = {"sims": [(10, 2), (1000, 300)], "popularity": [(100, 5)]}
    drawn = ET.fromstring(log_log("a < b", "events", "MiB", lines))  # noqa: S314  our own
    namespace = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{namespace}circle")) == 3
    texts = [element.text for element in drawn.findall(f"{namespace}text")]
    assert {"a < b", "sims", "popularity", "events", "MiB"} <= set(texts)
    places = [float(element.get("cy")) for element in drawn.findall(f"{namespace}circle")]
    assert places[1] < places[0]  # more is higher


def test_a_slope_is_the_power_of_growth():
    sizes = np.array([1e3, 1e4, 1e6])
    assert slope([(x, 7 * x**1.5) for x in sizes]) == pytest.approx(1.5)
