"""How a model is put to the test: splits, metrics with intervals, comparisons, and what it showed to whom."""
