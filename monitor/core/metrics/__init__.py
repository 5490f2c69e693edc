"""Families of numbers, all pure. Measuring never judges."""
