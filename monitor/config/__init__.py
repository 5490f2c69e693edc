"""The configuration: TOML to validated objects, and suggested rules back to TOML.

Public face: load, predictions, sources, suggest, write.
"""
