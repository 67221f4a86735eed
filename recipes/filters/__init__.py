"""Filter expressions: which items, users or actions may be returned. Parse once, bind per request, evaluate as a mask."""

from __future__ import annotations

from recipes.filters.attributes import parse_attributes
from recipes.filters.binding import bind
from recipes.filters.evaluation import CompiledFilters, mask
from recipes.filters.expression import Bound, FieldKind, Filter, FilterError, Target, Verb, check
from recipes.filters.grammar import parse
from recipes.filters.rows import Catalogue, Events, UserContext

__all__ = [
    "Bound",
    "Catalogue",
    "CompiledFilters",
    "Events",
    "FieldKind",
    "Filter",
    "FilterError",
    "Target",
    "UserContext",
    "Verb",
    "bind",
    "check",
    "mask",
    "parse",
    "parse_attributes",
]
