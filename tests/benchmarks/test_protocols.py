"""Nothing of the truth is in what a system may see."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from benchmarks.protocols import prepare


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    rows = [(f"u{u}", f"i{(u + 3 * n) % 50}", 1000 + n) for u in range(40) for n in range(20)]
    frame = pd.DataFrame([*rows, ("once", "i1", 5)], columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    frame.sample(frac=1, random_state=0).to_csv(folder / "interactions.csv", index=False)
    pd.DataFrame({"ITEM_ID": [f"i{n}" for n in range(60)], "GENRE": "x"}).to_csv(folder / "items.csv", index=False)
    return folder


def files(split):
    train, histories = (pd.read_csv(split.folder / f"{name}.csv", dtype=str) for name in ("train", "histories"))
    return train, histories, json.loads((split.folder / "truth.json").read_text())


def test_next_keeps_each_users_last_event_back(source, tmp_path):
    train, histories, truth = files(prepare("toy", source, tmp_path, "next"))
    assert len(truth) == 40
    assert truth["u7"] == [f"i{(7 + 57) % 50}"]
    assert train["TIMESTAMP"].astype(int).max() == 1018
    assert train.groupby("USER_ID").size().drop("once").eq(19).all()
    assert set(histories["USER_ID"]) == set(truth)
    assert len(histories) == 40 * 19


def test_amazon_keeps_a_tenth_of_the_users_out_of_training(source, tmp_path):
    train, histories, truth = files(prepare("toy", source, tmp_path, "amazon"))
    assert len(truth) == 4
    assert not set(truth) & set(train["USER_ID"])
    assert {len(items) for items in truth.values()} == {2}
    assert histories["TIMESTAMP"].astype(int).max() == 1017
    assert len(histories) == 4 * 18


def test_another_seed_draws_other_users(source, tmp_path):
    drawn = [frozenset(files(prepare("toy", source, tmp_path, "amazon", seed))[2]) for seed in range(5)]
    assert len(set(drawn)) > 2


def test_the_same_split_is_drawn_again(source, tmp_path):
    one, other = (prepare("toy", source, tmp_path / name, "next") for name in ("a", "b"))
    assert one.fingerprint == other.fingerprint


def test_the_fingerprint_tells_other_files(source, tmp_path):
    split = prepare("toy", source, tmp_path, "next")
    before = split.fingerprint
    (split.folder / "items.csv").write_text("ITEM_ID,GENRE\ni1,y\n")
    assert prepare("toy", source, tmp_path, "next").fingerprint != before


def test_the_catalogue_counts_items_that_are_only_described(source, tmp_path):
    split = prepare("toy", source, tmp_path, "next")
    assert (split.num_items, split.catalogue_size) == (50, 60)
    assert not split.has_repeats
