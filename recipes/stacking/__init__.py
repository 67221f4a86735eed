"""Stacked base models: cross-prediction on held-out events, a multinomial logit as meta-model."""

from __future__ import annotations
