"""Prediction log → tally: what the log says, which engine reads it, and the one expression that both engines run."""
