"""Bringing data in, keeping and describing them."""
