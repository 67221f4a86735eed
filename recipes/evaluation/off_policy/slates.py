"""Estimators for rounds that show a list: cascade-DR, independent IPS, and the pseudo-inverse estimator.

The weight of a whole list is the product of its places' weights, which explodes with its length. Each estimator avoids that by an
assumption: in a cascade, what happens at a place depends on the places before it only; for the pseudo-inverse, the expected
reward of a list is a sum over its places (linear); for independent IPS, a place's reward depends on its own item only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipes.evaluation.off_policy.estimates import Array, Estimate, of_rounds


@dataclass(frozen=True)
class LoggedLists:
    """Independent rounds with K places; leading axes, if any, are separate logs.

    Attributes:
        reward: (..., n, K) what each place earned.
        behaviour: (..., n, K) probability, above 0, of the logging policy to show the item it showed at that place; given the
            places before it for `cascade_dr` and `cascade_ips`, marginal for the others.
        target: (..., n, K) that of the evaluated policy.
        predicted: (..., n, K) reward predicted from the place on, given the list up to it, the item shown included.
        expected: (..., n, K) the same before the item is known: its mean under the evaluated policy.
    """

    reward: Array
    behaviour: Array
    target: Array
    predicted: Array | None = None
    expected: Array | None = None

    def __post_init__(self) -> None:
        """Hold the probabilities to what they can be."""
        if not ((self.behaviour > 0) & (self.behaviour <= 1 + 1e-9)).all():
            raise ValueError("A logging probability is not above 0 and at most 1; record the chance of what was shown.")
        if (self.predicted is None) is not (self.expected is None):
            raise ValueError("predicted and expected come together: both are of one reward model.")

    @property
    def weight(self) -> Array:
        """(..., n, K) importance weight of each place."""
        return self.target / self.behaviour


def list_ips(log: LoggedLists) -> Estimate:
    """IPS of whole lists: mean of (product of w) · (sum of r); without any assumption, and of large variance."""
    return of_rounds("list IPS", log.weight.prod(axis=-1) * log.reward.sum(axis=-1))


def independent_ips(log: LoggedLists) -> Estimate:
    """Mean of the sum of w_k r_k: each place by its own weight (Li et al. 2018, "Offline Evaluation of Ranking Policies with Click Models").

    Weights 2 and 0, rewards 1 and 1: 2 · 1 + 0 · 1.

    >>> log = LoggedLists(np.ones((2, 2)), np.full((2, 2), 0.5), np.array([[1.0, 0.0], [1.0, 0.0]]))
    >>> float(independent_ips(log).value)
    2.0
    """
    return of_rounds("independent IPS", (log.weight * log.reward).sum(axis=-1))


def normalised_ips(log: LoggedLists, sizes: Array) -> Estimate:
    """Independent IPS over the mean weight of a place, which is 1 but for chance: sum of w_k r_k / mean of (sum of w_k / K).

    Its interval is that of its linearisation, as of SNIPS.

    One place, weights 2 and 1, rewards 1 and 0: (2 / 2) / ((2 + 1) / 2).

    >>> log = LoggedLists(np.array([[1.0], [0.0]]), np.array([[0.5], [0.5]]), np.array([[1.0], [0.5]]))
    >>> round(float(normalised_ips(log, np.ones(2)).value), 4)
    0.6667

    Args:
        log: the lists.
        sizes: (..., n) K of each list, of which `log` may have more places, with a target of 0.
    """
    earned = (log.weight * log.reward).sum(axis=-1)
    weight = log.weight.sum(axis=-1) / np.maximum(1, sizes)
    mean = np.maximum(weight.mean(axis=-1), 1e-12)
    value = earned.mean(axis=-1) / mean
    return of_rounds("self-normalised IPS", value[..., None] + (earned - value[..., None] * weight) / mean[..., None])


def cascade_ips(log: LoggedLists) -> Estimate:
    """Mean of the sum of w_1 ⋯ w_k r_k: each place by the weights up to it (McInerney et al. 2020, eq. 7).

    Weights 2 and 0.5, rewards 1 and 1: 2 · 1 + 2 · 0.5 · 1.

    >>> log = LoggedLists(np.ones((2, 2)), np.full((2, 2), 0.5), np.tile([1.0, 0.25], (2, 1)))
    >>> float(cascade_ips(log).value)
    3.0
    """
    return of_rounds("cascade IPS", (log.weight.cumprod(axis=-1) * log.reward).sum(axis=-1))


def cascade_dr(log: LoggedLists) -> Estimate:
    """Cascade-DR: mean of the sum of w_1 ⋯ w_{k-1} E_e[q_k] + w_1 ⋯ w_k (r_k - q_k) (Kiyohara et al. 2022, eq. 9).

    The reward from place k on, q_k, counts what follows: r_k there stands for the place's own reward, and what follows enters
    with the next term. Without a reward model it is cascade IPS.

    One place, weight 2, reward 1, both predictions 0.5: 0.5 + 2 · (1 - 0.5).

    >>> half = np.full((2, 1), 0.5)
    >>> float(cascade_dr(LoggedLists(np.ones((2, 1)), half, np.ones((2, 1)), half, half)).value)
    1.5
    """
    through = log.weight.cumprod(axis=-1)
    before = np.concatenate([np.ones_like(through[..., :1]), through[..., :-1]], axis=-1)
    predicted = np.zeros_like(log.reward) if log.predicted is None else log.predicted
    expected = np.zeros_like(log.reward) if log.expected is None else log.expected
    return of_rounds("cascade-DR", (before * expected + through * (log.reward - predicted)).sum(axis=-1))


def pseudo_inverse(log: LoggedLists) -> Estimate:
    """The pseudo-inverse estimator where places are filled independently: mean of (1 - K + sum of w_k) · (sum of r_k).

    Swaminathan et al. 2017, "Off-policy evaluation for slate recommendation", eq. 5; for lists without repeats, whose places depend on
    each other, give `slate_weights` of the logging policy to `weighted_lists`.

    Weights 2 and 0 of two places, reward 1 of the list: (1 - 2 + 2) · 1.

    >>> log = LoggedLists(np.array([[1.0, 0.0]] * 2), np.full((2, 2), 0.5), np.array([[1.0, 0.0]] * 2))
    >>> float(pseudo_inverse(log).value)
    1.0
    """
    weight = 1 - log.weight.shape[-1] + log.weight.sum(axis=-1)
    return weighted_lists(weight, log.reward.sum(axis=-1))


def weighted_lists(weight: Array, reward: Array) -> Estimate:
    """The mean of (..., n) weights times rewards of whole lists, as the pseudo-inverse estimator."""
    return of_rounds("pseudo-inverse", weight * reward)


def slate_weights(moments: Array, target: Array, shown: Array) -> Array:
    """The pseudo-inverse estimator's weights for any logging policy: q_e' Γ⁺ 1_s (Swaminathan et al. 2017, eq. 3 and 4).

    Args:
        moments: (P, P) Γ = E_b[1_s 1_s'], how likely each two of the P = K · N pairs of a place and an item are both shown.
        target: (P,) q_e = E_e[1_s], how likely the evaluated policy shows each pair.
        shown: (n, P) 1_s, which pairs each list showed; 0 or 1.

    Returns:
        (n,) weights, which may be negative.

    Two items, one place, both as likely; the evaluated policy shows the first: weights 2 and 0.

    >>> slate_weights(np.eye(2) / 2, np.array([1.0, 0.0]), np.eye(2)).round(6).tolist()
    [2.0, 0.0]
    """
    return np.asarray(shown @ (np.linalg.pinv(moments, hermitian=True) @ target))
