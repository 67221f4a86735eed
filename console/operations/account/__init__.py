"""An account's own: audit, tags, trash."""
