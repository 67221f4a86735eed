"""Recommenders for people's own machines: `recipes.catalogue.get(name)(**hyperparameters).fit(data, run)`."""
