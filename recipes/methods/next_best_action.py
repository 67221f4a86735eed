"""aws-next-best-action: the probability that a user takes each action, from who the user is and what was taken or declined before.

The actions are the items of the training data, the action interactions its events. A logistic model with a weight vector for each
action, drawn towards a common one, is fitted by L-BFGS; an exposure counts as taken if the user took the action within
`action_optimization_period` days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit

from recipes.base import Model, Recipe, RecipeError, RecipeType, State, at_items, hyperparameter
from recipes.columns import Categorical, Columns, Numeric
from recipes.content.attributes import content_vectors
from recipes.data import Histories, TrainingData
from recipes.methods.action_history import NUM_FEATURES, Conduct, Kinds, features_before, features_now
from recipes.numerics.arrays import EventIndexes, Floats, Indexes, pair_keys
from recipes.run import Run

DAY = 86_400
WEEKS = 6 * 7 * DAY
ENOUGH = 50  # events of each outcome within six weeks, without which an action scores 0
USER_DIMENSION = 16
SHARED_RIDGE, OWN_RIDGE = 1.0, 10.0  # on the common weights, and on each action's difference from them
TIE = 1e-6  # what the highest VALUE adds to a score, so that equal ones rank by value
EXPIRY = ("ACTION_EXPIRATION_TIMESTAMP", "EXPIRATION_TIMESTAMP")


@dataclass(frozen=True)
class Actions:
    """What is known of each action, all (A,).

    Attributes:
        ready: whether it has enough events of both outcomes to be scored.
        value: 0 to 1, for ties.
        expires: epoch seconds; infinity for never.
        pause: seconds to wait after a user's interaction with it.
        type: code of its TYPE; actions without one have one of their own.
    """

    ready: NDArray[np.bool_]
    value: Floats
    expires: NDArray[np.float64]
    pause: NDArray[np.float64]
    type: NDArray[np.int64]

    @classmethod
    def of(cls, data: TrainingData, kinds: Kinds) -> Self:
        """Read the actions' columns and count their recent events."""
        columns = {name.upper(): column for name, column in data.items.items()}
        value = np.nan_to_num(_numbers(columns, ("VALUE",), data.num_items, 0.0))
        expires = _numbers(columns, EXPIRY, data.num_items, np.inf)
        pause = _numbers(columns, ("REPEAT_FREQUENCY",), data.num_items, 0.0) * DAY
        ready = _ready(data, kinds)
        top = max(1.0, float(value.max(initial=0)))
        return cls(ready, (value / top).astype(np.float32), expires, pause, _types(columns, data.num_items))


class ActionModel(Model):
    """Logistic weights per action over user vectors and conduct."""

    def __init__(
        self,
        recipe: Recipe,
        actions: Actions,
        users: Floats,
        bias: Floats,
        weights: Floats,
        conduct: Floats,
        kinds: Kinds,
        newest: int,
    ) -> None:
        """Keep the parts.

        Args:
            recipe: the configuration.
            actions: what is known of each.
            users: (U, D) vectors of users' metadata.
            bias: (A,) log-odds for a user of whom nothing is known.
            weights: (A, D) of the user's vector.
            conduct: (NUM_FEATURES,) weights of what the user did before.
            kinds: what the event types mean.
            newest: epoch seconds of the newest event trained on.
        """
        super().__init__(recipe, len(bias))
        self.actions = actions
        self.users = users
        self.bias = bias
        self.weights = weights
        self.conduct = conduct
        self.kinds = kinds
        self.newest = newest

    def score(self, histories: Histories) -> Floats:
        """Probabilities as of the newest event known: (B, A); see `score_at`."""
        return self.score_at(histories, max(self.newest, int(histories.timestamp.max(initial=0))))

    def score_at(self, histories: Histories, now: int) -> Floats:
        """Probability that each user takes each action when it is shown at `now`.

        Args:
            histories: B users' action interactions.
            now: epoch seconds.

        Returns:
            (B, A), 0 for actions with too few events, -inf for those expired or shown too recently; plus a trace of VALUE.
        """
        scores = self.chances(histories) + np.float32(TIE) * self.actions.value
        scores[~self.available(histories, now)] = -np.inf
        return np.asarray(scores, np.float32)

    def chances(self, histories: Histories) -> Floats:
        """(B, A) the probabilities alone, whether or not an action may be shown; 0 for those with too few events."""
        known = np.flatnonzero(histories.user_index >= 0)
        vectors = np.zeros((len(histories), self.users.shape[1]), np.float32)
        vectors[known] = self.users[histories.user_index[known]]
        conduct = features_now(Conduct.of(histories, self.kinds), len(histories), self.actions.type)  # (B, A, F)
        logits = vectors @ self.weights.T + self.bias + conduct @ self.conduct
        return np.asarray(expit(logits) * self.actions.ready, np.float32)

    def available(self, histories: Histories, now: int) -> NDArray[np.bool_]:
        """(B, A) which actions have not expired and are not within their repeat frequency for the user."""
        last = np.full((len(histories), self.num_items), -np.inf)
        np.maximum.at(last, (histories.row, histories.item_index), histories.timestamp.astype(np.float64))
        rested = (now - last >= self.actions.pause) | (self.actions.pause <= 0)
        return np.asarray(rested & (self.actions.expires > now))

    def probabilities(self, scores: Floats, items: Indexes | None = None) -> Floats:
        """The probabilities without what settles ties."""
        shown = np.where(np.isfinite(scores), scores - TIE * self.actions.value, 0)
        return np.asarray(np.clip(at_items(shown, items), 0, 1), np.float32)

    def forget_users(self, users: Indexes) -> Self:
        """Blank the vectors of the users' metadata."""
        vectors = np.array(self.users)
        vectors[users] = 0
        return type(self)(
            self.recipe, self.actions, vectors, self.bias, self.weights, self.conduct, self.kinds, self.newest
        )

    def state(self) -> State:
        """Weights, vectors and what is known of the actions."""
        tensors = {f"action_{name}": getattr(self.actions, name) for name in Actions.__dataclass_fields__}
        tensors |= {name: getattr(self, name) for name in ("users", "bias", "weights", "conduct")}
        return State(tensors | {"kinds": self.kinds.codes}, {"newest": self.newest})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:  # noqa: ARG003  the weights tell
        """Rebuild; the arrays are used as they are, mapped or not."""
        kept = state.tensors
        actions = Actions(**{name: kept[f"action_{name}"] for name in Actions.__dataclass_fields__})
        kinds, newest = Kinds(kept["kinds"]), int(state.values["newest"])
        return cls(recipe, actions, kept["users"], kept["bias"], kept["weights"], kept["conduct"], kinds, newest)


