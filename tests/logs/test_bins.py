"""The bins as an expression are the bins as a function, to the bit."""

import numpy as np
import pyarrow as pa
import pytest

from monitor.logs.arrays import array
from monitor.logs.bins import bin_of as expression
from monitor.logs.engine import fetch
from monitor.tallies.bins import LINEAR, TAIL, bin_of, edges


def around(values):
    return np.concatenate([np.nextafter(values, 0), values, np.nextafter(values, 1)])


SCORES = {
    "linear edges": around(edges()[TAIL : TAIL + LINEAR + 1]),
    "the ends": np.array([0.0, 5e-324, 1e-6, 1 - 1e-6, np.nextafter(1, 0), 1.0]),
    "any": np.random.default_rng(1).random(20_000),
    "crowded at the ends": np.random.default_rng(2).beta(0.05, 0.05, 20_000),
    "as models write them": np.arange(0, 1_000_001, 7) / 1_000_000,
}


def binned(engine, scores):
    table = engine.lookup(pa.table({"score": pa.array(scores)}))
    return array(fetch(engine, table.select("score", b=expression(table.score)))["b"].combine_chunks())


@pytest.mark.parametrize("name", SCORES)
def test_duckdb_bins_as_the_tallies_do(engine, name):
    assert np.array_equal(binned(engine, SCORES[name]), bin_of(SCORES[name]))


def test_edges_of_the_tails_are_met_within_one_place_of_the_last_bit(engine):
    scores = around(edges()[1:TAIL])
    assert np.abs(binned(engine, scores) - bin_of(scores)).max() <= 1
    away = np.concatenate([edges()[1:TAIL] * (1 - 1e-14), edges()[1:TAIL] * (1 + 1e-14)])
    assert np.array_equal(binned(engine, away), bin_of(away))
