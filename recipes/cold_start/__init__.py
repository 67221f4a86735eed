"""Relevance of items that have few events: learned from metadata and from who took them, on the scale of all other scores."""
