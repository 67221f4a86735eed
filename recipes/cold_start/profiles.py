"""What users are like in the eyes of new items: the mean traits of what they took, turned into the directions that matter.

The directions are those of a linear discriminant analysis with items as classes: users who take different items differ
most along them, and users who take the same item vary by 1 (Fisher 1936; Hastie et al., "The Elements", 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.data import Histories
from recipes.numerics.arrays import EventIndexes, Floats, Indexes
from recipes.numerics.weighted_rows import add_rows

DIRECTIONS = 24  # at most
PRIOR_EVENTS = 3.0  # events' worth of the average user in every profile
TAIL = 100  # newest events that a profile is made of
LEAST_BETWEEN = 1e-3  # share of the profiles' variance that a direction must explain
MOST_BETWEEN = 0.95  # share of a direction's variance that items explain, at most
ONES = np.ones(TAIL, np.float32)
CLIP = np.float32(4.0)  # standard deviations at which a profile is cut


@dataclass(frozen=True)
class Directions:
    """The way from traits to profiles.

    Attributes:
        centre: (D,) mean traits of an event's item.
        matrix: (D, K) directions.
        between: (K,) variance of the items' means, where users of one item vary by 1.
    """

    centre: Floats
    matrix: Floats
    between: Floats

    def of_items(self, traits: Floats) -> Floats:
        """(N, K) what an event with each item adds to a profile; nothing where there are no traits."""
        known = np.any(traits != 0, axis=1)
        return np.where(known[:, None], (traits - self.centre) @ self.matrix, 0).astype(np.float32)


def profiles(histories: Histories, rows: Floats) -> Floats:
    """(B, K) of the newest events; `rows` (N, K) is what an event with each item adds."""
    if len(histories) == 1:
        return profile_of(histories.item_index, rows)
    recent = histories.tail(TAIL)
    return finished(summed(recent, rows), np.diff(recent.offsets))


def profile_of(items: EventIndexes, rows: Floats) -> Floats:
    """(1, K) as `profiles` of one history of (E,) items."""
    newest = items[-TAIL:]
    mean = np.zeros((1, rows.shape[1]), np.float32)
    add_rows(mean, np.array([0, len(newest)]), newest, ONES[: len(newest)], rows)
    mean /= np.float32(len(newest) + PRIOR_EVENTS)
    np.maximum(mean, -CLIP, out=mean)
    return np.minimum(mean, CLIP, out=mean)


def summed(histories: Histories, rows: Floats) -> Floats:
    """(B, K) sums over the events."""
    ones = np.ones(len(histories.item_index), np.float32)
    picks = sp.csr_matrix((ones, histories.item_index, histories.offsets), shape=(len(histories), len(rows)))
    return np.asarray(picks @ rows, np.float32)


def finished(sums: Floats, events: NDArray[np.int64]) -> Floats:
    """Means of (B, K) sums over so many events (B,), drawn towards the average user."""
    means: Floats = np.clip(sums / (events + PRIOR_EVENTS).astype(np.float32)[:, None], -CLIP, CLIP)
    return means


@dataclass(frozen=True)
class Takers:
    """Who took which item: (P,) user and item of the distinct pairs, and how many of the user's events they are."""

    user: Indexes
    item: Indexes
    count: NDArray[np.int64]

    @classmethod
    def of(cls, histories: Histories, num_items: int) -> Takers:
        """The distinct pairs of a row and an item."""
        keys, count = np.unique(histories.row * num_items + histories.item_index, return_counts=True)
        return cls(keys // num_items, keys % num_items, count)

    def profiles(self, histories: Histories, rows: Floats) -> Floats:
        """(P, K) profiles of the takers, the item itself left out of its takers' profiles."""
        sums, sizes = summed(histories, rows), np.diff(histories.offsets)
        own = sums[self.user] - rows[self.item] * self.count[:, None].astype(np.float32)
        return finished(np.asarray(own, np.float32), sizes[self.user] - self.count)


def learn_directions(histories: Histories, traits: Floats, shrinkage: float) -> Directions | None:
    """Directions along which the takers of different items differ; None where there are none.

    How much items differ is the covariance between the means of two halves of their takers: what differs by chance does
    not count, as no user is in both halves.

    Args:
        histories: what users took.
        traits: (N, D) of the items.
        shrinkage: of the profiles' covariance towards one that is the same in all directions, in units of its mean.
    """
    centre = np.asarray(traits[histories.item_index].mean(axis=0), np.float32)
    centred = np.where(np.any(traits != 0, axis=1)[:, None], traits - centre, 0).astype(np.float32)
    takers = Takers.of(histories, len(traits))
    if not len(takers.user):
        return None
    people = takers.profiles(histories, centred)
    covariance = (people.T @ people).astype(np.float64) / len(people)
    variance, axes = np.linalg.eigh(covariance)
    white = axes / np.sqrt(variance + shrinkage * variance.mean() + 1e-12)
    between = white.T @ _between(takers, people, len(traits), len(histories)) @ white
    strength, turn = np.linalg.eigh(between)
    best = np.argsort(-strength)[:DIRECTIONS]
    best = best[strength[best] > LEAST_BETWEEN * np.einsum("ij,ik,kj->j", white, covariance, white).mean()]
    if not len(best):
        return None
    turned = white @ turn[:, best]
    total = np.einsum("ij,ik,kj->j", turned, covariance, turned)
    within = np.maximum(total - strength[best], (1 - MOST_BETWEEN) * total)
    matrix = turned / np.sqrt(within)
    return Directions(centre, matrix.astype(np.float32), (strength[best] / within).astype(np.float32))


def _between(takers: Takers, people: Floats, num_items: int, num_users: int) -> NDArray[np.float64]:
    """(D, D) covariance of the items' mean profiles."""
    is_second = np.random.default_rng(0).permutation(num_users)[takers.user] % 2 == 1
    halves = [(item_sums(takers.item[part], people[part], num_items), np.bincount(takers.item[part], minlength=num_items))
              for part in (~is_second, is_second)]  # fmt: skip
    (first, first_count), (second, second_count) = halves
    both = (first_count > 0) & (second_count > 0)
    weight = first_count[both] * second_count[both] / (first_count + second_count)[both]
    means = (first[both] / first_count[both, None] * weight[:, None]).T @ (second[both] / second_count[both, None])
    return np.asarray((means + means.T) / (2 * max(weight.sum(), 1e-12)), np.float64)


def item_sums(item: Indexes, values: NDArray[np.floating], num_items: int) -> NDArray[np.float64]:
    """(N, K) sums of (P, K) values by their items."""
    ones = np.ones(len(item))
    picks = sp.csr_matrix((ones, (item, np.arange(len(item)))), shape=(num_items, len(item)))
    return np.asarray(picks @ values, np.float64)
