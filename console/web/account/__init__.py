"""Pages about people, keys, health, audit and trash."""
