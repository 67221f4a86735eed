"""RecBole's GRU4Rec and SASRec: its networks, losses and augmentation (each prefix foretells its next item), Adam as there.

Its data pipeline wants files and a split of its own, and its trainer counts epochs; batches are drawn here instead, so
that the split is everybody's and the budget is one of CPU seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from common import Fitted, History, Split, parse, run
from recbole.config import Config
from recbole.model.sequential_recommender import GRU4Rec, SASRec
from watch import Watch, forever

KINDS = {"gru4rec": GRU4Rec, "sasrec": SASRec}
LEARNING_RATE = 1e-3


class _Catalogue:
    """What a network asks of RecBole's dataset: how many items there are, padding counted."""

    def __init__(self, num_items: int) -> None:
        self.num_items = num_items

    def num(self, _: str) -> int:
        """Items and the padding."""
        return self.num_items + 1


def train(model: str, split: Split) -> Fitted:
    """Fit the named network; the best state on the validation users is kept."""
    name, settings = parse(model)
    length, watch = int(settings["length"]), Watch(split)
    network = _network(name, length, split.num_items)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    padded = [np.concatenate([np.zeros(length, np.int64), history.items + 1]) for history in watch.train]
    ends = [(row, end) for row, history in enumerate(watch.train) for end in range(1, len(history))]
    places = np.array(ends, np.int64)
    rng = np.random.default_rng(0)

    def epoch() -> Iterator[dict[str, torch.Tensor]]:
        order = rng.permutation(len(places))
        for start in range(0, len(order), int(settings["batch"])):
            chosen = places[order[start : start + int(settings["batch"])]]
            windows = np.stack([padded[row][end : end + length] for row, end in chosen])
            target = np.array([padded[row][end + length] for row, end in chosen])
            yield _batch(windows) | {"item_id": torch.from_numpy(target)}

    def score(histories: Sequence[History]) -> np.ndarray:
        network.eval()
        windows = np.zeros((len(histories), length), np.int64)
        for row, history in enumerate(histories):
            kept = history.last(length).items
            windows[row, length - len(kept) :] = kept + 1
        with torch.inference_mode():
            return network.full_sort_predict(_batch(windows)).view(len(histories), -1)[:, 1:].numpy()

    network.train()
    for batch in forever(epoch):
        optimiser.zero_grad()
        network.calculate_loss(batch).backward()
        optimiser.step()
        if watch.over(score, network):
            break
    return Fitted(score, watch.finish(network))


def _network(name: str, length: int, num_items: int) -> Any:
    sys.argv = sys.argv[:1]  # RecBole reads the command line too
    config = Config(
        model=KINDS[name].__name__,
        dataset="ml-100k",  # a name is asked for; nothing is read
        config_dict={"MAX_ITEM_LIST_LENGTH": length, "train_neg_sample_args": None, "use_gpu": False, "seed": 0},
    )
    torch.manual_seed(0)
    return KINDS[name](config, _Catalogue(num_items))


def _batch(windows: np.ndarray) -> dict[str, torch.Tensor]:
    """RecBole pads on the right: left-padded (B, T) windows moved to the front; who has no event gets the padding."""
    sizes = (windows > 0).sum(axis=1)
    turned = np.stack([np.roll(row, size) for row, size in zip(windows, sizes, strict=True)])
    return {"item_id_list": torch.from_numpy(turned), "item_length": torch.from_numpy(np.maximum(sizes, 1))}


if __name__ == "__main__":
    run(train)
