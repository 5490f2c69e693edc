"""Baselines: the ways to choose the periods that a point is compared with."""
