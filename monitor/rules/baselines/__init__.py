"""Which periods a series is compared with."""
