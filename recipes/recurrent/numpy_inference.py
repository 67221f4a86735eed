"""One pass of the gated linear recurrence of `recipes.recurrent.network` in numpy, arranged for processors: few and large operations.

The weights are folded once. A layer norm removes the mean of what it reads, so every writer of the residual stream is
made to write without one, and a norm becomes a division; its scale and shift go into the matrix that follows. Signs are
turned so that a sigmoid is exp, add, reciprocal. What the first block reads of an item is linear in its embedding and
is looked up instead of multiplied where the catalogue is small enough. All of this is exact up to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recipes.numerics.arrays import EventIndexes, Floats, Indexes

EPSILON = np.float32(1e-5)  # of torch's layer norm
ONE = np.float32(1.0)


@dataclass(frozen=True)
class Packed:
    """Sequences without padding, time first: the events of all B rows at time 0, then those at time 1 of the rows that go on.

    Attributes:
        starts: where each time begins among the E events, and E at the end; rows are ordered from long to short.
        newest: (B,) place of each row's last event.
    """

    starts: list[int]
    newest: Indexes


@dataclass(frozen=True)
class FoldedBlock:
    """Folded weights of one block: D width, H hidden, F feed-forward. What a norm divides by lacks the root of D, which is in
    the matrix that follows.

    Attributes:
        gates: (D, 3 H) to content, minus update and minus gate.
        out: (H, D).
        feed_in: (D, 2 F) to minus left, and right.
        feed_out: (F, D).
    """

    gates: Floats
    gates_bias: Floats
    out: Floats
    out_bias: Floats
    feed_in: Floats
    feed_in_bias: Floats
    feed_out: Floats
    feed_out_bias: Floats

    @classmethod
    def of(cls, weights: Mapping[str, Floats], prefix: str) -> Self:
        """Fold the parameters whose names begin with `prefix`."""
        of = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        hidden, inner = of["out.weight"].shape[1], of["feed_out.weight"].shape[1]
        gates, gates_bias = _after_norm(of, "norm", "gates")
        update, content, gate = np.split(np.arange(3 * hidden), 3)
        order = np.concatenate([content, update, gate])
        sign = np.repeat(np.array([1, -1, -1], np.float32), hidden)
        feed_in, feed_in_bias = _after_norm(of, "feed_norm", "feed_in")
        turned = np.repeat(np.array([-1, 1], np.float32), inner)
        return cls(
            _laid_out(gates[:, order] * sign), gates_bias[order] * sign,
            _laid_out(-_centred(of["out.weight"].T)), _centred(of["out.bias"]),
            _laid_out(feed_in * turned), feed_in_bias * turned,
            _laid_out(-_centred(of["feed_out.weight"].T)), _centred(of["feed_out.bias"]),
        )  # fmt: skip

    @property
    def hidden(self) -> int:
        """H."""
        return len(self.out)

    def all(self, values: Floats, gates: Floats, events: Packed) -> Floats:
        """(E, D) the residual stream after this block, from that before (overwritten) and the gates (E, 3 H)."""
        size = self.hidden
        opened = _sigmoid_of_minus(gates[:, size:])  # update and gate at once
        states = every_state(*_kept_and_added(opened[:, :size], gates[:, :size]), events.starts)
        return self._written(values, states, gates[:, 2 * size :], opened[:, size:])

    def newest(self, values: Floats, scale: Floats, gates: Floats, events: Packed) -> Floats:
        """(B, D) the same of each row's last event only: `gates` (E, 2 H) need not hold the last H columns."""
        size = self.hidden
        keep, new = _kept_and_added(_sigmoid_of_minus(gates[:, size:]), gates[:, :size])
        states = last_state(keep, new, events.starts)
        values = values[events.newest]
        gate: Floats = np.matmul(values * scale[events.newest], self.gates[:, 2 * size :])
        gate += self.gates_bias[2 * size :]
        return self._written(values, states, gate, _sigmoid_of_minus(gate))

    def _written(self, values: Floats, states: Floats, gate: Floats, opened: Floats) -> Floats:
        states *= gate
        states *= opened
        values += states @ self.out
        values += self.out_bias
        fed = normed(values) @ self.feed_in
        fed += self.feed_in_bias
        left, right = fed[:, : len(self.feed_out)], fed[:, len(self.feed_out) :]
        inner = _sigmoid_of_minus(left)
        inner *= left
        inner *= right
        values += inner @ self.feed_out
        values += self.feed_out_bias
        return values


