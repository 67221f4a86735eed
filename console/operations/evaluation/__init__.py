"""Metrics, comparisons, experiments and attribution."""
