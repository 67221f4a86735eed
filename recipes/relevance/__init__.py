"""The engine behind User-Personalization, the HRNN family and Personalized-Ranking: parts fitted on sequences, chosen and mixed on held-out events."""
