"""GRU4Rec in plain torch after Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains" (CIKM 2018).

Session-parallel mini-batches of one step each with the state carried over, one embedding for input and output, negatives
drawn by popularity to the power 0.5 and shared by the batch, cross entropy with log-q correction, Adagrad.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from common import Fitted, History, Split, parse, run
from torch import Tensor, nn
from watch import Watch, forever

LANES = 48  # sessions side by side: few, so that there are many steps
NEGATIVES = 2048
ALPHA = 0.5
LEARNING_RATE = 0.065
INPUT_DROPOUT, STATE_DROPOUT = 0.25, 0.2
HISTORY = 200  # events that a state is built from when asked


class Network(nn.Module):
    """One GRU layer over item embeddings; scores are products with the same embeddings and a bias."""

    def __init__(self, num_items: int, factors: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_items + 1, factors, padding_idx=num_items)
        self.bias = nn.Parameter(torch.zeros(num_items))
        self.cell = nn.GRU(factors, factors, batch_first=True)
        bound = (6 / (num_items + factors)) ** 0.5
        nn.init.uniform_(self.embedding.weight, -bound, bound)
        self.drop_input, self.drop_state = nn.Dropout(INPUT_DROPOUT), nn.Dropout(STATE_DROPOUT)

    def forward(self, items: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T) items and the state before them (1, B, D) to outputs (B, T, D) and the state after them."""
        output, state = self.cell(self.drop_input(self.embedding(items)), state)
        return self.drop_state(output), state


def train(model: str, split: Split) -> Fitted:
    """Steps until the watch ends it."""
    torch.manual_seed(0)
    _, settings = parse(model)
    factors, watch = int(settings["factors"]), Watch(split)
    network = Network(split.num_items, factors)
    optimiser = torch.optim.Adagrad(network.parameters(), lr=LEARNING_RATE)
    rng = np.random.default_rng(0)
    sampler = _Sampler(split, rng)
    sequences = [torch.from_numpy(history.items.astype(np.int64)) for history in watch.train if len(history) > 1]

    def score(histories: Sequence[History]) -> np.ndarray:
        return _score(network, split.num_items, histories)

    network.train()
    state = torch.zeros(1, LANES, factors)
    for items, targets, alive, fresh in forever(lambda: _lanes(sequences, rng)):
        state = state.detach() * (~fresh).float()[None, :, None]
        optimiser.zero_grad()
        output, state = network(items[:, None], state)
        candidates = sampler.draw(targets)
        logits = output[:, 0] @ network.embedding(candidates).T + network.bias[candidates] - sampler.log_q[candidates]
        place = sampler.place(targets)
        hit = (candidates == targets[:, None]) & (torch.arange(len(candidates)) != place[:, None])
        losses = nn.functional.cross_entropy(logits.masked_fill(hit, -1e9), place, reduction="none")
        (losses * alive).sum().div(alive.sum()).backward()
        optimiser.step()
        if watch.over(score, network):
            break
    return Fitted(score, watch.finish(network))


class _Sampler:
    """Items to tell the target from: all of them if there are few, else the batch's targets and drawn ones."""

    def __init__(self, split: Split, rng: np.random.Generator) -> None:
        self.rng, self.num_items = rng, split.num_items
        weight = np.maximum(split.popularity(), 1) ** ALPHA
        self.cumulated = np.cumsum(weight / weight.sum())
        self.takes_all = split.num_items <= NEGATIVES
        chances = torch.from_numpy((weight / weight.sum()).astype(np.float32))
        self.log_q = torch.zeros(split.num_items) if self.takes_all else chances.log()

    def draw(self, targets: Tensor) -> Tensor:
        """Item codes, the batch's targets first unless all are taken."""
        if self.takes_all:
            return torch.arange(self.num_items)
        drawn = np.searchsorted(self.cumulated, self.rng.random(NEGATIVES)).clip(max=self.num_items - 1)
        return torch.cat([targets, torch.from_numpy(drawn)])

    def place(self, targets: Tensor) -> Tensor:
        """Where in the drawn candidates each target stands."""
        return targets if self.takes_all else torch.arange(len(targets))


def _lanes(sequences: list[Tensor], rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """One epoch: item, next item, whether the lane still has one, whether its session is new."""
    queue = iter(rng.permutation(len(sequences)))
    current: list[Tensor | None] = [None] * LANES
    position = [0] * LANES
    while True:
        fresh = torch.zeros(LANES, dtype=torch.bool)
        for lane in range(LANES):
            sequence = current[lane]
            if sequence is None or position[lane] >= len(sequence) - 1:
                following = next(queue, None)
                current[lane] = None if following is None else sequences[following]
                position[lane], fresh[lane] = 0, True
        alive = torch.tensor([sequence is not None for sequence in current])
        if alive.sum() <= LANES // 4:  # the last long sessions would train alone
            return
        pairs = [(s[p], s[p + 1]) if s is not None else (0, 0) for s, p in zip(current, position, strict=True)]
        items, targets = torch.tensor(pairs).T
        position = [p + 1 for p in position]
        yield items, targets, alive.float(), fresh


def _score(network: Network, num_items: int, histories: Sequence[History]) -> np.ndarray:
    """(B, items): the state after each history's newest events."""
    kept = [history.last(HISTORY).items for history in histories]
    length = max(1, *(len(items) for items in kept))
    padded = torch.full((len(kept), length), num_items)
    for row, items in enumerate(kept):
        padded[row, : len(items)] = torch.from_numpy(items.astype(np.int64))
    ends = torch.tensor([max(0, len(items) - 1) for items in kept])
    network.eval()
    with torch.inference_mode():
        output, _ = network(padded, torch.zeros(1, len(kept), network.cell.hidden_size))
        last = output[torch.arange(len(kept)), ends]
        return (last @ network.embedding.weight[:num_items].T + network.bias).numpy()


if __name__ == "__main__":
    run(train)
