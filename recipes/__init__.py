"""Recommenders for people's own machines.

    from recipes import Dataset, UserPersonalization
    model = UserPersonalization().fit(Dataset.from_frames(interactions))

Names of `recipes.estimators` are imported on first use, so that listing recipes and filters loads neither torch nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any

LOADED = monotonic()  # before numpy and all else are, which a time budget given on the command line counts too

if TYPE_CHECKING:
    from recipes.base import RecipeError as RecipeError
    from recipes.dataset import Dataset as Dataset
    from recipes.estimators import Estimator as Estimator
    from recipes.estimators import Hrnn as Hrnn
    from recipes.estimators import HrnnColdstart as HrnnColdstart
    from recipes.estimators import HrnnMetadata as HrnnMetadata
    from recipes.estimators import ItemAffinity as ItemAffinity
    from recipes.estimators import ItemAttributeAffinity as ItemAttributeAffinity
    from recipes.estimators import Model as Model
    from recipes.estimators import PersonalizedRanking as PersonalizedRanking
    from recipes.estimators import PersonalizedRankingV2 as PersonalizedRankingV2
    from recipes.estimators import PopularityCount as PopularityCount
    from recipes.estimators import SemanticSimilarity as SemanticSimilarity
    from recipes.estimators import SimilarItems as SimilarItems
    from recipes.estimators import Sims as Sims
    from recipes.estimators import TrendingNow as TrendingNow
    from recipes.estimators import UserPersonalization as UserPersonalization
    from recipes.estimators import UserPersonalizationV2 as UserPersonalizationV2

MODULES = {"Dataset": "recipes.dataset", "RecipeError": "recipes.base"}
ESTIMATORS = (
    "Estimator", "Hrnn", "HrnnColdstart", "HrnnMetadata", "ItemAffinity", "ItemAttributeAffinity", "Model", "PersonalizedRanking",
    "PersonalizedRankingV2", "PopularityCount", "SemanticSimilarity", "SimilarItems", "Sims", "TrendingNow", "UserPersonalization",
    "UserPersonalizationV2",
)  # fmt: skip
__all__ = [*MODULES, *ESTIMATORS]  # noqa: PLE0604  names of both tables


def __getattr__(name: str) -> Any:
    module = MODULES.get(name) or ("recipes.estimators" if name in ESTIMATORS else None)
    if module is None:
        raise AttributeError(f"module 'recipes' has no attribute {name!r}")
    return getattr(import_module(module), name)
