"""Queries that turn the rows of a prediction log into aggregates, the same expressions for every engine."""
