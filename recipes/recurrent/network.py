"""A gated linear recurrence over what a user did, trained by sampled softmax on CPUs; `recipes.recurrent.scorer` scores with numpy alone.

Many small steps count for more than large ones here: a step reads about a thousand events in lanes (`recipes.recurrent.sampling`),
touches only the rows of the item table it needs, and is back-propagated through `bptt` events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.cooccurrence_embedding import cooccurrence_vectors, nearest_cooccurrence
from recipes.recurrent.layers import GatedRecurrence, SequenceDropout
from recipes.recurrent.losses import SampledSoftmax
from recipes.recurrent.optimizer import MOMENTS, FlatAdamW
from recipes.recurrent.sampling import Chunk, chunks, chunks_of, count_chunks
from recipes.recurrent.scorer import GAPS, RecurrentScorer, gap_buckets
from recipes.recurrent.shape import Shape

CLIP = 5.0
MIN_STEPS = 40  # of an epoch
SPEED_STEPS = 12  # by which the speed is measured before anything is trained
NEAR = 5  # events apart at which two items co-occur, for the initial embeddings
PARAMETERS = ("network", "table", "first", "second", "states", "optimizer")  # the rest of a task is what it learns from
LENGTH = 0.7  # of an item's vector at the beginning
COLD_BIAS = 0.25  # an item without events is thought as popular as this quantile of the others


class Network(nn.Module):
    """All but the item table: embeddings of time gaps and event types, the blocks, the last norm."""

    def __init__(self, shape: Shape, num_event_types: int, num_features: int) -> None:
        """Sizes are the shape's; `num_features` is F of the item features."""
        super().__init__()
        self.gap = nn.Embedding(GAPS, shape.width)
        self.event_type = nn.Embedding(num_event_types + 1, shape.width)
        self.features = nn.Linear(num_features, shape.width, bias=False) if num_features else nn.Identity()
        self.blocks = nn.ModuleList(
            GatedRecurrence(shape.width, shape.hidden, shape.dropout) for _ in range(shape.blocks)
        )
        self.norm = nn.LayerNorm(shape.width)
        self.drop = SequenceDropout(shape.dropout)
        nn.init.normal_(self.gap.weight, std=0.02)
        nn.init.normal_(self.event_type.weight, std=0.02)
        if isinstance(self.features, nn.Linear):
            nn.init.normal_(self.features.weight, std=num_features**-0.5)

    def forward(
        self, values: Tensor, gap: Tensor, event_type: Tensor, goes_on: Tensor, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """(T, B, D) item embeddings to (T, B, D) what comes next, with the states after the chunk."""
        values = self.drop(values + self.gap(gap) + self.event_type(event_type))
        after = []
        for block, state in zip(self.blocks, states, strict=True):
            values, state = block(values, goes_on[:, :, None], state)
            after.append(state)
        normed: Tensor = self.norm(values)
        return normed, after


@dataclass(frozen=True)
class Parameters:
    """Copies of a network's parameters and its item table."""

    parameters: dict[str, Tensor]
    table: Tensor


@dataclass(frozen=True)
class TrainingState:
    """Parameters and moments of a network and of its item table, and after how many steps."""

    arrays: tuple[Floats, ...]
    count: int

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(array.nbytes for array in self.arrays)

    def mean(self, other: TrainingState, share: float) -> TrainingState:
        """The mean of both, in which the other has a share (0 to 1); neither is written to."""
        arrays = (mine + np.float32(share) * (its - mine) for mine, its in zip(self.arrays, other.arrays, strict=True))
        return TrainingState(tuple(arrays), max(self.count, other.count))


def _first_table(shape: Shape, histories: Histories, num_items: int, has_features: bool, seed: int) -> Floats:
    """(N, D + 1) initial item table: co-occurrence embeddings, random vectors for items without any, and biases of 0."""
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((num_items, shape.width + 1), np.float32) * np.float32(shape.width**-0.5)
    table *= np.float32(0.5 if has_features else 1.0)
    counts = nearest_cooccurrence(histories.row, histories.item_index, num_items, histories.weight, NEAR)
    vectors = cooccurrence_vectors(counts, shape.width, seed)
    turn = np.linalg.qr(rng.standard_normal((shape.width, shape.width), np.float32))[0]  # no axis is a main one
    placed = vectors.any(axis=1)
    table[placed, :-1] = LENGTH * vectors[placed] @ turn
    table[:, -1] = 0.0
    return table


def _collisions(targets: Tensor, negatives: Tensor, rows: int) -> Tensor:
    """(2, C) which of (M,) targets and of (K,) negatives, all different, are the same; all are below `rows`."""
    place = torch.full((rows,), -1)
    place[negatives] = torch.arange(len(negatives))
    found = place[targets]
    met = (found >= 0).nonzero()[:, 0]
    return torch.stack([met, found[met]])


class RecurrentTask:
    """A network, its item table and optimizers on one set of sequences; `recipes.recurrent.training.train` drives it."""

    def __init__(
        self,
        shape: Shape,
        histories: Histories,
        num_items: int,
        features: Floats,
        num_event_types: int,
        seed: int,
        cold: NDArray[np.bool_] | None = None,
        before: object | None = None,
    ) -> None:
        """Initialise item embeddings by co-occurrence, and all else small and random.

        Half the steps are then enough: without it the first epoch goes by with finding out which items belong together.

        Args:
            shape: sizes.
            histories: sequences to train on.
            num_items: N.
            features: (N, F) what is known of the items, F may be 0.
            num_event_types: codes that event types of any part of the data may have; -1 has a row of its own.
            seed: of the order of users and the negatives.
            cold: (N,) items that get no embedding of their own, only their metadata's.
            before: a snapshot of a task of the same shape and catalogue, to continue from.
        """
        self.shape = shape
        self.num_items = num_items
        self.offsets = histories.offsets
        self.items = histories.item_index
        self.chance = None if histories.weight is None else histories.weight / max(1e-9, float(histories.weight.max()))
        self.gaps = gap_buckets(histories)
        self.event_types = histories.event_type.astype(np.int64) + 1
        self.features = torch.from_numpy(np.ascontiguousarray(features, np.float32))
        self.rng = np.random.default_rng(seed)
        self.num_event_types = num_event_types
        self.network = Network(shape, num_event_types, features.shape[1])
        if isinstance(before, Parameters):
            self.restore(before)
        else:
            self.table = torch.from_numpy(_first_table(shape, histories, num_items, bool(features.shape[1]), seed))
        self.cold = cold
        self._reset()

    def deeper(self) -> RecurrentTask:
        """An untrained one with one more block; only the item embeddings are taken over."""
        larger = copy(self)
        larger.shape = replace(self.shape, blocks=self.shape.blocks + 1)
        larger.network = Network(larger.shape, self.num_event_types, self.features.shape[1])
        larger.table = self.table.clone()
        larger._reset()
        return larger

    def grown(self) -> RecurrentTask:
        """The same with one more block, which adds nothing until it is trained; the optimizers begin anew."""
        larger = self.deeper()
        state = larger.network.state_dict() | self.network.state_dict()
        for layer in ("out", "feed_out"):
            for name in ("weight", "bias"):
                state[f"blocks.{self.shape.blocks}.{layer}.{name}"].zero_()
        larger.network.load_state_dict(state)
        return larger

    def _reset(self) -> None:
        """Begin anew with the moments of what has been learned."""
        self.first, self.second = torch.zeros_like(self.table), torch.zeros_like(self.table)
        self.count = 0
        self.states: list[Tensor] = []
        self.optimizer = FlatAdamW(list(self.network.parameters()))

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has."""
        once = count_chunks(self.offsets, self.shape.lanes, self.shape.bptt)
        return once * self._passes(once)

    @property
    def speed_steps(self) -> int:
        """By how many steps its speed is measured."""
        return SPEED_STEPS

    @staticmethod
    def _passes(once: int) -> int:
        """How often an epoch reads all events: more than once where they are few."""
        return max(1, MIN_STEPS // max(1, once))

    def epoch(self, number: int) -> Iterator[Callable[[float], float]]:  # noqa: ARG002  the order comes from the rng
        """All events, states carried from step to step."""
        self.network.train()
        for _ in range(self._passes(count_chunks(self.offsets, self.shape.lanes, self.shape.bptt))):
            yield from self._steps(chunks(self.offsets, self.shape.lanes, self.shape.bptt, self.rng))

    def read(self, users: Indexes) -> Iterator[Callable[[float], float]]:
        """The events of these users, in this order, once."""
        self.network.train()
        return self._steps(chunks_of(users, self.offsets, self.shape.lanes, self.shape.bptt))

    def _steps(self, read: Iterator[Chunk]) -> Iterator[Callable[[float], float]]:
        self.states = []
        for chunk in read:
            lanes = chunk.events.shape[1]
            self.states = self.states or [torch.zeros(lanes, self.shape.hidden) for _ in range(self.shape.blocks)]
            if self.chance is not None:
                chunk = self._thinned(chunk, self.chance)
            if chunk.has_target.any():
                yield partial(self._step, chunk)

    def _thinned(self, chunk: Chunk, chance: NDArray[np.float32]) -> Chunk:
        """The chunk with targets kept at random, by their events' weights: on average the loss is weighted."""
        following = np.minimum(chunk.events + 1, len(chance) - 1)
        kept = self.rng.random(chunk.events.shape) < chance[following]
        return replace(chunk, has_target=chunk.has_target & kept)

    def _step(self, chunk: Chunk, rate: float) -> float:
        inputs, targets = self.items[chunk.events], self.items[chunk.events[chunk.has_target] + 1]
        negatives = self.rng.choice(self.num_items, self.shape.negatives, replace=False, shuffle=False)
        rows, places = np.unique(np.concatenate([inputs.ravel(), targets, negatives]), return_inverse=True)
        index = torch.from_numpy(rows)
        local = self.table[index].requires_grad_()
        embedded = local[:, :-1]
        if self.features.shape[1]:
            embedded = embedded + self.network.features(self.features[index])
        where_input, where_target, where_negative = (
            torch.from_numpy(part) for part in np.split(places, [inputs.size, inputs.size + targets.size])
        )
        hidden, self.states = self.network(
            embedded[where_input].view(*inputs.shape, -1),
            torch.from_numpy(self.gaps[chunk.events]),
            torch.from_numpy(self.event_types[chunk.events]),
            torch.from_numpy(chunk.goes_on),
            self.states,
        )
        bias = local[:, -1]
        loss = SampledSoftmax.apply(
            hidden[torch.from_numpy(chunk.has_target)],
            embedded[where_target],
            bias[where_target],
            embedded[where_negative],
            bias[where_negative],
            _collisions(where_target, where_negative, len(rows)),
        )
        loss.backward()
        self._update(index, torch.as_tensor(local.grad), self.shape.learning_rate * rate)
        return float(loss.detach())

    @torch.no_grad()
    def _update(self, index: Tensor, grad: Tensor, rate: float) -> None:
        """A step on all parameters, with the gradient's norm held to `CLIP`."""
        norm = float((self.optimizer.gradient.square().sum() + grad.square().sum()).sqrt())
        if norm > CLIP:
            self.optimizer.gradient.mul_(CLIP / norm)
            grad = grad * (CLIP / norm)
        self.optimizer.step(rate)
        self._update_rows(index, grad, rate)

    @torch.no_grad()
    def _update_rows(self, index: Tensor, grad: Tensor, rate: float) -> None:
        """Adam on the touched rows only; a row's moments rest while it is not touched."""
        self.count += 1
        first = self.first[index].mul_(MOMENTS[0]).add_(grad, alpha=1 - MOMENTS[0])
        second = self.second[index].mul_(MOMENTS[1]).addcmul_(grad, grad, value=1 - MOMENTS[1])
        self.first[index], self.second[index] = first, second
        scale = rate / (1 - MOMENTS[0] ** self.count)
        root = second.div_(1 - MOMENTS[1] ** self.count).sqrt_().add_(1e-8)
        self.table.index_add_(0, index, first.div_(root), alpha=-scale)

    def snapshot(self) -> object:
        """Copies of the network's parameters and the item table."""
        parameters = {name: value.clone() for name, value in self.network.state_dict().items()}
        return Parameters(parameters, self.table.clone())

    def restore(self, snapshot: object) -> None:
        """Go back to such copies."""
        assert isinstance(snapshot, Parameters)  # noqa: S101  the loop hands back what it was given
        self.network.load_state_dict(snapshot.parameters)
        self.table = snapshot.table.clone()  # the copy stays a copy, whatever is learned from here

    def state(self) -> TrainingState:
        """All that training changes, as it is: not copies."""
        flat, rows = self.optimizer, (self.table, self.first, self.second)
        return TrainingState(tuple(part.numpy() for part in (flat.values, flat.first, flat.second, *rows)), self.count)

    def resume(self, state: TrainingState) -> None:
        """Go on from there."""
        for part, array in zip(self.state().arrays, state.arrays, strict=True):
            part[:] = array
        self.count = self.optimizer.count = state.count

    def sequences(self) -> RecurrentTask:
        """A copy without parameters: what is learned from."""
        bare = copy(self)
        for name in PARAMETERS:
            del bare.__dict__[name]
        return bare

    def of(self, shape: Shape, state: TrainingState) -> RecurrentTask:
        """A copy with this shape that goes on from a state."""
        task = copy(self)
        task.shape = shape
        task.network = Network(shape, self.num_event_types, self.features.shape[1])
        task.table = torch.empty(state.arrays[-1].shape)
        task._reset()
        task.resume(state)
        return task

    @torch.inference_mode()
    def scorer(self) -> RecurrentScorer:
        """scorer: all parameters as numpy arrays, item features folded into the item table."""
        weights = {name: value.detach().numpy().copy() for name, value in self.network.state_dict().items()}
        embedding = self.table[:, :-1].clone()
        bias = self.table[:, -1].numpy().copy()
        silent = np.bincount(self.items, minlength=self.num_items) == 0
        if self.cold is not None:
            silent |= self.cold
        embedding[torch.from_numpy(silent)] = 0.0  # what was never trained says nothing, its metadata do
        bias[silent] = np.quantile(bias[~silent], COLD_BIAS)
        if self.features.shape[1]:
            embedding += self.network.features(self.features)
            weights.pop("features.weight")
        table: NDArray[np.float32] = embedding.numpy()
        return RecurrentScorer(table, bias, weights)
