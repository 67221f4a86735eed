"""Pages about campaigns and what they answer."""
