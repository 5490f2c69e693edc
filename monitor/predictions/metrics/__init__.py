"""Metrics computed from aggregates, pure and vectorized over their cells; nothing here judges a value."""
