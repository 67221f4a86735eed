"""Pages about metrics, comparisons, experiments and attribution."""
