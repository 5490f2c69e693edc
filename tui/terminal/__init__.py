"""The terminal itself: its capabilities, how the app starts on it, and how it is restored.

Public face: capabilities, launch, shutdown.
"""
