"""Off-policy evaluation: what another policy would have earned, from recommendations recorded with their propensities."""
