"""What is asked of a served model, and what it answers: the types that all of serving speaks in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from console import notices
from console.serving.experiments import Arm
from console.serving.exploration_config import Exploration
from console.serving.history import UserHistory
from console.serving.live_catalog import Catalog
from console.serving.loader import LoadedModel
from console.serving.metadata import unknown_columns, values_of
from recipes.filters import Bound
from recipes.numerics.arrays import Floats

REASONED = {"aws-user-personalization-v2", "aws-personalized-ranking-v2"}
SCORE_DIGITS = 7


@dataclass(frozen=True)
class Rival:
    """The version whose items stand in the lists of an interleaving beside the campaign's own."""

    experiment_id: int
    experiment_arn: str
    target: ServingTarget


@dataclass(frozen=True)
class ServingTarget:
    """What is asked: a campaign, a recommender or a version.

    Attributes:
        arn: its ARN.
        recipe: the recipe's name, or that of the use case.
        artefact: the key of the model.
        group_id: the dataset group's row.
        exploration: settings; None for those that don't explore.
        has_scores: whether scores are returned.
        removes: event types whose items are left out by themselves.
        needs_user, needs_item: which ids a request must give.
        promotes: whether promotions are allowed.
        metadata: whether metadata may be returned.
        influence: AWS's rankingInfluence, by "popularity" and "freshness".
        arm: the side of the running experiment that the user is on; None without one.
        rival: what shares the user's lists in an interleaving; None without one.
    """

    arn: str
    recipe: str
    artefact: str
    group_id: int
    exploration: Exploration | None = None
    has_scores: bool = False
    removes: tuple[str, ...] = ()
    needs_user: bool = True
    needs_item: bool = False
    promotes: bool = True
    metadata: bool = False
    influence: Mapping[str, float] = field(default_factory=dict, hash=False)
    arm: Arm | None = None
    rival: Rival | None = None

    def exploring(self, exploration: Exploration) -> ServingTarget:
        """The same under other settings of exploration."""
        return replace(self, exploration=exploration)


@dataclass(frozen=True)
class Promotion:
    """A share of the list that a filter of its own fills."""

    name: str
    percent: int
    filter: Bound | None


@dataclass(frozen=True)
class RecommendationRequest:
    """A request, checked: ids, how many, and what to leave out.

    Attributes:
        user_id, item_id: whom or what the list is for.
        k: how many places it has.
        context: contextual metadata by column.
        filter: what leaves items out.
        promotion: what fills a share of the places.
        items: ids to be ranked; None where the items are to be found.
        history: the events to recommend by, where they are not those that are kept of the user.
        is_trial: whether somebody else than the user is answered.
        draw: the seed of what is drawn, the same for lists that are compared; None where each list draws anew.
    """

    user_id: str | None = None
    item_id: str | None = None
    k: int = 25
    context: Mapping[str, str] = field(default_factory=dict)
    filter: Bound | None = None
    promotion: Promotion | None = None
    items: list[str] | None = None
    history: UserHistory | None = None
    is_trial: bool = False
    draw: int | None = None


class RankedItem(NamedTuple):
    """One place of the list; a tuple, as a request makes dozens."""

    item: int
    item_id: str
    score: float | None = None
    promotion: str | None = None
    explored: bool = False
    propensity: float = 1.0
    is_by_relevance: bool = True  # whether relevance alone would have put it into the list


class RankedColumns(NamedTuple):
    """The places of a list by what is known of them, each in the list's order: reading each place's attributes takes longer."""

    items: tuple[int, ...] = ()
    item_ids: tuple[str, ...] = ()
    scores: tuple[float | None, ...] = ()
    promotions: tuple[str | None, ...] = ()
    explored: tuple[bool, ...] = ()
    propensities: tuple[float, ...] = ()
    are_by_relevance: tuple[bool, ...] = ()


@dataclass(frozen=True, eq=False)
class RecommendationResult:
    """A list as it was made, with what made it.

    Attributes:
        ranked: the list, best first.
        loaded: the model.
        catalog: the items as they are now.
        history: the user's events.
        allowed: (N,) what the filter and automatic removals left; None for everything.
        scores: (N,) the model's scores, before anything was left out; empty where a cluster made the list.
        warnings: what the filters compare with and nothing holds, in sentences.
    """

    ranked: list[RankedItem]
    loaded: LoadedModel
    catalog: Catalog
    history: UserHistory
    allowed: NDArray[np.bool_] | None
    scores: Floats
    warnings: tuple[str, ...] = ()

    @cached_property
    def recommendation_id(self) -> str:
        """The id by which events refer to the list."""
        return f"RID-{uuid4()}"

    @cached_property
    def by_column(self) -> RankedColumns:
        """The list by columns."""
        return RankedColumns(*zip(*self.ranked, strict=True))

    def wire(self, target: ServingTarget, columns: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
        """The list as it travels."""
        has_reasons = target.recipe in REASONED
        if columns:
            notices.note(unknown_columns(self.catalog.columns, columns))
        listed = self.by_column
        if columns is None and not has_reasons and not any(listed.promotions):  # nearly always; a request lists dozens
            return [
                {"itemId": item_id, "score": score}
                for item_id, score in zip(listed.item_ids, listed.scores, strict=True)
            ]
        return [
            {
                "itemId": place.item_id,
                "score": place.score,
                "promotionName": place.promotion,
                "metadata": None
                if columns is None or place.item < 0
                else values_of(self.catalog.columns, place.item, columns),
                "reason": self.reasons(place) or None if has_reasons else None,
            }
            for place in self.ranked
        ]

    def reasons(self, place: RankedItem) -> list[str]:
        """Why an item is in the list, in the words of the v2 recipes; none where the user's history is why."""
        reasons = {
            "Promoted item": place.promotion is not None,
            "Exploration": place.explored,
            "Popular item": self.history.is_empty and place.promotion is None,
        }
        return [reason for reason, holds in reasons.items() if holds]
