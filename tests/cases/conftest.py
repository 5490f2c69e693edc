"""A folder and a home of its own for each case."""

import pytest

from tests.cases.run_modeltop import alone


@pytest.fixture(autouse=True)
def work(tmp_path):
    with alone(tmp_path) as folder:
        yield folder
