"""Each pattern by its name, on histories whose answer was planted or can be worked out by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction
from modeltop.diagnosis.timeseries.pattern import recent_pattern
from tests.diagnosis.timeseries.units import series

START = datetime(2025, 1, 1, tzinfo=UTC)
AGE = np.arange(100) - 60
WEEKEND = (np.arange(100) + 2) % 7 >= 5  # 2025-01-01 was a Wednesday
NOISE = 0.01 * np.random.default_rng(1).standard_normal(100)
SHAPES = {
    Pattern.STEADY: 0.0 * AGE,
    Pattern.DROP: -0.1 * (AGE >= 0),
    Pattern.DECLINE: -0.1 * np.clip((AGE + 1) / 30, 0, 1),
    Pattern.SPIKE: -0.1 * (AGE == 0),
    Pattern.SEASONAL: -0.1 * WEEKEND,
    Pattern.RECOVERING: -0.1 * ((AGE >= 0) & (AGE < 20)),
    Pattern.IMPROVING: 0.1 * (AGE >= 0),
}


def planted(pattern, cut=100):
    return (0.9 + SHAPES[pattern] + NOISE)[:cut]


def day(moment):
    return None if moment is None else (moment - START).days


@pytest.mark.parametrize("pattern", SHAPES)
def test_what_was_planted_is_named_dated_and_sized(pattern, daily):
    found = recent_pattern(daily(planted(pattern)))
    assert found.pattern is pattern
    assert found.confidence > 0.5
    if pattern in (Pattern.STEADY, Pattern.SEASONAL):
        assert found.started_at is None
        return
    assert day(found.started_at) == pytest.approx(60, abs=3 if pattern is Pattern.DECLINE else 0)
    assert found.size == pytest.approx(0.1 if pattern is Pattern.IMPROVING else -0.1, abs=0.02)


@pytest.mark.parametrize(
    ("values", "pattern", "begin", "size"),
    [
        pytest.param([0.9] * 9, Pattern.TOO_LITTLE, None, None, id="nine periods"),
        pytest.param([], Pattern.TOO_LITTLE, None, None, id="none"),
        pytest.param([0.9] * 10, Pattern.STEADY, None, None, id="always the same"),
        pytest.param([0.9, 0.92] * 8 + [0.5, 0.52] * 3, Pattern.DROP, 16, -0.4, id="a step, both means by hand"),
        pytest.param([0.9, 0.92] * 8 + [1.3, 1.32] * 3, Pattern.IMPROVING, 16, 0.4, id="a step up"),
        pytest.param([0.9, 0.92] * 8 + [0.51] + [0.9, 0.92] * 3, Pattern.SPIKE, 16, -0.4, id="one period"),
        pytest.param([0.9, 0.92] * 8 + [0.51] * 3 + [0.9, 0.92] * 3, Pattern.SPIKE, 16, -0.4, id="three periods"),
        pytest.param(
            [0.9, 0.92] * 8 + [0.5, 0.52] * 3 + [0.9, 0.92] * 4, Pattern.RECOVERING, 16, -0.4, id="six periods"
        ),
    ],
)
def test_cases_worked_by_hand(values, pattern, begin, size, daily):
    found = recent_pattern(daily(values))
    assert (found.pattern, day(found.started_at)) == (pattern, begin)
    assert found.size == (None if size is None else pytest.approx(size, abs=0.011))


def test_a_fall_that_ends_in_its_last_four_periods_is_a_drop_and_one_of_six_a_decline(daily):
    falls = [0.9 + NOISE - 0.2 * np.clip((AGE + 1) / width, 0, 1) for width in (1, 3, 6, 12)]
    named = [recent_pattern(daily(values)).pattern for values in falls]
    assert named == [Pattern.DROP, Pattern.DROP, Pattern.DECLINE, Pattern.DECLINE]


def test_a_fall_that_grows_steeper_begins_where_it_began_slowly(daily):
    slow, steep = np.clip((AGE + 31) / 30, 0, 1), np.clip((AGE + 1) / 8, 0, 1)
    found = recent_pattern(daily(0.9 + NOISE / 3 - 0.03 * slow - 0.09 * steep))
    assert found.pattern is Pattern.DECLINE
    assert day(found.started_at) == pytest.approx(30, abs=3)
    assert found.size == pytest.approx(-0.12, abs=0.01)
    assert found.fits[0].name == "two ramps"


def test_a_change_beside_a_week_is_named_and_not_the_week(daily):
    found = recent_pattern(daily(planted(Pattern.DROP) - 0.2 * WEEKEND))
    assert (found.pattern, day(found.started_at)) == (Pattern.DROP, 60)


def test_the_newest_period_alone_is_not_yet_a_spike(daily):
    assert recent_pattern(daily([*planted(Pattern.STEADY), 0.7])).pattern is not Pattern.SPIKE
    assert recent_pattern(daily([*planted(Pattern.STEADY), 0.7, 0.9])).pattern is Pattern.SPIKE


def test_small_months_are_neither_drop_nor_spike(shares):
    cases = np.where(np.arange(60) % 11 == 7, 4, 900)
    assert recent_pattern(shares(np.full(60, 0.65), cases, seed=2)).pattern is Pattern.STEADY


def test_only_judged_periods_are_looked_at(daily):
    rows = np.where(AGE >= 0, 3.0, 500.0)
    series = daily(planted(Pattern.DROP), rows=rows)
    assert recent_pattern(series).pattern is Pattern.DROP
    assert recent_pattern(series, min_count=30).pattern is Pattern.STEADY
    assert recent_pattern(daily(planted(Pattern.DROP), provisional=AGE >= 0)).pattern is Pattern.STEADY


def test_what_was_long_ago_is_forgotten(daily):
    values = np.concatenate([planted(Pattern.DROP), 0.8 + np.tile(NOISE, 2)])
    assert recent_pattern(daily(values)).pattern is Pattern.STEADY


def test_a_metric_without_a_better_side_may_drop_upwards(daily):
    found = recent_pattern(daily(planted(Pattern.IMPROVING), better=Direction.NEITHER))
    assert found.pattern is Pattern.DROP
    assert found.size == pytest.approx(0.1, abs=0.01)


def test_all_descriptions_are_shown_the_best_first_and_it_says_how_sure(daily):
    found = recent_pattern(daily(planted(Pattern.DECLINE)))
    assert [one.bic for one in found.fits] == sorted(one.bic for one in found.fits)
    assert {"level", "line", "step", "bend", "ramp", "return", "spike"} <= {one.name for one in found.fits}
    clear, faint = (
        recent_pattern(daily(planted(Pattern.DROP))),
        recent_pattern(daily(0.9 + NOISE + 0.09 * SHAPES[Pattern.DROP])),
    )
    assert faint.confidence < clear.confidence <= 1


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SHAPES)), st.integers(0, 500), st.floats(0.01, 100), st.floats(-50, 50))
def test_units_do_not_matter(pattern, seed, scale, origin):
    values = SHAPES[pattern] + 0.02 * np.random.default_rng(seed).standard_normal(100)
    plain, moved = recent_pattern(series(values)), recent_pattern(series(values * scale + origin))
    assert (plain.pattern, plain.started_at) == (moved.pattern, moved.started_at)
    assert moved.confidence == pytest.approx(plain.confidence, abs=1e-4)
    assert moved.size == (None if plain.size is None else pytest.approx(plain.size * scale, rel=1e-4))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SHAPES)), st.integers(0, 500))
def test_a_mirror_shows_the_same_with_the_direction_turned(pattern, seed):
    values = SHAPES[pattern] + 0.02 * np.random.default_rng(seed).standard_normal(100)
    plain, mirrored = recent_pattern(series(values)), recent_pattern(series(-values, Direction.LOWER))
    assert (plain.pattern, plain.started_at) == (mirrored.pattern, mirrored.started_at)
    turned = 1 if plain.pattern is Pattern.SEASONAL else -1  # a season is as wide either way
    assert mirrored.size == (None if plain.size is None else pytest.approx(turned * plain.size, rel=1e-6))


@pytest.mark.parametrize("pattern", SHAPES)
@pytest.mark.parametrize("weeks", [-1500, 520])
def test_the_date_of_today_does_not_matter(pattern, weeks, daily):
    now, then = (recent_pattern(daily(planted(pattern), days=np.arange(100) + 7 * by)) for by in (0, weeks))
    moved = None if now.started_at is None else now.started_at + timedelta(weeks=weeks)
    assert (then.pattern, then.started_at, then.size, then.confidence) == (now.pattern, moved, now.size, now.confidence)


def test_chance_is_seldom_given_a_name(daily):
    rng = np.random.default_rng(4)
    named = [recent_pattern(daily(rng.standard_normal(60))).pattern for _ in range(150)]
    assert sum(one is not Pattern.STEADY for one in named) <= 18
