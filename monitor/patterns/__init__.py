"""What the recent course of a metric is called."""