@dataclass(frozen=True)
class FoldedNetwork:
    """All folded weights.

    Attributes:
        blocks: in order.
        scale, shift: of the last norm.
        lookup: (N, D + G) each item's embedding without its mean, and what that adds to the first block's gates before the
            norm's division; None where it is multiplied.
        lookup_others: (K, D + G) the same of what is added to the items' embeddings.
    """

    blocks: tuple[FoldedBlock, ...]
    scale: Floats
    shift: Floats
    lookup: Floats | None = None
    lookup_others: Floats | None = None

    @classmethod
    def of(cls, weights: Mapping[str, Floats]) -> Self:
        """Fold the parameters of `recipes.recurrent.network.Network`."""
        count = sum(name.endswith("gates.weight") for name in weights)
        blocks = tuple(FoldedBlock.of(weights, f"blocks.{number}.") for number in range(count))
        root = np.float32(np.sqrt(len(weights["norm.weight"])))
        return cls(blocks, weights["norm.weight"] * root, weights["norm.bias"])

    def with_lookup(self, table: Floats, others: Floats) -> Self:
        """The same with the first block's gates worked out for every row of both tables: 4 (D + 3 H) bytes an item."""
        first = self._gates(0)
        lookup, lookup_others = (np.hstack([_centred(rows), _centred(rows) @ first]) for rows in (table, others))
        return replace(self, lookup=lookup, lookup_others=lookup_others)

    def hidden(self, table: Floats, others: Floats, items: EventIndexes, pairs: Indexes, events: Packed) -> Floats:
        """(B, D) states after the last event of each row.

        Args:
            table: (N, D) embeddings of the items.
            others: (K, D) what is added to them.
            items: (E,) the events' rows of the one.
            pairs: (E,) those of the other.
            events: how the events lie.
        """
        values, gates = self._embedded(table, others, items, pairs)
        last = len(self.blocks) - 1
        with np.errstate(over="ignore"):  # of exp: its reciprocal is 0
            for number, block in enumerate(self.blocks):
                scale = inverse_deviation(values)
                read: Floats
                if gates is None:
                    read = np.matmul(values * scale, self._gates(number))
                else:
                    read = np.multiply(gates, scale, out=gates)
                read += block.gates_bias[: read.shape[1]]
                if number == last:
                    values = block.newest(values, scale, read, events)
                else:
                    values = block.all(values, read, events)
                gates = None
            states = normed(values)
        states *= self.scale
        states += self.shift
        return states

    def _embedded(
        self, table: Floats, others: Floats, items: EventIndexes, pairs: Indexes
    ) -> tuple[Floats, Floats | None]:
        """(E, D) embeddings without their mean and, where they are looked up, (E, G) the first block's gates to be divided."""
        if self.lookup is None or self.lookup_others is None:
            values = table.take(items, axis=0)
            values += others.take(pairs, axis=0)
            values -= (values @ np.full(values.shape[1], 1 / values.shape[1], np.float32))[:, None]
            return values, None
        read = self.lookup.take(items, axis=0)
        read += self.lookup_others.take(pairs, axis=0)
        return read[:, : table.shape[1]], read[:, table.shape[1] :]

    def _gates(self, number: int) -> Floats:
        """(D, G) those of a block that every event needs: of the last one, all but the gate."""
        block = self.blocks[number]
        return block.gates if number < len(self.blocks) - 1 else block.gates[:, : 2 * block.hidden]


def inverse_deviation(values: Floats) -> Floats:
    """(E, 1) one over the standard deviation of rows without a mean, and over the root of their width D."""
    squares = np.vecdot(values, values)
    squares += EPSILON * values.shape[1]
    np.sqrt(squares, out=squares)
    inverse: Floats = np.reciprocal(squares, out=squares)[:, None]
    return inverse


def normed(values: Floats) -> Floats:
    """(E, D) rows without a mean, of length 1."""
    divided: Floats = values * inverse_deviation(values)
    return divided


def every_state(keep: Floats, new: Floats, starts: list[int]) -> Floats:
    """(E, H) h_t = keep_t h_(t-1) + new_t along each row, from nothing; both arguments are overwritten."""
    if len(starts) - 1 == len(new):
        _scan(keep, new)
        return new
    before, last = 0, len(starts) - 1
    for now in range(1, last):
        start, stop = starts[now], starts[now + 1]
        kept = keep[start:stop]
        kept *= new[before : before + stop - start]
        new[start:stop] += kept
        before = start
    return new


def last_state(keep: Floats, new: Floats, starts: list[int]) -> Floats:
    """(B, H) the last h_t of each row; both arguments are overwritten."""
    if len(starts) - 1 == len(new):
        return _reduced(keep, new)
    state = new[: starts[1]]
    for now in range(1, len(starts) - 1):
        start, stop = starts[now], starts[now + 1]
        part = state[: stop - start]
        part *= keep[start:stop]
        part += new[start:stop]
    return state


def _scan(keep: Floats, new: Floats) -> None:
    """One row, in place: pairs of events are taken for one event of half as long a row, whose states are those of every other one."""
    size = len(new)
    if size <= 4:
        for now in range(1, size):
            new[now] += keep[now] * new[now - 1]
        return
    later, earlier = slice(1, None, 2), slice(0, size - 1, 2)
    paired = keep[later] * new[earlier]
    paired += new[later]
    _scan(keep[later] * keep[earlier], paired)
    new[later] = paired
    between = keep[2::2]
    between *= paired[: len(between)]
    new[2::2] += between


def _reduced(keep: Floats, new: Floats) -> Floats:
    """(1, H) the last state of one row, halving it until one event is left."""
    while len(new) > 1:
        odd = len(new) % 2
        later = keep[1 + odd :: 2]
        halved = later * new[odd::2]
        halved += new[1 + odd :: 2]
        kept = later * keep[odd::2]
        if odd:
            halved[0] += kept[0] * new[0]
        keep, new = kept, halved
    return new


def _kept_and_added(update: Floats, content: Floats) -> tuple[Floats, Floats]:
    """(E, H) twice, of (E, H) twice; neither shares memory with the arguments."""
    return np.subtract(ONE, update), update * content


def _sigmoid_of_minus(values: Floats) -> Floats:
    """1 / (1 + exp v), a fresh array; 0 where exp overflows to infinity."""
    raised = np.exp(values)
    raised += ONE
    reciprocal: NDArray[np.float32] = np.reciprocal(raised, out=raised)
    return reciprocal


def _after_norm(of: Mapping[str, Floats], norm: str, name: str) -> tuple[Floats, Floats]:
    """(D, G) and (G,): a linear layer that reads what the norm divides only."""
    weight = of[f"{name}.weight"]
    root = np.float32(np.sqrt(weight.shape[1]))
    return root * _centred(weight * of[f"{norm}.weight"]).T, of[f"{name}.bias"] + weight @ of[f"{norm}.bias"]


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(axis=-1, keepdims=True), np.float32)


def _laid_out(values: Floats) -> Floats:
    return np.ascontiguousarray(values, np.float32)
