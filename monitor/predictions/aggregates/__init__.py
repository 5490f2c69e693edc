"""Tallies: what a prediction log becomes in one pass, small and mergeable. Every number is a function of them."""
