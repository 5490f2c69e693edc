"""Ways to choose what a point is compared with."""
