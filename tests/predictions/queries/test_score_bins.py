"""The bins as an expression are the bins as a function, to the last bit."""

import numpy as np
import pyarrow as pa
import pytest

from modeltop.predictions.aggregates.score_bins import BINS, LINEAR_BINS, NO_SCORE, TAIL_BINS, bin_edges, score_bin
from modeltop.predictions.engines.base import fetch
from modeltop.predictions.queries.arrow import column_to_numpy
from modeltop.predictions.queries.score_bins import HIGHEST, LOWEST, score_slot
from modeltop.predictions.queries.score_bins import score_bin as bin_expression

EPSILON = float(np.finfo(float).eps)


def neighbours(values):
    return np.concatenate([np.nextafter(values, 0), values, np.nextafter(values, 1)])


SCORES = {
    "linear edges": neighbours(bin_edges()[TAIL_BINS : TAIL_BINS + LINEAR_BINS + 1]),
    "the ends": np.array([0.0, 5e-324, 1e-6, 1 - 1e-6, np.nextafter(1, 0), 1.0]),
    "any": np.random.default_rng(1).random(20_000),
    "crowded at the ends": np.random.default_rng(2).beta(0.05, 0.05, 20_000),
    "as models write them": np.arange(0, 1_000_001, 7) / 1_000_000,
}


def evaluate(engine, scores, expression=bin_expression):
    table = engine.from_arrow(pa.table({"score": pa.array(scores)}))
    return column_to_numpy(fetch(engine, table.select("score", bin=expression(table.score)))["bin"].combine_chunks())


@pytest.mark.parametrize("name", SCORES)
def test_duckdb_bins_as_the_aggregates_do(engine, name):
    assert np.array_equal(evaluate(engine, SCORES[name]), score_bin(SCORES[name]))


@pytest.mark.parametrize("name", SCORES)
def test_slots_are_the_bins_except_at_the_very_ends(engine, name):
    slots = evaluate(engine, SCORES[name], score_slot)
    bins = np.where(slots == LOWEST, 0, np.where(slots == HIGHEST, BINS - 1, slots))
    assert np.array_equal(bins, score_bin(SCORES[name]))


@pytest.mark.parametrize(
    ("score", "slot"),
    [
        pytest.param(0.0, LOWEST, id="nothing"),
        pytest.param(np.nextafter(EPSILON, 0), LOWEST, id="less than what a probability of the label counts as"),
        pytest.param(EPSILON, 0, id="exactly that"),
        pytest.param(1 - EPSILON, BINS - 1, id="exactly that from the other end"),
        pytest.param(np.nextafter(1, 0), HIGHEST, id="nearer to one"),
        pytest.param(None, NO_SCORE, id="no score"),
    ],
)
def test_scores_that_make_a_label_impossible_have_slots_of_their_own(engine, score, slot):
    assert evaluate(engine, [score, 0.5], score_slot).tolist() == [slot, 128]


def test_edges_of_the_tails_are_met_within_one_ulp(engine):
    scores = neighbours(bin_edges()[1:TAIL_BINS])
    assert np.abs(evaluate(engine, scores) - score_bin(scores)).max() <= 1
    away = np.concatenate([bin_edges()[1:TAIL_BINS] * (1 - 1e-14), bin_edges()[1:TAIL_BINS] * (1 + 1e-14)])
    assert np.array_equal(evaluate(engine, away), score_bin(away))
