"""What `python -m recipes` does."""
