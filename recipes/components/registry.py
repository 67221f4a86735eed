"""Which components there are, by the keys that artefacts store."""

from __future__ import annotations

from recipes.components.context import Context
from recipes.components.contract import Component
from recipes.components.item_weights import ItemWeights
from recipes.components.popularity import Popularity, UnknownItems
from recipes.components.recurrent import Recurrent
from recipes.components.repeats import Repeats
from recipes.components.user_ridge import UserRidge
from recipes.components.young_items import YoungItems

CLASSES: tuple[type[Component], ...] = (
    UnknownItems, Popularity, ItemWeights, UserRidge, Recurrent, Repeats, YoungItems, Context,
)  # fmt: skip
COMPONENTS = {component.key: component for component in CLASSES}
