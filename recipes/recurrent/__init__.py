"""The network among the relevance engine's parts: a gated linear recurrence, trained with torch, answering with numpy."""
