"""Lists into which both versions of an experiment put items, and what users' choices from them say for either version.

The list is drawn by team draft (`recipes.evaluation.interleaving`). Who saw it and how much higher the treatment had each item is
written down by the experiments' thread, as the broker keeps answers for three days and experiments last for weeks.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from console.models import Event, Experiment, InterleavedList
from console.models.base import JSONDict
from console.serving import recorder
from console.serving.experiments import REGISTER
from console.serving.pipeline import unrecorded
from console.serving.request import RecommendationRequest, RecommendationResult, ServingTarget
from recipes.evaluation.interleaving import Credits, Draft, credit, team_draft

ASKED_AT_ONCE = 500
PLACES = 100  # of a list that are kept


@dataclass(frozen=True)
class Interleaved:
    """A list as it travels."""

    recommendation_id: str
    items: list[dict[str, Any]]
    explored: int


def recommend_interleaved(
    source: ServingTarget, ask: RecommendationRequest, columns: tuple[str, ...] | None
) -> Interleaved:
    """Answer GetRecommendations with items of the campaign's version and of its rival."""
    rival = source.rival
    assert rival is not None  # noqa: S101  who has none asks `recommend`
    control = replace(source, rival=None)
    answers = unrecorded(control, ask), unrecorded(rival.target, ask)
    draft, names = _drafted(answers, ask.k)
    by_id: dict[str, dict[str, Any]] = {}
    for answer, target in zip(answers, (control, rival.target), strict=True):
        by_id = {item["itemId"]: item for item in answer.wire(target, columns)} | by_id
    identifier, items = f"RID-{uuid.uuid4()}", [names[place] for place in draft.items]
    explored = {place.item_id for answer in answers for place in answer.ranked if place.explored}
    recorder.record(
        identifier,
        {
            "source": source.arn, "group": source.group_id, "user": recorder.pseudonym(source.group_id, ask.user_id or ""), "items": items, "propensities": [1.0] * len(items),
            "explored": [name for name in items if name in explored], "beyondRelevance": [], "time": int(time.time()),
            "experimentArn": rival.experiment_arn, "teams": draft.teams,
        },
    )  # fmt: skip
    REGISTER.note_list(
        InterleavedList(
            experiment_id=rival.experiment_id, recommendation_id=identifier, user_id=ask.user_id or "",
            time=int(time.time()), items=items[:PLACES],
            advantages=[round(value, 6) for value in draft.advantages[:PLACES]],
        )
    )  # fmt: skip
    return Interleaved(identifier, [by_id[name] for name in items], len(explored.intersection(items)))


def _drafted(answers: Sequence[RecommendationResult], size: int) -> tuple[Draft, list[str]]:
    """The two lists as one of numbers, and the item of each number: versions number items differently."""
    lists = [[place.item_id for place in answer.ranked] for answer in answers]
    names = list(dict.fromkeys(name for one in lists for name in one))
    numbers = {name: number for number, name in enumerate(names)}
    first, second = ([numbers[name] for name in one] for one in lists)
    return team_draft(first, second, size, _rng()), names


@cache
def _rng() -> np.random.Generator:
    return np.random.default_rng()


@dataclass(frozen=True)
class Counted:
    """What came of an interleaving: lists, and the credits of the users who got them."""

    lists: int
    credits: Credits

    def kept(self) -> JSONDict:
        """As JSON, once the users are forgotten."""
        return {"lists": self.lists, **vars(self.credits)}

    @classmethod
    def revived(cls, kept: JSONDict) -> Counted:
        """From what was kept."""
        return cls(kept["lists"], Credits(**{name: value for name, value in kept.items() if name != "lists"}))


def count(experiment: Experiment, until: int) -> Counted:
    """Each user's credit over all lists: an item counts once for each list from which it was taken."""
    lists = InterleavedList.objects.filter(experiment=experiment)
    events = Event.objects.filter(
        dataset_group=experiment.dataset_group, is_action=False, timestamp__lte=until,
        recommendation_id__in=lists.values("recommendation_id"),
    )  # fmt: skip
    if experiment.event_types:
        events = events.filter(event_type__in=experiment.event_types)
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for name, item in events.values_list("recommendation_id", "item_id").distinct():
        taken[str(name)].add(item)
    found: defaultdict[str, float] = defaultdict(float, dict.fromkeys(lists.values_list("user_id", flat=True), 0.0))
    names = list(taken)
    for start in range(0, len(names), ASKED_AT_ONCE):
        rows = lists.filter(recommendation_id__in=names[start : start + ASKED_AT_ONCE])
        for name, user, items, advantages in rows.values_list("recommendation_id", "user_id", "items", "advantages"):
            chosen = [number for number, item in enumerate(items) if item in taken[name]]
            found[user] += credit(Draft(list(range(len(items))), [], advantages), chosen)
    return Counted(lists.count(), Credits.of(round(value, 9) for value in found.values()))
