"""One pass of the gated linear recurrence of `recipes.recurrence.network` in numpy, arranged for processors: few and large operations.

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

from recipes.base import Floats, Indexes

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
class Block:
    """Folded weights of one block: D width, H hidden, F feed-forward.

    Attributes:
        gates: (D, 3 H) to minus update, content and minus gate.
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
        sign = np.repeat(np.array([-1, 1, -1], np.float32), hidden)
        feed_in, feed_in_bias = _after_norm(of, "feed_norm", "feed_in")
        turned = np.repeat(np.array([-1, 1], np.float32), inner)
        return cls(
            _laid_out(gates * sign), gates_bias * sign,
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
        keep, new = _kept_and_added(gates, size)
        states = every_state(keep, new, events.starts)
        return self._written(values, states, gates[:, 2 * size :])

    def newest(self, values: Floats, scaled: Floats, gates: Floats, events: Packed) -> Floats:
        """(B, D) the same of each row's last event only: `gates` (E, 2 H) need not hold the last H columns."""
        keep, new = _kept_and_added(gates, self.hidden)
        states = last_state(keep, new, events.starts)
        gate = scaled[events.newest] @ self.gates[:, 2 * self.hidden :]
        gate += self.gates_bias[2 * self.hidden :]
        return self._written(values[events.newest], states, gate)

    def _written(self, values: Floats, states: Floats, gate: Floats) -> Floats:
        states *= gate
        states *= _sigmoid_of_minus(gate)
        values += states @ self.out
        values += self.out_bias
        fed = normed(values) @ self.feed_in
        fed += self.feed_in_bias
        half = fed.shape[1] // 2
        inner = _sigmoid_of_minus(fed[:, :half])
        inner *= fed[:, :half]
        inner *= fed[:, half:]
        values += inner @ self.feed_out
        values += self.feed_out_bias
        return values


@dataclass(frozen=True)
class Kernel:
    """All folded weights.

    Attributes:
        blocks: in order.
        scale, shift: of the last norm.
        known: (N, G) what each item adds to the first block's gates before the norm's division; None where it is multiplied.
        known_others: (K, G) the same of what is added to the items' embeddings.
    """

    blocks: tuple[Block, ...]
    scale: Floats
    shift: Floats
    known: Floats | None = None
    known_others: Floats | None = None

    @classmethod
    def of(cls, weights: Mapping[str, Floats]) -> Self:
        """Fold the parameters of `recipes.recurrence.network.Network`."""
        count = sum(name.endswith("gates.weight") for name in weights)
        blocks = tuple(Block.of(weights, f"blocks.{number}.") for number in range(count))
        return cls(blocks, weights["norm.weight"], weights["norm.bias"])

    def knowing(self, table: Floats, others: Floats) -> Self:
        """The same with the first block's gates worked out for every row of both tables: 12 H bytes an item."""
        first = self._gates(0)
        return replace(self, known=table @ first, known_others=others @ first)

    def hidden(self, values: Floats, items: Indexes, others: Indexes, events: Packed) -> Floats:
        """(B, D) what is expected after each row.

        Args:
            values: (E, D) embeddings of the events, the sum of both tables' rows; overwritten.
            items: (E,) the items' rows.
            others: (E,) those of the other table.
            events: how the events lie.
        """
        values -= (values @ np.full(values.shape[1], 1 / values.shape[1], np.float32))[:, None]
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            scale = inverse_deviation(values)
            scaled: Floats = values * scale
            if number == 0 and self.known is not None and self.known_others is not None:
                gates = self.known.take(items, axis=0)
                gates += self.known_others.take(others, axis=0)
                gates *= scale
            else:
                gates = scaled @ self._gates(number)
            gates += block.gates_bias[: gates.shape[1]]
            if number < last:
                values = block.all(values, gates, events)
            else:
                values = block.newest(values, scaled, gates, events)
        found = normed(values)
        found *= self.scale
        found += self.shift
        return found

    def _gates(self, number: int) -> Floats:
        """(D, G) those of a block that every event needs: of the last one, all but the gate."""
        block = self.blocks[number]
        return block.gates if number < len(self.blocks) - 1 else block.gates[:, : 2 * block.hidden]


def inverse_deviation(values: Floats) -> Floats:
    """(E, 1) one over the standard deviation of rows without a mean."""
    variance = np.einsum("ij,ij->i", values, values)
    variance /= np.float32(values.shape[1])
    variance += EPSILON
    np.sqrt(variance, out=variance)
    found: Floats = np.reciprocal(variance, out=variance)[:, None]
    return found


def normed(values: Floats) -> Floats:
    """(E, D) rows without a mean, of deviation 1."""
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


def _kept_and_added(gates: Floats, size: int) -> tuple[Floats, Floats]:
    update = _sigmoid_of_minus(gates[:, :size])
    new = update * gates[:, size : 2 * size]
    return np.subtract(ONE, update, out=update), new


def _sigmoid_of_minus(values: Floats) -> Floats:
    """1 / (1 + exp v), a fresh array; 0 where exp overflows to infinity."""
    with np.errstate(over="ignore"):
        found = np.exp(values)
    found += ONE
    reciprocal: NDArray[np.float32] = np.reciprocal(found, out=found)
    return reciprocal


def _after_norm(of: Mapping[str, Floats], norm: str, name: str) -> tuple[Floats, Floats]:
    """(D, G) and (G,): a linear layer that reads what the norm divides only."""
    weight = of[f"{name}.weight"]
    return _centred(weight * of[f"{norm}.weight"]).T, of[f"{name}.bias"] + weight @ of[f"{norm}.bias"]


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(axis=-1, keepdims=True), np.float32)


def _laid_out(values: Floats) -> Floats:
    return np.ascontiguousarray(values, np.float32)
