"""Recommenders for people's own machines: `recipes.catalogue.get(name)(**hyperparameters).fit(data, run)`."""

from __future__ import annotations

from time import monotonic

LOADED = monotonic()  # before numpy and all else are, which a time budget given on the command line counts too
