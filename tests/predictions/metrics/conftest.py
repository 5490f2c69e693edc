"""The registry of metrics, the text of an undefined value's reason, and the reference data."""

from pathlib import Path

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


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of reference data beside the project; skips where it is absent."""
    folder = Path(__file__).parents[3] / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the reference data does not lie beside the project")
    return folder
