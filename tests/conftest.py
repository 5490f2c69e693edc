"""For all tests: markers by folder, and hypothesis without a deadline, since a busy machine is no failure."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI tries the same examples every time, so that what it says is about the change; developers try new ones.
settings.register_profile("ci", settings.get_profile("patient"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "patient")

TESTS = Path(__file__).parent
FOLDERS = {
    "alerting": "fast",
    "alerting/notifiers": "network",
    "benchmarks": "process",
    "cli": "process",
    "config": "fast",
    "core": "fast",
    "diagnosis": "fast",
    "history": "fast",
    "history/store": "process",
    "predictions": "process",
    "predictions/aggregates": "fast",
    "predictions/metrics": "fast",
    "readme": "process",
    "report": "fast",
    "rules": "fast",
    "rules/detection": "slow",
    "service": "process",
    "trust": "process",
    "tui": "terminal",
    "tui/chart": "fast",
    "tui/view": "fast",
}
"""Marker of each folder of tests; a folder without one of its own has that of the folder above."""
APART = {"slow", "spark", "benchmark", "process", "network", "terminal"}


def pytest_collection_modifyitems(items):
    """Mark each test by its folder; one that is slow, or marked otherwise by hand, is not fast."""
    for item in items:
        marker = _marker_of(item.path)
        if marker and not (marker == "fast" and APART & {mark.name for mark in item.iter_markers()}):
            item.add_marker(getattr(pytest.mark, marker))


def _marker_of(path):
    if not path.is_relative_to(TESTS):
        return "fast"  # doctests
    folder = path.parent.relative_to(TESTS)
    return next((FOLDERS[str(place)] for place in (folder, *folder.parents) if str(place) in FOLDERS), None)