@dataclass(frozen=True)
class NextBestAction(Recipe):
    """Rank actions by the probability that a user takes them."""

    name = "aws-next-best-action"
    type = RecipeType.PERSONALIZED_ACTIONS
    summary = "Which offer, programme or app to suggest to a user next, by the chance that it is taken."
    datasets = ("ACTIONS", "INTERACTIONS", "ACTION_INTERACTIONS", "USERS", "ITEMS")
    required = ("ACTIONS", "INTERACTIONS")
    has_scores = True
    model = ActionModel

    action_optimization_period: int = hyperparameter(
        14, low=7, high=28, featurization=True, help="Days within which an action shown must be taken to count."
    )

    def fit(self, data: TrainingData, run: Run) -> ActionModel:
        """Learn from `data`, whose items are actions and whose events are Taken, Not Taken and Viewed.

        Raises:
            RecipeError: there are no actions.
        """
        if not data.num_items:
            raise RecipeError("There are no actions; import an Actions dataset first.")
        run.report("preparing", 0.0)
        kinds = Kinds.of(data.interactions.event_types)
        actions = Actions.of(data, kinds)
        users = content_vectors(data.users, data.num_users, USER_DIMENSION, run.seed)
        samples = self._samples(data, kinds, actions, users)
        run.report("training", 0.3)
        bias, weights, conduct = _fit_logistic(samples, data.num_items)
        newest = int(data.interactions.timestamp.max(initial=0))
        return ActionModel(self, actions, users, bias, weights, conduct, kinds, newest)

    def update(self, model: Model, data: TrainingData, run: Run) -> ActionModel:  # noqa: ARG002  nothing is carried over
        """The two-hourly update: training takes seconds, so new actions and interactions are learned in full."""
        return self.fit(data, run)

    def _samples(self, data: TrainingData, kinds: Kinds, actions: Actions, users: Floats) -> Samples:
        """One sample for each exposure, and for each taking that no exposure within the period foreshadowed."""
        events = data.interactions
        taken, shown = kinds.taken(events.event_type), kinds.declined(events.event_type)
        period = self.action_optimization_period * DAY
        pair = pair_keys(events.user_index, events.item_index, data.num_items)
        order = np.lexsort((events.timestamp, pair))
        time, pair = events.timestamp[order].astype(np.float64), pair[order]
        following = _neighbouring(time, pair, taken[order], forward=True)
        preceding = _neighbouring(time, pair, shown[order], forward=False)
        led_to_taking, foreshadowed = np.zeros(len(events), bool), np.zeros(len(events), bool)
        led_to_taking[order] = following - time <= period
        foreshadowed[order] = time - preceding <= period
        chosen = np.flatnonzero(shown | (taken & ~foreshadowed))
        before = features_before(events, kinds, actions.type)
        return Samples(
            events.item_index[chosen],
            users[events.user_index[chosen]],
            before[chosen],
            (taken | led_to_taking)[chosen].astype(np.float32),
        )


