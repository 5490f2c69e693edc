"""Ways to find breaches in a series, all pure and causal."""
