"""Faults that the values of features show, by histograms over quantiles of the reference, as `compute` bins them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modeltop.core.diagnosis import Cause
from modeltop.core.distribution import Distributions, Histogram, ValueRange
from modeltop.diagnosis import value_faults as module
from modeltop.diagnosis.value_faults import CONVERSIONS, FACTORS

DAY = timedelta(days=1)
START = datetime(2025, 3, 2, tzinfo=UTC)
UNTIL = START + 30 * DAY


def counted(feature, reference, *periods, start=START):
    """Return the histogram of a numeric feature from its values in the reference and in some days."""
    inner = np.unique(np.quantile(reference, np.arange(1, 50) / 50))
    bounds = [-np.inf, *inner.tolist(), np.inf]
    edges = tuple(pairwise(bounds))
    days = tuple(start + index * DAY for index in range(len(periods)))

    def rows(values):
        return np.array([*np.bincount(np.searchsorted(inner, values, side="right"), minlength=len(edges)), 0, 0.0])

    ranges = {day: spread(values) for day, values in zip(days, periods, strict=True)}
    ranges[None] = spread(reference)._replace(deviation=float(np.std(reference)))
    slots = (*map(str, range(len(edges))), "other", "missing")
    return Histogram(feature, slots, edges, rows(reference), days, np.array([rows(day) for day in periods]), ranges)


def value_faults(*args):
    """Return the faults, a clause each."""
    return tuple(fault.clause for fault in module.value_faults(*args))


def spread(values):
    return ValueRange(float(np.min(values)), float(np.max(values)), float(np.mean(values)))


def categories(feature, reference, *periods, other=0.0):
    slots = (*(f"c{index}" for index in range(len(reference))), "other", "missing")
    days = tuple(START + index * DAY for index in range(len(periods)))
    counts = np.array([[*period, other, 0.0] for period in periods])
    return Histogram(feature, slots, None, np.array([*reference, 0.0, 0.0]), days, counts)


KINDS = {
    "normal": lambda rng, rows: rng.normal(50, 10, rows),
    "standardized": lambda rng, rows: rng.normal(0, 1, rows),
    "skewed": lambda rng, rows: rng.lognormal(3, 0.8, rows),
    "counts": lambda rng, rows: rng.poisson(4, rows).astype(float),
}
kinds = st.sampled_from(sorted(KINDS))
seeds = st.integers(0, 10_000)


@given(kind=kinds, factor=st.sampled_from([*FACTORS, *(1 / factor for factor in FACTORS)]), seed=seeds)
@example(kind="standardized", factor=60.0, seed=5435)
def test_a_customary_factor_from_one_day_to_the_next_is_another_unit(kind, factor, seed):
    rng = np.random.default_rng(seed)
    days = [factor * KINDS[kind](rng, 800) for _ in range(3)]
    faults = value_faults([counted("tenure", KINDS[kind](rng, 20_000), *days)], START, UNTIL)
    if kind in ("standardized", "counts") and 0.1 < factor < 10:
        assert all("times its reference" in fault for fault in faults)  # around 0, or of few values, it may stay unsaid
    else:
        assert len(faults) == 1, (kind, factor)
        assert (": another unit" in faults[0]) or (kind == "skewed" and 0.1 < factor < 10)  # a mean of few rows
        named = float(faults[0].split(" is ")[1].removeprefix("about ").split()[0])
        # Around 0 the range alone tells the factor: extremes of a few hundred rows, named as "about".
        assert named == pytest.approx(factor, rel=0.5 if kind == "standardized" else 0.15, abs=0.006)


@pytest.mark.parametrize(
    ("factor", "named"), [(1 / 3, "about 0.33"), (0.3048, "0.3048"), (2.3, "about 2.3"), (2.54, "2.54")]
)
def test_a_unit_is_named_only_where_its_factor_is_the_ratio_of_the_means(factor, named):
    rng = np.random.default_rng(0)
    days = [factor * rng.normal(30, 21, 400) for _ in range(8)]
    (fault,) = value_faults([counted("tenure", rng.normal(30, 21, 20_000), *days)], START, UNTIL)
    unit = "" if "about" in named else ": another unit"
    assert fault == f"tenure is {named} times its reference{unit}"


@given(seed=seeds, reverse=st.booleans())
def test_fahrenheit_and_celsius_are_told_apart_by_name(seed, reverse):
    rng = np.random.default_rng(seed)
    celsius = [rng.normal(20, 5, rows) for rows in (20_000, 500, 500, 500)]
    fahrenheit = [32 + 1.8 * values for values in celsius]
    (before, *_), (_, *after) = (fahrenheit, celsius) if reverse else (celsius, fahrenheit)
    [fault] = value_faults([counted("temp", before, *after)], START, UNTIL)
    assert fault == f"temp is {'°C instead of °F' if reverse else '°F instead of °C'}: another unit"


@given(kind=st.sampled_from(["normal", "skewed", "counts"]), factor=st.floats(0.2, 6.0), seed=seeds)
def test_any_other_factor_is_no_unit(kind, factor, seed):
    if any(abs(factor / unit.factor - 1) < 0.2 for unit in CONVERSIONS):
        return
    rng = np.random.default_rng(seed)
    days = [factor * KINDS[kind](rng, 800) for _ in range(3)]
    assert value_faults([counted("tenure", KINDS[kind](rng, 20_000), *days)], START, UNTIL) == ()


def test_what_grows_day_by_day_to_a_customary_factor_is_no_unit():
    rng = np.random.default_rng(1)
    days = [factor * rng.normal(50, 10, 800) for factor in np.linspace(1, 10, 8)]
    assert value_faults([counted("tenure", rng.normal(50, 10, 20_000), *days)], START, UNTIL) == ()


@given(kind=kinds, seed=seeds, value=st.floats(-100, 100))
def test_one_value_in_all_rows_is_stuck_and_hundredfold_values_are_not(kind, seed, value):
    rng = np.random.default_rng(seed)
    reference = KINDS[kind](rng, 5000)
    stuck = counted("tenure", reference, *(np.full(300, value) for _ in range(2)))
    assert value_faults([stuck], START, UNTIL) == ("tenure is stuck at one value",)
    far = counted("tenure", reference, *(100 * KINDS[kind](rng, 300) for _ in range(2)))
    assert not any("stuck" in fault for fault in value_faults([far], START, UNTIL))


def test_a_flag_that_is_mostly_zero_is_not_stuck_when_few_rows_are_all_zero():
    flag = (np.random.default_rng(2).random(5000) < 0.02).astype(float)
    assert value_faults([counted("flag", flag, np.zeros(100), np.zeros(100))], START, UNTIL) == ()
    assert value_faults([counted("flag", flag, np.zeros(3000), np.zeros(3000))], START, UNTIL) != ()


def test_a_category_is_stuck_where_it_alone_is_left():
    assert value_faults([categories("plan", (60, 40), (80, 0), (80, 0))], START, UNTIL) == (
        "plan is stuck at one value",
    )
    assert value_faults([categories("plan", (60, 40), (80, 1), (80, 0))], START, UNTIL) == ()
    assert value_faults([categories("plan", (60, 40), (80, 0), other=20.0)], START, UNTIL) == ()


@given(first=st.sampled_from(["normal", "skewed"]), second=st.sampled_from(["standardized", "counts"]), seed=seeds)
def test_two_columns_that_changed_places_have_each_others_values(first, second, seed):
    rng = np.random.default_rng(seed)
    a, b = (lambda rows: KINDS[first](rng, rows)), (lambda rows: KINDS[second](rng, rows))
    swapped = [counted("a", a(20_000), b(600), b(600)), counted("b", b(20_000), a(600), a(600))]
    assert value_faults(swapped, START, UNTIL) == ("a and b have each other's values",)
    one = [counted("a", a(20_000), b(600), b(600)), counted("b", b(20_000), b(600), b(600))]
    assert value_faults(one, START, UNTIL) == ()


def test_days_before_the_change_and_too_few_rows_say_nothing():
    rng = np.random.default_rng(3)
    reference, days = rng.normal(50, 10, 4000), [rng.normal(50, 10, 400) / 10 for _ in range(3)]
    assert value_faults([counted("tenure", reference, *days)], START - DAY, UNTIL) != ()
    assert value_faults([counted("tenure", reference, *days)], START + 9 * DAY, UNTIL) == ()
    assert value_faults([counted("tenure", reference, *days)], START - 9 * DAY, START - DAY) == ()
    assert value_faults([counted("tenure", reference, *(day[:5] for day in days))], START, UNTIL) == ()


def test_a_file_without_ranges_shows_no_unit():
    rng = np.random.default_rng(3)
    known = counted("tenure", rng.normal(50, 10, 4000), rng.normal(500, 100, 400))
    older = Histogram(known.feature, known.slots, known.edges, known.reference, known.periods, known.counts)
    assert value_faults([known], START, UNTIL) != ()
    assert value_faults([older], START, UNTIL) == ()


def test_another_unit_is_a_fault_upstream(make_model, make_features, run_diagnosis):
    rng = np.random.default_rng(3)
    values = rng.normal(50, 10, 4000)
    distributions = Distributions({"tenure": counted("tenure", values, values / 10, start=START)})
    series = make_model(accuracy=(0.95, 0.85)) + make_features(
        tenure=(0.25, 0.001), age=(0.03, 0.001), plan=(0.03, 0.001)
    )
    diagnosis = run_diagnosis(series, distributions=distributions)
    assert diagnosis.cause is Cause.UPSTREAM
    assert "another unit" in diagnosis.verdict.why
    assert diagnosis.verdict.do == "Fix tenure in the input pipeline; do not retrain on it."
    assert run_diagnosis(series).cause is Cause.FEATURE_DRIFT
