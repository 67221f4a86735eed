"""Personalized-Ranking: orders a given list for a user with the relevance engine of User-Personalization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recipes.base import RecipeType
from recipes.methods.user_personalization import UserPersonalization, UserPersonalizationV2


@dataclass(frozen=True)
class PersonalizedRanking(UserPersonalization):
    """aws-personalized-ranking: scores only, no exploration."""

    name: ClassVar[str] = "aws-personalized-ranking"
    type: ClassVar[RecipeType] = RecipeType.PERSONALIZED_RANKING
    summary: ClassVar[str] = "Orders a list of items for each user."
    explores: ClassVar[bool] = False
    updates: ClassVar[bool] = False


@dataclass(frozen=True)
class PersonalizedRankingV2(UserPersonalizationV2):
    """aws-personalized-ranking-v2: scores only, nothing to set but the recency bias."""

    name: ClassVar[str] = "aws-personalized-ranking-v2"
    type: ClassVar[RecipeType] = RecipeType.PERSONALIZED_RANKING
    summary: ClassVar[str] = "Orders a list of items for each user, with nothing to set."
    updates: ClassVar[bool] = False
