"""The ten domain use cases as configurations of recipes: what each is made of, asks for and leaves out.

A recommender of a domain dataset group is one of these: a recipe trained on some event types, whose answers leave out what the
user already bought or watched where the use case says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recipes import catalogue
from recipes.base import Recipe, RecipeError
from recipes.data import TrainingData

ENOUGH = 1000  # events of its type that a use case needs


class Domain(StrEnum):
    """What a dataset group is about."""

    ECOMMERCE = "ECOMMERCE"
    VIDEO_ON_DEMAND = "VIDEO_ON_DEMAND"


@dataclass(frozen=True)
class UseCase:
    """One way to recommend in a domain.

    Attributes:
        name: AWS's name, which stands where a recipe's would.
        domain: whose dataset groups offer it.
        title: what the console calls it.
        recipe_name: of the recipe that does the work.
        summary: one sentence on where it fits.
        event_type: the only one that is trained on; None for all.
        inputs: what a request must bring, "userId" or "itemId".
        removes: types of events; items that the user has such an event with are left out of answers.
        explores: whether exploration settings apply.
        datasets: dataset types that must be there.
        refresh_hours: how often new items or events are taken up between trainings; None for at training only.
        promotions: whether promotions may be used.
    """

    name: str
    domain: Domain
    title: str
    recipe_name: str
    summary: str
    event_type: str | None = None
    inputs: tuple[str, ...] = ("userId",)
    removes: tuple[str, ...] = ()
    explores: bool = False
    datasets: tuple[str, ...] = ("INTERACTIONS",)
    refresh_hours: int | None = None
    promotions: bool = True

    def recipe(self) -> Recipe:
        """The recipe that does the work, with its defaults."""
        return catalogue.get(self.recipe_name)()

    def select(self, data: TrainingData) -> TrainingData:
        """The events it trains on; event types are compared without case.

        Raises:
            RecipeError: there are fewer than 1,000 of them.
        """
        events = data.interactions
        if self.event_type is not None:
            wanted = [
                code for code, name in enumerate(events.event_types) if name.casefold() == self.event_type.casefold()
            ]
            data = data.keep(np.isin(events.event_type, wanted))
        if len(data.interactions) < ENOUGH:
            kind = f"{self.event_type} events" if self.event_type else "interactions"
            raise RecipeError(f"{self.title} needs {ENOUGH:,} {kind}, there are {len(data.interactions):,}.")
        return data


USE_CASES = {
    use_case.name: use_case
    for use_case in (
        UseCase(
            "aws-ecomm-popular-items-by-views",
            Domain.ECOMMERCE,
            "Most viewed",
            "aws-popularity-count",
            "What most customers look at; a good start for a front page.",
            event_type="View",
        ),
        UseCase(
            "aws-ecomm-popular-items-by-purchases",
            Domain.ECOMMERCE,
            "Best sellers",
            "aws-popularity-count",
            "What most customers buy.",
            event_type="Purchase",
        ),
        UseCase(
            "aws-ecomm-frequently-bought-together",
            Domain.ECOMMERCE,
            "Frequently bought together",
            "aws-sims",
            "What goes into the basket along with an item.",
            event_type="Purchase",
            inputs=("itemId",),
        ),
        UseCase(
            "aws-ecomm-customers-who-viewed-x-also-viewed",
            Domain.ECOMMERCE,
            "Customers who viewed X also viewed",
            "aws-sims",
            "What else people look at who looked at an item; what the customer bought is left out.",
            event_type="View",
            inputs=("userId", "itemId"),
            removes=("Purchase",),
        ),
        UseCase(
            "aws-ecomm-recommended-for-you",
            Domain.ECOMMERCE,
            "Recommended for you",
            "aws-user-personalization",
            "A personal selection that also tries new items; what the customer bought is left out.",
            removes=("Purchase",),
            explores=True,
            refresh_hours=2,
        ),
        UseCase(
            "aws-vod-because-you-watched-x",
            Domain.VIDEO_ON_DEMAND,
            "Because you watched X",
            "aws-sims",
            "What people watch who watched a title; what the viewer watched is left out.",
            event_type="Watch",
            inputs=("userId", "itemId"),
            removes=("Watch",),
        ),
        UseCase(
            "aws-vod-more-like-x",
            Domain.VIDEO_ON_DEMAND,
            "More like X",
            "aws-similar-items",
            "Titles like a given one by who watches them and by what they are; what the viewer watched is left out.",
            inputs=("userId", "itemId"),
            removes=("Watch",),
            datasets=("INTERACTIONS", "ITEMS"),
        ),
        UseCase(
            "aws-vod-most-popular",
            Domain.VIDEO_ON_DEMAND,
            "Most popular",
            "aws-popularity-count",
            "What most viewers watch.",
            event_type="Watch",
        ),
        UseCase(
            "aws-vod-trending-now",
            Domain.VIDEO_ON_DEMAND,
            "Trending now",
            "aws-trending-now",
            "What is rising right now.",
            event_type="Watch",
            refresh_hours=2,
            promotions=False,
        ),
        UseCase(
            "aws-vod-top-picks",
            Domain.VIDEO_ON_DEMAND,
            "Top picks for you",
            "aws-user-personalization",
            "A personal selection that also tries new titles; what the viewer watched is left out.",
            removes=("Watch",),
            explores=True,
            refresh_hours=2,
        ),
    )
}


def get(name: str) -> UseCase:
    """The use case called `name`.

    Raises:
        ValueError: there is no such use case; lists those there are.
    """
    if name not in USE_CASES:
        raise ValueError(f"There is no use case {name}; there are {', '.join(USE_CASES)}.")
    return USE_CASES[name]
