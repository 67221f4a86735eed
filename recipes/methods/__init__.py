"""The recipes themselves, one file each: hyperparameters, `fit`, and for the simple ones their fitted model."""

from __future__ import annotations
