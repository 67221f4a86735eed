"""Next best actions for a user: those that have expired or were shown too recently are left out as of this moment."""

from __future__ import annotations

import time
import uuid
from functools import lru_cache
from typing import cast

import numpy as np

from console.errors import InvalidInputException
from console.serving import recorder
from console.serving.fallback import model_of
from console.serving.history import history_of
from console.serving.loader import LoadedModel
from console.serving.recommend import RankedItem, RecommendationRequest, ServingTarget, in_arm
from recipes.filters import Catalogue, CompiledFilters, FilterError, UserContext
from recipes.methods.next_best_action import ActionModel
from recipes.numerics.topk import top_k


def recommend_actions(source: ServingTarget, ask: RecommendationRequest) -> tuple[str, list[RankedItem]]:
    """The recommendation's id, and the actions with the chance that each is taken."""
    loaded = model_of(source.artefact)
    past = history_of(loaded, source.group_id, ask.user_id, actions=True)
    model = cast("ActionModel", loaded.model)
    scores = model.score_at(past.history(), int(time.time()))
    shown = model.probabilities(scores)[0]
    if ask.filter is not None:
        user = UserContext(loaded.data.users, past.user, past.events())
        try:
            scores[:, ~_filters(loaded).mask(ask.filter, user)] = -np.inf
        except FilterError as error:
            raise InvalidInputException(str(error), field="filterArn") from None
    best = top_k(scores, ask.k).items[0] if ask.k else np.zeros(0, np.int64)
    picks = [RankedItem(int(item), loaded.data.item_ids[int(item)], float(shown[item])) for item in best if item >= 0]
    identifier = f"RID-{uuid.uuid4()}"
    recorder.record(identifier, {"source": source.arn, "group": source.group_id, "time": int(time.time()),
                                 "actions": [pick.item_id for pick in picks], **in_arm(source)})  # fmt: skip
    return identifier, picks


@lru_cache(maxsize=16)
def _filters(loaded: LoadedModel) -> CompiledFilters:
    return CompiledFilters(Catalogue.of_actions(loaded.data))
