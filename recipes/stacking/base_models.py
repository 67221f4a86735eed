"""The base models that read events: which there are, how many of them a data set has time for, and how each is fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from recipes.components.cooccurrence_knn import CLOSE, fit_cosine_knn, fit_windowed_knn
from recipes.components.fit_context import FitContext
from recipes.components.item_weights import DenseWeights, SparseWeights
from recipes.components.sequence_ridge import fit_sequence_ridge
from recipes.components.sparse_ridge import fit_sparse_ridge
from recipes.components.window_kernel import WindowKernel
from recipes.data import Histories
from recipes.numerics.cooccurrence import DENSE_ITEMS
from recipes.numerics.machine import SOLVE_COST, flops_per_second

TRIAL_SHARE = 0.2  # of a time budget that trying base models may take; fitting the chosen ones again takes as much
FAST_SECONDS = 2.5  # of work that the fast mode plans on base models
MIN_MODELS = 2  # however little time there is
MAX_COSINE_ITEMS = 100_000
Fitted: TypeAlias = DenseWeights | SparseWeights


@dataclass(frozen=True)
class BaseModel:
    """An unfitted model of what comes next, given the events of a history.

    Attributes:
        kernel: how events count, when it is learned and when a history is read.
        kind: "ridge", or what else fills the item-to-item weights: one of `CLOSE`, "cosine", "rare".
        ridge, dropout: λ and the dropout share δ of a ridge.
    """

    kernel: WindowKernel
    kind: str = "ridge"
    ridge: float = 0.0
    dropout: float = 0.0

    @property
    def reading(self) -> tuple[int, float]:
        """Base models with the same reading weigh a history alike, so that their weights can be added up."""
        return self.kernel.window, self.kernel.decay

    @property
    def moments(self) -> WindowKernel | None:
        """Ridges with the same share their moments; all profiles do."""
        return None if self.kernel.profile else self.kernel

    @property
    def pairs(self) -> WindowKernel | str | None:
        """Base models with the same count their pairs together."""
        if self.kind == "ridge":
            return self.moments
        return "closeness" if self.kind in CLOSE else self.kind

    @property
    def weights(self) -> tuple[WindowKernel | None, float, float]:
        """Ridges with the same share their weights, which they read histories by differently."""
        return self.moments, self.ridge, self.dropout

    def fit(self, histories: Histories, context: FitContext) -> Fitted:
        """Learn item-to-item weights from the histories."""
        if self.kind == "ridge":
            return fit_sequence_ridge(self.kernel, self.ridge, self.dropout, histories, context)
        return SparseWeights(self.kernel, SPARSE[self.kind](histories, context))


SPARSE: dict[str, Callable[[Histories, FitContext], sp.csr_matrix]] = {
    "rare": fit_sparse_ridge,
    "cosine": fit_cosine_knn,
    "closeness": lambda histories, context: fit_windowed_knn("closeness", histories, context),
    "firm closeness": lambda histories, context: fit_windowed_knn("firm closeness", histories, context),
}


def fit_all(
    models: Mapping[str, BaseModel],
    histories: Histories,
    context: FitContext,
    tried: Callable[[str], Fitted | None] = lambda _: None,
) -> Iterator[tuple[str, Fitted]]:
    """Fit the base models one after the other, those that share counts consecutively; ridges last.

    Args:
        models: by name.
        histories: what is learned from.
        context: settings, data and the run.
        tried: asked before each; what it returns is taken instead.
    """
    first: dict[object, int] = {}
    for model in models.values():
        first.setdefault(model.pairs, len(first))
    order = sorted(models, key=lambda name: (models[name].kind == "ridge", first[models[name].pairs]))
    try:
        for name in order:
            yield name, tried(name) or models[name].fit(histories, context)
    finally:
        context.release()


def base_models(context: FitContext, num_events: int) -> dict[str, BaseModel]:
    """What is worth trying on so many events, the most promising first."""
    window, strength = context.settings.window, float(np.clip(num_events / 10_000, 10.0, 100.0))
    newest, lately = WindowKernel(window, 0.5), WindowKernel(window, 0.8, 5)
    profile, lifetime = WindowKernel(100, 0.97, profile=True), WindowKernel(400, 1.0, profile=True)
    recent, firm = replace(lately, future=1, profile=True), 50 * strength
    models = {
        "coming": BaseModel(lately, ridge=3 * strength),
        "closeness": BaseModel(lately, "closeness"),
        "firm closeness": BaseModel(lately, "firm closeness"),
        "rare": BaseModel(lately, "rare"),
        "lifetime": BaseModel(lifetime, ridge=8 * strength, dropout=0.5),
        "last": BaseModel(newest, ridge=strength / 2),
        "profile": BaseModel(profile, ridge=20 * strength, dropout=0.3),
        "lifetime, firmer": BaseModel(lifetime, ridge=firm),
        "recent profile": BaseModel(recent, ridge=firm),
        "cosine": BaseModel(lifetime, "cosine"),
        "recent cosine": BaseModel(lately, "cosine"),
        "next": BaseModel(WindowKernel(window, 0.8), ridge=strength),
        "coming, freer": BaseModel(lately, ridge=strength),
        "profile, freer": BaseModel(profile, ridge=5 * strength, dropout=0.3),
        "lifetime, freer": BaseModel(lifetime, ridge=2 * strength, dropout=0.5),
        "long closeness": BaseModel(profile, "closeness"),
        "long firm closeness": BaseModel(profile, "firm closeness"),
    }
    if len(context.members) == context.num_items:
        models.pop("rare")
    if context.num_items > MAX_COSINE_ITEMS:
        models = {name: model for name, model in models.items() if model.kind != "cosine"}
    return models


def affordable(context: FitContext, histories: Histories) -> tuple[dict[str, BaseModel], float]:
    """As many base models as the size of the data allows, two at least; and the seconds that they will about take."""
    events = len(histories.item_index)
    pairs = float(np.square(np.diff(histories.offsets).astype(np.float64)).sum())
    is_large = context.num_items > DENSE_ITEMS
    plenty = FAST_SECONDS if context.settings.mode == "fast" else 10 + 30 * events / 1e6
    seconds = min(plenty, TRIAL_SHARE * context.run.seconds_left)
    left, speed = seconds, flops_per_second(context.run)
    counted: set[object] = set()
    chosen: dict[str, BaseModel] = {}
    for name, model in base_models(context, events).items():
        cost = 0.0 if model.pairs in counted else _pairs_cost(model, events, pairs, is_large=is_large)
        if model.kind == "ridge" and model.weights not in counted:
            cost += (1.0 if model.kernel.profile else SOLVE_COST) * len(context.members) ** 3
        cost /= speed
        if cost <= left or len(chosen) < MIN_MODELS:
            chosen[name] = model
            left -= cost
            counted |= {model.pairs, model.weights}
    return chosen, seconds - left


def _pairs_cost(model: BaseModel, events: int, pairs: float, *, is_large: bool) -> float:
    """Operations that counting pairs costs, in what multiplications would cost."""
    if model.kind == "ridge" and not model.kernel.profile:
        return 1500.0 * events * model.kernel.window
    each = {"closeness": 300e3 if is_large else 60e3, "rare": 20e3}.get(str(model.pairs))
    return each * events if each else (100.0 if model.kind == "ridge" else 700.0) * pairs
