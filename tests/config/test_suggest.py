"""Limits that the past suggests, and how settings are written as TOML."""

import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.config.write import to_toml, value_to_toml
from modeltop.core.errors import ConfigError
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey
from modeltop.rules.suggest import suggest_limits

NORMAL = np.random.default_rng(3).standard_normal(400)


def series(values, *, metric: str = "accuracy", support=None, rows=None) -> Series:
    count = len(values)
    times = (np.datetime64("2024-01-01") + np.arange(count).astype("timedelta64[D]")).astype(DATETIME_DTYPE)
    columns = [None if item is None else np.broadcast_to(np.asarray(item, float), count) for item in (support, rows)]
    return Series(
        SeriesKey("m", metric), MetricRegistry().get(metric).better, times, np.asarray(values, float), *columns
    )


def suggested(item: Series):
    return suggest_limits(item, MetricRegistry().get(item.key.metric))


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("avg_confidence", "not known to be better or worse"),
        ("my-kpi", "not known to be better or worse"),
        ("psi", "explains"),
        ("missing_rate", "explains"),
    ],
)
def test_what_has_no_direction_or_only_explains_gets_no_limit(metric, reason):
    assert reason in suggested(series(0.5 + 0.01 * NORMAL, metric=metric))


def test_a_floor_lies_under_and_a_ceiling_above_what_is_usual_by_its_rare_values():
    floor, ceiling = suggested(series(0.9 + 0.01 * NORMAL)), suggested(series(0.4 + 0.01 * NORMAL, metric="log_loss"))
    assert floor.warn.below == pytest.approx(0.9 - 2.33 * 0.01, abs=0.006)
    assert floor.critical.below == pytest.approx(0.9 - 4.65 * 0.01, abs=0.012)
    assert ceiling.warn.above == pytest.approx(0.4 + 2.33 * 0.01, abs=0.006)
    assert ceiling.critical.above > ceiling.warn.above


def test_a_hundredth_of_the_healthy_past_or_less_lies_beyond_the_warning():
    values = 0.9 + 0.01 * NORMAL
    assert np.mean(values < suggested(series(values)).warn.below) <= 0.01


def test_few_cases_push_the_limit_out_to_where_chance_alone_reaches():
    large, small = (suggested(series(0.9 + 0.001 * NORMAL, support=cases)) for cases in (1e6, 200))
    assert small.min_count == 100
    assert small.warn.below == pytest.approx(0.9 - 2.326 * np.sqrt(0.9 * 0.1 / 100), abs=0.002)
    assert (small.by_chance, large.by_chance) == (True, False)
    assert large.warn.below > small.warn.below


def test_the_row_count_says_nothing_of_chance():
    with_support, with_rows = (suggested(series(0.9 + 0.001 * NORMAL, **{name: 200})) for name in ("support", "rows"))
    assert with_rows.warn.below > with_support.warn.below
    assert with_rows.min_count == with_support.min_count == 100


def test_an_incident_does_not_drag_the_limit_along_and_a_season_is_the_usual_way():
    healthy = 0.9 + 0.005 * NORMAL
    fallen = np.where(np.arange(400) >= 300, healthy - 0.2, healthy)
    weekly = np.where(np.arange(400) % 7 >= 5, healthy - 0.1, healthy)
    assert suggested(series(fallen)).warn.below == pytest.approx(suggested(series(healthy)).warn.below, abs=0.005)
    assert suggested(series(fallen)).excluded_periods >= 100
    assert suggested(series(weekly)).warn.below < 0.8
    assert suggested(series(weekly)).excluded_periods == 0


def test_a_constant_past_leaves_room_for_one_step_of_what_is_shown():
    assert suggested(series(np.ones(50))).warn.below == 0.999


@pytest.mark.parametrize("values", [np.zeros(50), np.full(50, 0.0005)])
def test_a_limit_that_no_value_can_cross_is_not_proposed(values):
    assert "no value is possible below" in suggested(series(values))


def test_periods_of_a_handful_of_cases_are_no_history():
    assert "needs 20 periods, has 0" in suggested(series(0.9 + 0.01 * NORMAL[:100], support=5))


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
@settings(max_examples=150)
def test_whatever_was_configured_is_written_so_that_it_reads_back(data):
    assert tomllib.loads("\n".join(to_toml(data))) == data


def test_what_is_not_unicode_is_refused():
    with pytest.raises(ConfigError, match="not Unicode"):
        value_to_toml("\ud800")


def test_an_unbounded_metric_may_have_any_limit():
    assert suggest_limits(series(-50 + NORMAL, metric="gain"), Metric("gain", Direction.HIGHER)).critical.below < -50
