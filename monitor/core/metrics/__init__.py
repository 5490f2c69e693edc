"""The registry of metrics, and the families that register them."""
