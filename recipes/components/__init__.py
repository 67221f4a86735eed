"""The base models that the relevance engine stacks, one file each."""

from __future__ import annotations
