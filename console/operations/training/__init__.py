"""Recipes, solutions, versions and recommenders."""
