"""Which recipes there are: name to dotted path, imported on first use, so that listing them never loads torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.base import Recipe

RECIPES = {
    "aws-user-personalization": "recipes.methods.user_personalization:UserPersonalization",
    "aws-user-personalization-v2": "recipes.methods.user_personalization:UserPersonalizationV2",
    "aws-hrnn": "recipes.methods.hrnn:Hrnn",
    "aws-hrnn-metadata": "recipes.methods.hrnn:HrnnMetadata",
    "aws-hrnn-coldstart": "recipes.methods.hrnn:HrnnColdstart",
    "aws-popularity-count": "recipes.methods.popularity:PopularityCount",
    "aws-trending-now": "recipes.methods.trending:TrendingNow",
    "aws-sims": "recipes.methods.sims:Sims",
    "aws-similar-items": "recipes.methods.similar_items:SimilarItems",
    "aws-semantic-similarity": "recipes.methods.semantic_similarity:SemanticSimilarity",
    "aws-personalized-ranking": "recipes.methods.personalized_ranking:PersonalizedRanking",
    "aws-personalized-ranking-v2": "recipes.methods.personalized_ranking:PersonalizedRankingV2",
    "aws-item-affinity": "recipes.methods.item_affinity:ItemAffinity",
    "aws-item-attribute-affinity": "recipes.methods.item_affinity:ItemAttributeAffinity",
    "aws-next-best-action": "recipes.methods.next_best_action:NextBestAction",
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
