"""Which recipes there are: name to dotted path, imported on first use, so that listing them never loads torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.base import Recipe

RECIPES = {
    "aws-user-personalization": "recipes.user_personalization:UserPersonalization",
    "aws-user-personalization-v2": "recipes.user_personalization:UserPersonalizationV2",
    "aws-hrnn": "recipes.hrnn:Hrnn",
    "aws-hrnn-metadata": "recipes.hrnn:HrnnMetadata",
    "aws-hrnn-coldstart": "recipes.hrnn:HrnnColdstart",
    "aws-popularity-count": "recipes.popularity:PopularityCount",
    "aws-trending-now": "recipes.trending:TrendingNow",
    "aws-sims": "recipes.sims:Sims",
    "aws-similar-items": "recipes.similar_items:SimilarItems",
    "aws-semantic-similarity": "recipes.semantic_similarity:SemanticSimilarity",
    "aws-personalized-ranking": "recipes.personalized_ranking:PersonalizedRanking",
    "aws-personalized-ranking-v2": "recipes.personalized_ranking:PersonalizedRankingV2",
    "aws-item-affinity": "recipes.item_affinity:ItemAffinity",
    "aws-item-attribute-affinity": "recipes.item_affinity:ItemAttributeAffinity",
    "aws-next-best-action": "recipes.next_best_action:NextBestAction",
}


def get(name: str) -> type[Recipe]:
    """The class of the recipe called `name`.

    Raises:
        ValueError: there is no such recipe; lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(f"There is no recipe {name}; there are {', '.join(RECIPES)}.")
    module, _, attribute = RECIPES[name].partition(":")
    found: type[Recipe] = getattr(import_module(module), attribute)
    return found
