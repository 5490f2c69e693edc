"""Counts and sums of a prediction log, made in one pass, small and mergeable; every metric is a function of them."""
