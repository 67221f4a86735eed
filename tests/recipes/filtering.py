"""A catalogue of four items and a user to filter it for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from recipes import filters
from recipes.columns import Kind, Numeric, encode_column
from recipes.filters import Catalogue, Events, Target, UserContext

ITEMS = Catalogue(
    Target.ITEM,
    4,
    {
        "GENRE": encode_column(pa.array(["Comedy|Drama", "Drama", "Horror", "Comedy"]), Kind.CATEGORICAL),
        "PRICE": Numeric(np.array([10.0, 20, 30, 40])),
        "YEAR": Numeric(np.array([2001.0, 1995, 2020, 2021])),
    },
)
ALICE = UserContext.of({"AGE": 17, "TIER": "gold"}, Events.of([(0, "watch"), (2, "Purchase")]))


def kept(text, values=None, catalogue=ITEMS, user=ALICE, item=None):
    """The items that a filter keeps."""
    return np.flatnonzero(filters.mask(filters.bind(filters.parse(text), values), catalogue, user, item)).tolist()
