"""Ways to object to a number, all pure and causal."""
