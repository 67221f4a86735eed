"""itemExplorationConfig, the settings of exploration, which AWS's texts spell in several ways; and rankingInfluence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.errors import InvalidInputException
from console.shapes import JSONDict
from recipes.base import Recipe

INFLUENCED = "aws-semantic-similarity"
WEIGHT, CUT_OFF = "explorationWeight", "explorationItemAgeCutOff"
DEFAULTS = {WEIGHT: 0.3, CUT_OFF: 30.0}
SPELLINGS = {"explorationweight": WEIGHT, "explorationitemagecutoff": CUT_OFF}


@dataclass(frozen=True)
class Exploration:
    """How much, and up to which age of items."""

    weight: float
    cutoff_days: float

    @classmethod
    def of(cls, config: Mapping[str, str] | None) -> Exploration:
        """From wire itemExplorationConfig, with AWS's defaults."""
        read = read_exploration(dict(config or {}))
        return cls(read[WEIGHT], read[CUT_OFF])


def read_exploration(config: JSONDict | None) -> dict[str, float]:
    """Weight and cut-off as numbers, the defaults where nothing is said.

    >>> read_exploration({"exploration_weight": "0.5"})
    {'explorationWeight': 0.5, 'explorationItemAgeCutOff': 30.0}

    Raises:
        InvalidInputException: an unknown key, or a value outside its range.
    """
    found = dict(DEFAULTS)
    for key, text in (config or {}).items():
        name = SPELLINGS.get(key.replace("_", "").lower())
        if name is None:
            raise InvalidInputException(
                f"itemExplorationConfig has no {key}, allowed are {WEIGHT} and {CUT_OFF}.",
                field="itemExplorationConfig",
            )
        found[name] = _read(name, text)
    return found


def check_exploration(recipe: type[Recipe], config: JSONDict | None) -> None:
    """Exploration may be configured for recipes that explore only."""
    if config and not recipe.explores:
        raise InvalidInputException(
            f"{recipe.name} does not explore, so itemExplorationConfig cannot be given.", field="itemExplorationConfig"
        )
    read_exploration(config)


def check_influence(recipe: type[Recipe], influence: JSONDict | None) -> None:
    """The influence of popularity and freshness on the ranking may be set for one recipe only."""
    if influence and recipe.name != INFLUENCED:
        raise InvalidInputException(
            f"rankingInfluence is for {INFLUENCED}, not for {recipe.name}.", field="rankingInfluence"
        )


def _read(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    within = 0 <= value <= 1 if name == WEIGHT else 0 < value < float("inf")
    if not within:
        allowed = "a number from 0 to 1" if name == WEIGHT else "a number of days above 0"
        raise InvalidInputException(f"{name} is {text}, allowed is {allowed}.", field="itemExplorationConfig")
    return value
