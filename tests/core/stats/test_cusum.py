"""Cumulative sums over blocks of values: to the last bit those of a loop value by value."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modeltop.core.stats import clipped_moments, cusum
from modeltop.core.stats.cusum import Cusum, Sequences, alarm_runs
from tests.core.stats.cusum_by_value import exact, runs_by_value

SMALL = Cusum(max_reference=8, min_reference=4, max_run=12)
SENSITIVE = Cusum(slack=0.3, threshold=0.01, max_reference=5, min_reference=2, max_run=9, recovery_values=2)
"""Nearly every run has an alarm, so that nearly all of them are compared."""


def found(sequences, options, noise=None, trust=None):
    """Return the alarm runs of each sequence."""
    runs = [[] for _ in sequences]
    lengths = np.array([len(values) for values in sequences])
    columns = [None if column is None else np.concatenate(column) for column in (sequences, noise, trust)]
    for run in alarm_runs(Sequences(columns[0], lengths, *columns[1:]), options):
        runs[run.sequence].append((run.start, run.scores.tolist()))
    return runs


def expected(sequences, options, noise=None, trust=None, **sums):
    """Return the alarm runs of each sequence, value by value."""
    noise, trust = (column or [None] * len(sequences) for column in (noise, trust))
    return [
        runs_by_value(values, options, noise=own_noise, trust=own_trust, **sums)
        for values, own_noise, own_trust in zip(sequences, noise, trust, strict=True)
    ]


numbers = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 0.9, 0.93, 1e-9, 1e100, -1e100]),
    st.integers(-3, 3).map(float),
    st.floats(-1, 1).map(lambda value: round(value, 2)),
    st.floats(-1e100, 1e100),
)
stretches = st.lists(st.tuples(numbers, st.integers(1, 20)), min_size=1, max_size=12).map(
    lambda pairs: [value for value, times in pairs for _ in range(times)]
)
sequences_of_any_kind = st.lists(
    st.one_of(st.lists(numbers, min_size=1, max_size=60), stretches), min_size=1, max_size=4
)
chunk_sizes, rounds = st.sampled_from([1, 8, 24, 1 << 14]), st.sampled_from([0, 1, 8])


@given(sequences_of_any_kind, st.sampled_from([SMALL, SENSITIVE, Cusum()]), chunk_sizes, rounds, st.data())
@settings(max_examples=200)
def test_any_sequences_have_the_runs_of_a_loop_value_by_value(sequences, options, chunk, most_rounds, data):
    weights = st.sampled_from([0.0, 1e-6, 0.01, 0.25, 1.0])
    weight_lists = st.tuples(*(st.lists(weights, min_size=len(each), max_size=len(each)) for each in sequences))
    noise, trust = data.draw(st.none() | weight_lists), data.draw(st.none() | weight_lists)
    with patch.object(cusum, "CHUNK_VALUES", chunk), patch.object(clipped_moments, "MAX_ROUNDS", most_rounds):
        assert found(sequences, options, noise, trust) == expected(sequences, options, noise, trust)


def walk(kind, number, rng):
    """Return a long sequence of a kind."""
    values = rng.normal(0.93, 0.01, number)
    index = np.arange(number)
    return {
        "healthy": lambda: values,
        "drifting": lambda: values - np.linspace(0, 0.3, number),
        "in and out": lambda: values - 0.1 * (index % 40 < 12),
        "two levels": lambda: np.where(index % 300 < 150, 0.95, 0.5) + 1e-4 * rng.normal(size=number),
        "heavy tails": lambda: 0.93 + 0.01 * rng.standard_cauchy(number),
        "rare events": lambda: (rng.random(number) < 0.05).astype(float),
        "few values": lambda: values.round(2),
        "never varies": lambda: np.full(number, 0.93),
        "hardly varies": lambda: np.where(rng.random(number) < 0.01, 0.92, 0.93),
        "random walk": lambda: 0.93 + np.cumsum(rng.normal(0, 0.001, number)),
        "ever larger": lambda: 1.01 ** (index % 2000) * rng.normal(1, 0.1, number),
    }[kind]()


KINDS = ["healthy", "drifting", "in and out", "two levels", "heavy tails", "rare events", "few values", "never varies"]
KINDS += ["hardly varies", "random walk", "ever larger"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1], ids=["falls", "rises"])
def test_a_long_sequence_has_the_runs_of_a_loop_value_by_value(kind, sign):
    rng = np.random.default_rng(1)
    values = [(sign * walk(kind, 2_000, rng)).tolist(), (sign * walk(kind, 59, rng)).tolist()]
    for options, chunk in ((Cusum(), 700), (Cusum(threshold=0.5), 60), (SENSITIVE, 5)):
        with patch.object(cusum, "CHUNK_VALUES", chunk):
            assert found(values, options) == expected(values, options)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "var" not in kind and kind != "rare events"])
def test_with_windows_that_are_summed_exactly_the_same_runs_are_found(kind):
    values = [walk(kind, 3_000, np.random.default_rng(2)).tolist()]
    (runs,), (others,) = found(values, Cusum()), expected(values, Cusum(), total=exact)
    assert [(start, len(scores)) for start, scores in runs] == [(start, len(scores)) for start, scores in others]
    for (_, scores), (_, other_scores) in zip(runs, others, strict=True):
        assert scores == pytest.approx(other_scores, rel=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.7, 1e6])
@pytest.mark.parametrize("first", [0.3, -0.7, 1.0, 1e9])
@pytest.mark.parametrize("sign", [1, -1], ids=["falls", "rises"])
def test_rounding_of_sums_is_no_change(level, first, sign):
    assert found([[sign * first] + 500 * [sign * level]], Cusum()) == [[]]


@pytest.mark.parametrize("place", [0, 3, 9])
def test_one_huge_value_at_the_start_blinds_no_later_period(place):
    values = np.random.default_rng(3).normal(0.93, 0.01, 400)
    values[place], values[300:] = 1e20, values[300:] - 0.1
    ((*_, (start, _)),) = found([values.tolist()], Cusum())
    assert 295 <= start <= 300


@given(st.integers(0, 10_000), st.integers(1, 59))
@settings(max_examples=40)
@example(0, 8)
def test_what_was_found_up_to_a_value_depends_on_nothing_after_it(seed, cut):
    values = np.random.default_rng(seed).normal(0.9, 0.02, 60) - 0.04 * (np.arange(60) > 30)
    (full,), (prefix,) = found([values.tolist()], SENSITIVE), found([values[:cut].tolist()], SENSITIVE)
    before = [(start, scores[: cut - start]) for start, scores in full if start < cut]
    assert prefix == [run for run in before if max(run[1]) > SENSITIVE.threshold]


def autocorrelated(rng, number, rho):
    """Return values of mean 0 and deviation 1 whose autocorrelation at lag k is rho to the k."""
    values = rng.normal(size=number)
    for index in range(1, number):
        values[index] = rho * values[index - 1] + np.sqrt(1 - rho**2) * values[index]
    return values


def test_a_long_autocorrelated_past_is_known_for_one():
    rng = np.random.default_rng(4)
    sequences = [autocorrelated(rng, 420, 0.6).tolist() for _ in range(200)]
    starts = [start for runs in found(sequences, Cusum()) for start, _ in runs]
    late, early = sum(start >= 180 for start in starts), sum(start < 180 for start in starts)
    assert late / 240 < 0.2 * early / 180, "alarms a value"
