"""The core of modeltop: metric history in, judgement out. It knows nothing of any screen."""

__version__ = "0.1.0"
