"""What items are worth before anybody took them: as their metadata say, whatever date they bear."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recipes.cold_start.appeal import appeal_of_metadata
from recipes.cold_start.evidence import gather
from recipes.dataset import Dataset

DAY = 86_400
START = 1_700_000_000


@pytest.fixture
def kinds() -> tuple[np.ndarray, np.ndarray]:
    """Two hundred items of four kinds: features, and events of which kind 0 had four times as many."""
    rng = np.random.default_rng(0)
    kind = np.arange(200) % 4
    return np.eye(4, dtype=np.float32)[kind], rng.poisson(np.where(kind == 0, 40, 10)).astype(np.float64)


def test_metadata_tell_which_kinds_are_taken_oftener(kinds):
    features, events = kinds
    appeal = appeal_of_metadata(features, events, np.full(200, events.mean()))
    assert np.ptp(appeal[::4]) < 1e-9
    assert 3 < appeal[0] / appeal[1] < 5
    assert appeal.mean() == pytest.approx(1, abs=0.05)


def test_items_that_nobody_could_take_teach_nothing_and_learn_from_the_others(kinds):
    features, events = kinds
    expected = np.full(200, events.mean())
    events[:8], expected[:8] = 0, 0
    appeal = appeal_of_metadata(features, events, expected)
    assert appeal[0] == pytest.approx(appeal[100])


def test_metadata_that_say_nothing_make_no_difference():
    rng = np.random.default_rng(1)
    features = rng.standard_normal((300, 20)).astype(np.float32)
    appeal = appeal_of_metadata(features, rng.poisson(20, 300).astype(np.float64), np.full(300, 20.0))
    assert appeal.std() < 0.06


@pytest.mark.parametrize("features", [np.zeros((50, 0), np.float32), np.zeros((50, 3), np.float32)])
def test_without_metadata_all_are_alike(features):
    assert (appeal_of_metadata(features, np.arange(50.0), np.full(50, 20.0)) == 1).all()


def test_what_nobody_took_and_no_list_showed_may_have_come_only_now():
    """Whatever its date: that an old film was not taken before it was in the catalogue says nothing of it."""
    rng = np.random.default_rng(2)
    events = pd.DataFrame(
        {
            "USER_ID": rng.integers(0, 50, 2000).astype(str),
            "ITEM_ID": rng.integers(0, 40, 2000).astype(str),
            "TIMESTAMP": START + rng.integers(0, 30 * DAY, 2000),
        }
    )
    items = pd.DataFrame(
        {"ITEM_ID": [str(item) for item in range(42)], "CREATION_TIMESTAMP": [START] * 41 + [START + 30 * DAY]}
    )
    evidence = gather(Dataset.from_frames(events, items=items).training)
    assert evidence.is_unmet.tolist() == [False] * 40 + [True] * 2
    assert (evidence.expected[:40] > 10).all()
    assert (evidence.expected[40:] == 0).all()
