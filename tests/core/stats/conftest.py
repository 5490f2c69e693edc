import numpy as np
import pytest


@pytest.fixture(scope="session")
def ar1():
    """A normal AR(1) series of variance 1."""

    def make(rho, n, rng):
        values = rng.normal(size=n + 60) * np.sqrt(1 - rho**2)
        for index in range(1, len(values)):
            values[index] += rho * values[index - 1]
        return values[60:]

    return make
