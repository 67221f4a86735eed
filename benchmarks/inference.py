"""`python -m benchmarks.inference`: how long an answer takes, one user at a time and in batches, beside the least that it could.

Models have the shapes that training gives them and random weights, as speed does not depend on what was learned; histories
are as long as MovieLens 1M's. `known` users have done nothing since the training, so that what the network expects of them
is looked up; `scores` and `list` are those of people whose history it must read. The peer is what any model of embeddings
does at least: one product of a user's vector with all items', and `argpartition`. All are asked alternately, in the same
process, each for another user, so that none finds what it reads in the processor's cache because of the one before. One
JSON line a size and mode. `cpu` figures count the processor's time, which other programs disturb less than the clock's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes import ranking
from recipes.components.contract import Component
from recipes.components.item_weights import DenseWeights, ItemWeights, SparseWeights
from recipes.components.popularity import Popularity, UnknownItems
from recipes.components.recurrent import Recurrent
from recipes.components.repeats import COUNTS, LAGS, Repeats
from recipes.components.sparse_ridge import PER_ITEM
from recipes.components.window_kernel import WindowKernel
from recipes.data import Histories
from recipes.methods.user_personalization import UserPersonalization
from recipes.numerics import topk
from recipes.recurrent.scorer import GAPS, RecurrentScorer
from recipes.run import Run
from recipes.stacking.model import StackedModel

K = 25
MEMBERS = 4_500  # items of a dense ridge, at most
SINGLE = 400
MEDIAN_EVENTS, SPREAD, LEAST, MOST = 96, 0.9, 20, 2000


@dataclass(frozen=True)
class Size:
    """A catalogue to measure, and the dimension of the peer's and the network's embeddings."""

    items: int
    dimension: int
    batch: int


SIZES = {"3400": Size(3_400, 64, 6_040), "100000": Size(100_000, 128, 1_000), "1000000": Size(1_000_000, 64, 64)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=["3400", "100000"], help=f"of {', '.join(SIZES)}")
    for name in parser.parse_args().sizes:
        size, rng = SIZES[name], np.random.default_rng(0)
        histories = _histories(rng, size)
        vectors = rng.standard_normal((size.items, size.dimension), np.float32)
        for mode in ("fast", "auto"):
            model = _model(rng, size, mode)
            print(json.dumps({"items": size.items, "mode": mode} | _measured(model, histories, vectors)), flush=True)


def _measured(model: StackedModel, histories: Histories, vectors: NDArray[np.float32]) -> dict[str, float]:
    model.prepare(replace(histories, user_index=np.arange(len(histories))), Run())
    users = [histories.rows(row, row + 1) for row in range(min(SINGLE, len(histories)))]
    known = {id(history): np.array([row]) for row, history in enumerate(users)}
    seconds = _alternately(
        users,
        peer=lambda _: np.argpartition(-(vectors @ vectors[0]), K)[:K],
        known=lambda history: model.score(replace(history, user_index=known[id(history)])),
        scores=model.score,
        list=lambda history: topk.top_k(model.score(history), K),
    )
    told: dict[str, float] = {}
    for name, (wall, cpu) in seconds.items():
        told |= {
            f"{name}_p50_ms": _ms(wall, 0.5),
            f"{name}_p99_ms": _ms(wall, 0.99),
            f"{name}_cpu_p50_ms": _ms(cpu, 0.5),
            f"{name}_cpu_p99_ms": _ms(cpu, 0.99),
        }
    peer = statistics.median(seconds["peer"][1])
    told["list_over_peer"] = round(statistics.median(seconds["list"][1]) / peer, 2)
    block = vectors[: min(512, len(vectors))]
    cpu_began = time.process_time()
    np.argpartition(-(block[: len(histories)] @ vectors.T), K, axis=1)
    told["peer_batch_users_per_cpu_s"] = round(len(block[: len(histories)]) / (time.process_time() - cpu_began))
    everybody = replace(histories, user_index=np.arange(len(histories)))
    return told | _batch(model, histories, "batch") | _batch(model, everybody, "batch_known")


def _batch(model: StackedModel, histories: Histories, name: str) -> dict[str, float]:
    ranking.recommend(model, histories.rows(0, 64), K)  # what is made once is there then
    began, cpu_began = time.perf_counter(), time.process_time()
    ranking.recommend(model, histories, K, exclude_seen=True)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    return {
        f"{name}_users_per_s": round(len(histories) / wall_s), f"{name}_users_per_cpu_s": round(len(histories) / cpu_s),
    }  # fmt: skip


def _alternately(
    users: list[Histories], **asked: Callable[[Histories], object]
) -> dict[str, tuple[list[float], list[float]]]:
    """Wall and processor seconds of each, after a few that do not count."""
    seconds: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in asked}
    for number in range(-20, len(users)):
        for place, (name, function) in enumerate(asked.items()):
            history = users[(number + place * len(users) // len(asked)) % len(users)]
            began, cpu_began = time.perf_counter(), time.thread_time()
            function(history)
            if number >= 0:
                seconds[name][1].append(time.thread_time() - cpu_began)
                seconds[name][0].append(time.perf_counter() - began)
    return seconds


def _ms(seconds: list[float], share: float) -> float:
    return round(1000 * sorted(seconds)[int(share * (len(seconds) - 1))], 3)


def _histories(rng: np.random.Generator, size: Size) -> Histories:
    lengths = np.clip(rng.lognormal(np.log(MEDIAN_EVENTS), SPREAD, size.batch), LEAST, MOST).astype(int)
    made = Histories.of([(size.items * rng.random(length) ** 2).astype(int).tolist() for length in lengths])
    return Histories(
        made.offsets, made.item_index, np.cumsum(rng.integers(0, 9000, len(made.item_index))), made.event_type, made.user_index
    )  # fmt: skip


def _model(rng: np.random.Generator, size: Size, mode: str) -> StackedModel:
    """Both modes read histories in several ways; auto mode adds the network."""
    members = np.sort(rng.permutation(size.items)[:MEMBERS])
    kernels = [WindowKernel(32, 0.8, 5), WindowKernel(400, 1.0, profile=True)]
    if mode == "auto":
        kernels += [WindowKernel(32, 0.5), WindowKernel(100, 0.97, profile=True)]
    weights = [_small(rng, len(members), len(members)) for _ in kernels]
    rare = (SparseWeights(kernels[0], _sparse(rng, size.items)),) if size.items > MEMBERS else ()
    dense = [DenseWeights.of(kernel, w, members, size.items) for kernel, w in zip(kernels, weights, strict=True)]
    components: list[Component] = [
        UnknownItems(np.zeros(size.items, np.float32)),
        Popularity(*(_small(rng, size.items) for _ in range(3)), 0.1),
        ItemWeights(size.items, tuple(dense), rare),
    ]
    components += [Recurrent(_network(rng, size), 0.6)] if mode == "auto" else []
    components.append(Repeats(np.zeros((LAGS, COUNTS), np.float32), -12.0))
    return StackedModel(UserPersonalization(), size.items, components)


def _sparse(rng: np.random.Generator, items: int) -> sp.csr_matrix:
    per_item = min(PER_ITEM, 20_000_000 // items)
    targets = rng.integers(0, items, items * per_item).astype(np.int32)
    offsets = np.arange(0, len(targets) + 1, per_item)
    return sp.csr_matrix((rng.random(len(targets), np.float32), targets, offsets), shape=(items, items))


def _network(rng: np.random.Generator, size: Size) -> RecurrentScorer:
    """Two blocks of H = 149 on embeddings of the size's dimension, as `recipes.recurrent.network.Network` names them."""
    width, hidden = size.dimension, 149
    weights = {"gap.weight": _small(rng, GAPS, width), "event_type.weight": _small(rng, 2, width)}
    shapes = {
        "norm": (width,), "gates": (3 * hidden, width), "out": (width, hidden),
        "feed_norm": (width,), "feed_in": (4 * width, width), "feed_out": (width, 2 * width),
    }  # fmt: skip
    layers = {f"blocks.{number}.{name}": shape for number in range(2) for name, shape in shapes.items()}
    for name, shape in (layers | {"norm": (width,)}).items():
        weights |= {f"{name}.weight": _small(rng, *shape), f"{name}.bias": _small(rng, shape[0])}
    return RecurrentScorer(_small(rng, size.items, width), _small(rng, size.items), weights)


def _small(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return 0.1 * rng.standard_normal(shape, np.float32)


if __name__ == "__main__":
    main()
