"""Components made of random numbers over a small catalogue, each of every kind, and histories of every length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recipes.cold_start.appeal import Lift
from recipes.cold_start.relevance import ColdRelevance
from recipes.components.context import Context, ContextColumn
from recipes.components.contract import Component
from recipes.components.item_weights import DenseWeights, ItemWeights, SparseWeights
from recipes.components.popularity import Popularity, UnknownItems
from recipes.components.recurrent import Recurrent
from recipes.components.repeats import Repeats
from recipes.components.user_ridge import UserRidge
from recipes.components.window_kernel import WindowKernel
from recipes.components.young_items import YoungItems
from recipes.data import Histories
from recipes.numerics.quantization import Quantized
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import reproducible
from recipes.run import Run

ITEMS, USERS = 40, 12
YOUNG = np.array([3, 20, 38])
SIZES = (0, 1, 2, 3, 5, 8, 31, 33, 49, 50, 51, 200)


def histories() -> Histories:
    """From nobody to a user with two hundred events, some items again and again."""
    rng = np.random.default_rng(3)
    made = Histories.of([rng.integers(0, ITEMS, size).tolist() for size in SIZES], user_index=range(USERS))
    types = rng.integers(-1, 3, len(made.item_index)).astype(np.int16)
    times = rng.integers(0, 90_000, len(made.item_index)).cumsum()
    return Histories(made.offsets, made.item_index, times, types, made.user_index)


def item_weights(members: int = 25, *, content: bool = True) -> ItemWeights:
    """Two dense and two sparse matrices; `members` of the items are in the dense ones."""
    rng = np.random.default_rng(4)
    covered = np.sort(rng.permutation(ITEMS)[:members])

    def dense(kernel: WindowKernel) -> DenseWeights:
        weights = 0.02 * rng.standard_normal((members, members)).astype(np.float32)
        return DenseWeights.of(kernel, weights, covered, ITEMS)

    return ItemWeights(
        ITEMS,
        (dense(WindowKernel(32, 0.8, 5)), dense(WindowKernel(400, 1.0, profile=True))),
        (
            SparseWeights(WindowKernel(16, 0.8, 3), sparse(rng, 0.1)),
            SparseWeights(WindowKernel(400, 1.0), sparse(rng, 0.1)),
        ),
        sparse(rng, 0.2) if content else None,
        0.7,
        0.3 if content else 0.0,
    )


def sparse(rng: np.random.Generator, density: float) -> sp.csr_matrix:
    """(N, N)."""
    return sp.random(ITEMS, ITEMS, density, "csr", np.float32, rng)


def network(blocks: int = 2) -> RecurrentScorer:
    """An untrained network whose parameters are no longer all small."""
    shape = Shape(hidden=11, width=8, bptt=4, lanes=2, negatives=4, blocks=blocks)
    some = Histories.of([list(range(ITEMS))])
    with reproducible(0, small=True):
        scorer = RecurrentTask(shape, some, ITEMS, np.zeros((ITEMS, 0), np.float32), 2, 0).scorer()
    spread = {
        name: value + 0.3 * np.sin(np.arange(value.size)).reshape(value.shape) for name, value in scorer.weights.items()
    }
    weights = {name: value.astype(np.float32) for name, value in spread.items()}
    return RecurrentScorer(scorer.table, np.cos(np.arange(ITEMS)).astype(np.float32), weights)


def quantized_network() -> RecurrentScorer:
    """The same with a quantised item table of so few words that products are rough."""
    plain = network()
    return replace(plain, quantized=Quantized.of(plain.table[:6], Run()).extended(plain.table))


def popularity() -> Popularity:
    """With weights of both signs."""
    log_share, log_rise, cold = np.random.default_rng(5).standard_normal((3, ITEMS)).astype(np.float32)
    return Popularity(log_share, log_rise, cold, 0.15, -0.1)


def user_ridge() -> UserRidge:
    """Four features of each user."""
    rng = np.random.default_rng(6)
    features, weights = (rng.standard_normal(shape).astype(np.float32) for shape in ((USERS, 4), (4, ITEMS)))
    return UserRidge(features, weights, popularity().log_share, 0.01)


def context() -> Context:
    """Two devices."""
    rng = np.random.default_rng(7)
    counts = sp.csr_matrix(rng.integers(0, 5, (2, ITEMS)).astype(np.float32))
    return Context((ContextColumn("DEVICE", ("phone", "tv")),), counts, np.asarray(counts.sum(axis=0)).ravel())


def repeats(seen: float = 1.5, repeat: float = 0.5) -> Repeats:
    """Random rates."""
    return Repeats(np.random.default_rng(8).random((12, 6), np.float32), seen, repeat)


def young_items(weight: float = 0.0) -> YoungItems:
    """Three young items, of which one is known well."""
    rng = np.random.default_rng(9)
    latent, rows = (rng.standard_normal(shape).astype(np.float32) for shape in ((ITEMS, 2), (ITEMS, 3)))
    square, linear = (0.1 * rng.standard_normal((3, ITEMS)).astype(np.float32) for _ in range(2))
    lift = Lift(square, linear, rng.standard_normal(ITEMS).astype(np.float32))
    level, trust = (np.array(values, np.float32) for values in ([0.5, -1.0, 0.0], [0.0, 0.3, 0.9]))
    return YoungItems(ColdRelevance(latent, rows, lift, YOUNG, level, trust), 0.9, 0.7, repeats(), weight)


def every_component() -> dict[str, Component]:
    """One of each kind, and of those that have several ways to score."""
    penalty = np.where(np.arange(ITEMS) % 7 == 0, -30.0, 0.0).astype(np.float32)
    return {
        "unknown items": UnknownItems(penalty),
        "popularity": popularity(),
        "item weights": item_weights(),
        "item weights, few covered": item_weights(4, content=False),
        "item weights, all covered": item_weights(ITEMS, content=False),
        "item weights, all covered, content": item_weights(ITEMS),
        "user ridge": user_ridge(),
        "recurrent": Recurrent(network(), 0.6),
        "recurrent, quantized": Recurrent(quantized_network(), 0.6),
        "repeats": repeats(),
        "repeats that never are": repeats(-12.0, 0.0),
        "young items": young_items(),
        "young items, lifts of all": young_items(0.4),
        "context": context(),
    }


def stack() -> list[Component]:
    """One of each kind, in order."""
    every = every_component()
    names = ("unknown items", "popularity", "item weights", "user ridge", "recurrent", "repeats", "context")
    return [every[name] for name in names]
