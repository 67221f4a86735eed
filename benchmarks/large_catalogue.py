"""`python -m benchmarks.large_catalogue`: lists of a catalogue of a million items by candidates, beside lists by exact scores of all items.

A model of user-personalization is trained with a network on interactions that `benchmarks.generate` makes; item embeddings are
those that the training gives. Both lists are asked alternately for the same users, whose newest event is left out so that the
network must read their history; milliseconds are those of the processor, from the history to the items and their shares.
Recall is the share of the exact list's first items that stand among the first of the other list. `--write` renews results/large-catalogue.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import table
from benchmarks.datasets import CACHE
from benchmarks.generate import write_interactions
from benchmarks.running import timed
from recipes import artefact
from recipes.base import Model
from recipes.components.recurrent import Recurrent
from recipes.data import Histories
from recipes.listing import ListPlaces, Mask, best_places, explored
from recipes.methods.user_personalization import UserPersonalization
from recipes.numerics.arrays import Floats
from recipes.numerics.candidates import Candidates
from recipes.run import Run
from recipes.stacking.model import StackedModel

FOLDER = CACHE / "large-catalogue"
ITEMS, USERS, EVENTS = 1_030_000, 80_000, 8_000_000  # some of the items get no event
K, NEAR = 25, 10
WARM = 10
FILTERS = {"none": 1.0, "passes 5 %": 0.05, "passes 1 %": 0.01}
HEADS = (
    "scores",
    "filter",
    "exact_p50_ms",
    "exact_p99_ms",
    "list_p50_ms",
    "list_p99_ms",
    f"recall@{NEAR}",
    f"recall@{K}",
    "share_error",
)
Row = dict[str, float | str]


def main() -> None:
    """Train unless a model is given, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="an artefact; trained by default")
    parser.add_argument("--budget", type=int, default=300, help="seconds of the training")
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    loaded = artefact.load(options.model or _trained(options.budget))
    model = loaded.model
    assert isinstance(model, StackedModel)  # noqa: S101  the recipe's
    alone = _network_alone(_quantized(model))
    histories = _histories(loaded.data.histories(), options.users)
    rows = [
        {"scores": name} | row
        for name, asked in (("whole stack", model), ("network alone", alone))
        for row in _measured(asked, histories)
    ]
    page = _page(rows, model.num_items, options.budget)
    print(page)
    if options.write:
        table.write_pages({"large-catalogue": page})


def _trained(budget: int) -> Path:
    out, file = FOLDER / "model", write_interactions(FOLDER / "interactions.csv", EVENTS, USERS, ITEMS)
    shutil.rmtree(out, ignore_errors=True)
    recipe = ["--recipe", "aws-user-personalization", "--max-seconds", str(budget), "--holdout", "none"]
    timed([sys.executable, "-m", "recipes", "train", str(file), *recipe, "--out", str(out)], FOLDER / "train.log")
    return out


def _quantized(model: StackedModel) -> Recurrent:
    """The network, prepared as when it is stored; a model of an earlier version is not."""
    nobody = Histories.of([])
    model.components = tuple(
        component.prepared(nobody, Run())
        if isinstance(component, Recurrent) and not component.approximates
        else component
        for component in model.components
    )
    network = model.component(Recurrent)
    assert network is not None  # noqa: S101  the data are such that it helps
    return network


def _network_alone(network: Recurrent) -> StackedModel:
    """What depends on the network most: no other component helps to find candidates."""
    return StackedModel(UserPersonalization(), len(network.network.table), [network])


def _histories(histories: Histories, count: int) -> list[Histories]:
    """Of users drawn at random, without the newest event."""
    users = np.random.default_rng(0).permutation(np.flatnonzero(np.diff(histories.offsets) > 1))[: count + WARM]
    rows = [histories.rows(user, user + 1) for user in users.tolist()]
    return [row.without(len(row.item_index) - 1) for row in rows]


def _measured(model: StackedModel, histories: list[Histories]) -> list[Row]:
    rng, rows = np.random.default_rng(1), []
    for name, share in FILTERS.items():
        mask = None if share == 1 else rng.random(model.num_items) < share
        exact, short = [], []
        seconds: tuple[list[float], list[float]] = ([], [])
        for history in histories:
            for found, took, scores in ((exact, seconds[0], _exact), (short, seconds[1], _by_candidates)):
                began = time.thread_time()
                found.append(_listed(model, scores(model, history, mask), mask))
                took.append(time.thread_time() - began)
        rows.append(
            {"filter": name} | _times("exact", seconds[0]) | _times("list", seconds[1]) | _differences(exact, short)
        )
    return rows


def _exact(model: Model, history: Histories, mask: Mask) -> Floats:  # noqa: ARG001  as the other
    return model.score(history)


def _by_candidates(model: Model, history: Histories, mask: Mask) -> Floats:
    return model.list_scores(history, Candidates(mask))


def _listed(model: Model, scores: Floats, mask: Mask) -> ListPlaces:
    found, shown = explored(scores, [mask], None, K, np.random.default_rng(0))
    return best_places(model, found, shown, K, has_shares=True)


def _times(name: str, seconds: list[float]) -> Row:
    kept = 1000 * np.array(seconds[WARM:])
    return {f"{name}_p{share}_ms": round(float(np.percentile(kept, share)), 1) for share in (50, 99)}


def _differences(exact: list[ListPlaces], short: list[ListPlaces]) -> Row:
    """Recalls, and by how much the first item's share is off."""
    pairs = list(zip(exact, short, strict=True))[WARM:]
    row: Row = {}
    for k in (NEAR, K):
        recalls = [np.isin(true.items[0, :k], found.items[0, :k]).mean() for true, found in pairs]
        row[f"recall@{k}"] = round(float(np.mean(recalls)), 4)
    ratios = [found.shares[0, 0] / true.shares[0, 0] for true, found in pairs]  # type: ignore[index]  # wanted
    return row | {"share_error": f"{100 * np.mean(np.abs(np.array(ratios) - 1)):.1f} %"}


def _page(rows: list[Row], items: int, budget: int) -> str:
    body = [[str(row[head]) for head in HEADS] for row in rows]
    note = (
        f"{items:,} items, {EVENTS:,} events, trained within {budget} seconds; lists of {K} for users whose history the network reads. "
        "Milliseconds of the processor, one thread, both kinds of lists alternately in one process: `exact` multiplies the network's "
        "state with all item embeddings, `list` with those of candidates. A filter that passes so few items that all of them can be "
        f"scored leaves nothing to recall. Load {os.getloadavg()[0]:.1f}."
    )
    return "\n\n".join(["# Lists of a large catalogue", table.shape(), table.markdown(HEADS, body), note])


if __name__ == "__main__":
    main()
