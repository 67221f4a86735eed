"""What items are, from their columns and words."""
