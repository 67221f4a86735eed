"""A gated linear recurrence over histories: trained with torch, scoring with numpy."""
