"""Cause functions, one file per family."""
