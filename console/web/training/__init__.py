"""Pages about recipes and trainings."""
