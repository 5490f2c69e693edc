"""The registry of metrics, the text of an undefined value's reason, and the reference data."""

import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.predictions.metrics.base import UndefinedReason


@pytest.fixture(scope="session")
def registry():
    return MetricRegistry()


@pytest.fixture(scope="session")
def undefined_reason():
    """Return the text of the reason why the value of a cell is undefined."""
    return lambda values, cell=0: UndefinedReason(int(values.undefined_reason[cell])).text
