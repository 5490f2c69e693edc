"""The terminal itself: what it can show, how the app starts on it, and how it is restored.

Public face: capabilities, launch, shutdown.
"""
