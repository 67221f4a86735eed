"""Systems run for real on a small split: each user walks a ring of items, so the next one is known."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from benchmarks import metadata
from benchmarks.__main__ import add_common, run
from benchmarks.judge import judge
from benchmarks.protocols import prepare
from benchmarks.running import PEERS, folder_of, measured
from benchmarks.systems import NETWORKS, OURS, THEIRS, System

RING = 40
POPULARITY = System("popularity", "aws-popularity-count")


@pytest.fixture
def split(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    rows = [(f"u{u}", f"i{(u + n) % RING}", 1000 * u + n) for u in range(120) for n in range(8 + u % 5)]
    pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]).to_csv(source / "interactions.csv", index=False)
    pd.DataFrame({"ITEM_ID": [f"i{n}" for n in range(RING)]}).to_csv(source / "items.csv", index=False)
    return prepare("ring", source, tmp_path / "splits", "next")


def options(*words):
    return add_common(argparse.ArgumentParser()).parse_args(words)


def adapter(name, model, split, out, **variables):
    out.mkdir()
    command = [sys.executable, str(PEERS / name), model, str(split.folder), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, env=os.environ | variables)
    truth = json.loads((split.folder / "truth.json").read_text())
    return json.loads(done.stdout.splitlines()[-1]), judge(out / "lists.jsonl", truth, split.num_items)


def test_names_of_systems_are_told_apart():
    names = [system.name for system in (*OURS, *THEIRS)]
    assert len(set(names)) == len(names)
    assert all((PEERS / system.adapter).is_file() for system in THEIRS)


@pytest.mark.slow
def test_ours_are_measured_once_and_found_again(split, capsys):
    assert measured(POPULARITY, split) is None
    assert run(POPULARITY, split, options("--cached")) is None
    first = run(POPULARITY, split, options())
    assert first["queries"] == 120
    assert first["train_s"] > 0
    assert first["train_cpu_s"] > 0
    assert first["single_p50_ms"] <= first["single_p99_ms"]
    assert run(POPULARITY, split, options()) == first
    assert run(POPULARITY, split, options("--cached", "--max-load", "0")) is None
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [first, first]


def test_another_definition_or_split_is_another_result(split):
    other = System("popularity", "aws-popularity-count", with_metadata=False)
    before = folder_of(POPULARITY, split)
    assert folder_of(other, split) != before
    (split.folder / "truth.json").write_text("{}")
    again = prepare("ring", split.folder, split.folder.parents[1], "next")
    assert folder_of(POPULARITY, again) != before


def test_what_fails_is_told_not_kept(split, capsys):
    broken = System("broken", "aws-no-such-recipe")
    assert "aws-no-such-recipe" in run(broken, split, options())["error"]
    assert measured(broken, split) is None
    assert "error" in json.loads(capsys.readouterr().out)


def test_an_adapter_writes_lists_without_seen_items(split, tmp_path):
    told, figures = adapter("ease.py", "ease,lambda=10,last=3", split, tmp_path / "out")
    assert figures["hit@10"] > 0.9
    assert told["train_cpu_s"] > 0
    seen = pd.read_csv(split.folder / "histories.csv", dtype=str).groupby("USER_ID")["ITEM_ID"].agg(set)
    for line in (tmp_path / "out" / "lists.jsonl").read_text().splitlines():
        answer = json.loads(line)
        assert not seen[answer["input"]["userId"]] & set(answer["output"]["recommendedItems"])


@pytest.mark.slow
def test_gru4rec_learns_the_ring_within_its_budget(split, tmp_path):
    told, figures = adapter("gru4rec.py", "gru4rec,factors=32", split, tmp_path / "out", PEER_CPU_SECONDS="8")
    assert figures["ndcg@10"] > 0.8
    assert told["told"]["ended_by"] == "budget"
    assert 8 <= told["train_cpu_s"] < 12


def test_networks_are_given_as_many_steps_as_a_processor_can_make():
    assert len(NETWORKS) == 6
    assert all("batch" in system.model or system.adapter == "gru4rec.py" for system in NETWORKS)


def test_thinned_data_keep_the_metadata(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    rows = [(f"u{u}", f"i{n}", n) for u in range(30) for n in range(u)]
    pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]).to_csv(source / "interactions.csv", index=False)
    (source / "items.csv").write_text("ITEM_ID,TITLE\ni1,lamp\n")
    short = pd.read_csv(metadata.thinned(source, tmp_path / "a", metadata.short_users) / "interactions.csv")
    assert set(short.groupby("USER_ID").size()) == set(range(3, 16))
    newest = pd.read_csv(metadata.thinned(source, tmp_path / "b", metadata.newest_eight) / "interactions.csv")
    assert newest.groupby("USER_ID").size().max() == 8
    assert newest.loc[newest["USER_ID"] == "u29", "TIMESTAMP"].min() == 21
    assert (tmp_path / "b" / "items.csv").read_text() == "ITEM_ID,TITLE\ni1,lamp\n"
