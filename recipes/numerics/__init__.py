"""Array functions without any notion of recipes: co-occurrence counts, factorisations, top k, weighted sums of rows."""

from __future__ import annotations