@dataclass(frozen=True)
class Samples:
    """S exposures: `action` (S,), the user's `vector` (S, D), `conduct` before (S, F), whether it was `taken` (S,)."""

    action: EventIndexes
    vector: Floats
    conduct: Floats
    taken: Floats = field(repr=False)


def _fit_logistic(samples: Samples, num_actions: int) -> tuple[Floats, Floats, Floats]:
    """Bias (A,), weights (A, D) and conduct weights (F,) of least penalised log-loss."""
    size, dimension = samples.vector.shape
    chosen = sparse.csr_matrix((np.ones(size), (samples.action, np.arange(size))), shape=(num_actions, size))
    rate = (samples.taken.sum() + 1) / (size + 2)
    prior = np.log(rate / (1 - rate))
    cuts = np.cumsum([num_actions, dimension, num_actions * dimension])

    def unpack(flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        bias, shared, own, conduct = np.split(flat, cuts)
        return bias, shared, own.reshape(num_actions, dimension), conduct

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        bias, shared, own, conduct = unpack(flat)
        weights = shared + own[samples.action]
        logits = prior + bias[samples.action] + np.einsum("sd,sd->s", weights, samples.vector)
        logits += samples.conduct @ conduct
        wrong = expit(logits) - samples.taken
        weighted = wrong[:, None] * samples.vector
        value = np.logaddexp(0, logits).sum() - samples.taken @ logits
        value += 0.5 * (SHARED_RIDGE * (bias @ bias + shared @ shared + conduct @ conduct) + OWN_RIDGE * np.sum(own**2))
        gradient = [
            chosen @ wrong + SHARED_RIDGE * bias,
            weighted.sum(axis=0) + SHARED_RIDGE * shared,
            (chosen @ weighted + OWN_RIDGE * own).ravel(),
            samples.conduct.T @ wrong + SHARED_RIDGE * conduct,
        ]
        return float(value), np.concatenate(gradient)

    start = np.zeros(int(cuts[-1]) + NUM_FEATURES)
    minimize = import_module("scipy.optimize").minimize  # servers import this module and fit nothing: 10 MB
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    bias, shared, own, conduct = unpack(best.x)
    return (prior + bias).astype(np.float32), (shared + own).astype(np.float32), conduct.astype(np.float32)


def _neighbouring(
    time: NDArray[np.float64], pair: NDArray[np.int64], wanted: NDArray[np.bool_], *, forward: bool
) -> NDArray[np.float64]:
    """(E,) time of the next (or previous) wanted event of the same pair; ±inf without one. Sorted by pair, then time."""
    if forward:
        return -_neighbouring(-time[::-1], -pair[::-1], wanted[::-1], forward=False)[::-1]
    latest = np.maximum.accumulate(np.where(wanted, np.arange(len(time)), -1))
    before = np.concatenate([[-1], latest[:-1]])[: len(time)]
    same = (before >= 0) & (pair[before] == pair)
    return np.where(same, time[before], -np.inf)


def _ready(data: TrainingData, kinds: Kinds) -> NDArray[np.bool_]:
    """(A,) which actions have enough of both outcomes within six weeks of the newest event."""
    events = data.interactions
    recent = events.timestamp >= events.timestamp.max(initial=0) - WEEKS
    counts = [
        np.bincount(events.item_index[recent & outcome], minlength=data.num_items)
        for outcome in (kinds.taken(events.event_type), kinds.declined(events.event_type))
    ]
    return np.asarray((counts[0] >= ENOUGH) & (counts[1] >= ENOUGH))


def _numbers(columns: Columns, names: tuple[str, ...], size: int, missing: float) -> NDArray[np.float64]:
    """(A,) the first of the named columns that is there, `missing` where it is null."""
    found = next((columns[name] for name in names if name in columns), None)
    if not isinstance(found, Numeric):
        return np.full(size, missing)
    return np.where(np.isnan(found.values), missing, found.values)


def _types(columns: Columns, size: int) -> NDArray[np.int64]:
    found = columns.get("TYPE")
    alone = np.arange(size, dtype=np.int64)
    if not isinstance(found, Categorical):
        return alone
    typed = np.diff(found.offsets) > 0
    types = alone + len(found.categories)
    types[typed] = found.codes[found.offsets[:-1][typed]]
    return types
