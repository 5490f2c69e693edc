"""Patterns of histories whose answer was planted or can be worked out by hand, and of single curves."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction
from modeltop.diagnosis.timeseries.pattern import name_pattern, recent_pattern
from modeltop.diagnosis.timeseries.pattern_fit import FittedShape

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


def planted(pattern, stop=100):
    return (0.9 + SHAPES[pattern] + NOISE)[:stop]


def day(moment):
    return None if moment is None else (moment - START).days


@pytest.mark.parametrize("pattern", SHAPES)
def test_what_was_planted_is_named_dated_and_sized(pattern, daily):
    result = recent_pattern(daily(planted(pattern)))
    assert result.pattern is pattern
    assert result.confidence > 0.5
    if pattern in (Pattern.STEADY, Pattern.SEASONAL):
        assert result.started_at is None
        return
    assert day(result.started_at) == pytest.approx(60, abs=3 if pattern is Pattern.DECLINE else 0)
    assert result.size == pytest.approx(0.1 if pattern is Pattern.IMPROVING else -0.1, abs=0.02)


def test_a_drop_knows_whether_it_came_from_one_period_to_the_next(daily):
    step, ramp = (0.9 - 0.1 * np.clip((AGE + 1) / width, 0, 1) + NOISE / 4 for width in (1, 4))
    overnight, slower = recent_pattern(daily(step)), recent_pattern(daily(ramp))
    assert (overnight.pattern, slower.pattern) == (Pattern.DROP, Pattern.DROP)
    assert overnight.duration == 1 < slower.duration


def test_a_step_is_no_slide_where_values_are_steadier_than_their_counts_allow(daily):
    counts = np.full(100, 100.0)
    result = recent_pattern(daily(0.95 - 0.12 * (AGE >= 0) + NOISE / 4, support=counts, proportion=True))
    assert (result.pattern, day(result.started_at)) == (Pattern.DROP, 60)


@pytest.mark.parametrize(
    ("values", "pattern", "start", "size"),
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
def test_cases_worked_by_hand(values, pattern, start, size, daily):
    result = recent_pattern(daily(values))
    assert (result.pattern, day(result.started_at)) == (pattern, start)
    assert result.size == (None if size is None else pytest.approx(size, abs=0.011))


def test_a_fall_that_ends_in_its_last_four_periods_is_a_drop_and_one_of_six_a_decline(daily):
    falls = [0.9 + NOISE - 0.2 * np.clip((AGE + 1) / width, 0, 1) for width in (1, 3, 6, 12)]
    named = [recent_pattern(daily(values)).pattern for values in falls]
    assert named == [Pattern.DROP, Pattern.DROP, Pattern.DECLINE, Pattern.DECLINE]


def test_a_change_beside_a_week_is_named_and_not_the_week(daily):
    result = recent_pattern(daily(planted(Pattern.DROP) - 0.2 * WEEKEND))
    assert (result.pattern, day(result.started_at)) == (Pattern.DROP, 60)


def test_the_newest_period_alone_is_not_yet_a_spike(daily):
    assert recent_pattern(daily([*planted(Pattern.STEADY), 0.7])).pattern is not Pattern.SPIKE
    assert recent_pattern(daily([*planted(Pattern.STEADY), 0.7, 0.9])).pattern is Pattern.SPIKE


def test_small_months_are_neither_drop_nor_spike(shares):
    cases = np.where(np.arange(60) % 11 == 7, 4, 900)
    assert recent_pattern(shares(np.full(60, 0.65), cases, seed=2)).pattern is Pattern.STEADY


def test_only_evaluable_periods_are_looked_at(daily):
    rows = np.where(AGE >= 0, 3.0, 500.0)
    series = daily(planted(Pattern.DROP), rows=rows)
    assert recent_pattern(series).pattern is Pattern.DROP
    assert recent_pattern(daily(planted(Pattern.DROP), provisional=AGE >= 0)).pattern is Pattern.STEADY


def test_what_was_long_ago_is_forgotten(daily):
    values = np.concatenate([planted(Pattern.DROP), 0.8 + np.tile(NOISE, 2)])
    assert recent_pattern(daily(values)).pattern is Pattern.STEADY


def test_a_metric_without_a_better_side_may_drop_upwards(daily):
    result = recent_pattern(daily(planted(Pattern.IMPROVING), better=Direction.NEITHER))
    assert result.pattern is Pattern.DROP
    assert result.size == pytest.approx(0.1, abs=0.01)


def test_a_faint_change_is_less_certain_than_a_clear_one(daily):
    clear, faint = (recent_pattern(daily(0.9 + NOISE + scale * SHAPES[Pattern.DROP])) for scale in (1, 0.09))
    assert faint.confidence < clear.confidence <= 1
    assert clear.no_change_probability < 1e-6 < faint.no_change_probability


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SHAPES)), st.integers(0, 500), st.floats(0.01, 100), st.floats(-50, 50))
def test_units_do_not_matter(daily, pattern, seed, scale, origin):
    values = SHAPES[pattern] + 0.02 * np.random.default_rng(seed).standard_normal(100)
    plain, moved = recent_pattern(daily(values)), recent_pattern(daily(values * scale + origin))
    assert (plain.pattern, plain.started_at) == (moved.pattern, moved.started_at)
    assert moved.confidence == pytest.approx(plain.confidence, abs=1e-4)
    assert moved.size == (None if plain.size is None else pytest.approx(plain.size * scale, rel=1e-4))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SHAPES)), st.integers(0, 500))
def test_a_mirror_shows_the_same_with_the_direction_turned(daily, pattern, seed):
    values = SHAPES[pattern] + 0.02 * np.random.default_rng(seed).standard_normal(100)
    plain, mirrored = recent_pattern(daily(values)), recent_pattern(daily(-values, better=Direction.LOWER))
    assert (plain.pattern, plain.started_at) == (mirrored.pattern, mirrored.started_at)
    turned = 1 if plain.pattern is Pattern.SEASONAL else -1  # a season is as wide either way
    assert mirrored.size == (None if plain.size is None else pytest.approx(turned * plain.size, rel=1e-6))


@pytest.mark.parametrize("pattern", SHAPES)
@pytest.mark.parametrize("weeks", [-1500, 520])
def test_the_date_of_today_does_not_matter(pattern, weeks, daily):
    now, then = (recent_pattern(daily(planted(pattern), days=np.arange(100) + 7 * by)) for by in (0, weeks))
    moved = None if now.started_at is None else now.started_at + timedelta(weeks=weeks)
    assert (then.pattern, then.started_at, then.size, then.confidence) == (now.pattern, moved, now.size, now.confidence)


def test_noise_is_seldom_anything_but_steady(daily):
    rng = np.random.default_rng(4)
    named = [recent_pattern(daily(rng.standard_normal(60))).pattern for _ in range(150)]
    assert sum(pattern is not Pattern.STEADY for pattern in named) <= 18


def shape(name, curve, start, end):
    return FittedShape(name, 50.0, np.array(curve, dtype=float), start, end)


@pytest.mark.parametrize(
    ("name", "curve", "start", "end", "pattern", "at", "size"),
    [
        pytest.param("step", [0, 0, 0, -8, -8, -8], 3, 6, Pattern.DROP, 3, -8, id="at once"),
        pytest.param("ramp", [0, 0, -2, -4, -6, -8, -8], 2, 6, Pattern.DROP, 2, -8, id="within four periods"),
        pytest.param("ramp", [0, 0, -1, -2, -3, -4, -5, -5], 2, 7, Pattern.DECLINE, 2, -5, id="over more than four"),
        pytest.param("slope", [0, 0, -1, -2, -3, -4, -5], 2, 7, Pattern.DECLINE, 2, -5, id="up to the last one"),
        pytest.param("slope", [0, 3, 6, 9], 1, 4, Pattern.IMPROVING, 1, 9, id="only up"),
        pytest.param("return", [0, -6, -6, -6, -6, 0, 0], 1, 5, Pattern.RECOVERING, 1, -6, id="back"),
        pytest.param("return", [0, 6, 6, 6, 6, 0, 0], 1, 5, Pattern.DROP, 5, -6, id="back from something better"),
    ],
)
def test_a_shape_is_named_by_its_direction_and_by_whether_it_was_sudden(name, curve, start, end, pattern, at, size):
    for better, sign in ((Direction.HIGHER, 1), (Direction.LOWER, -1)):
        named = name_pattern(shape(name, sign * np.array(curve), start, end), better)
        assert (named.pattern, named.start_index, named.size) == (pattern, at, sign * size)


@pytest.mark.parametrize("name", ["spike", "burst"])
@pytest.mark.parametrize("better", Direction)
def test_a_few_periods_apart_are_a_spike_whichever_way(name, better):
    named = name_pattern(shape(name, [0, 0, 5, 0, 0], 2, 3), better)
    assert (named.pattern, named.start_index, named.size) == (Pattern.SPIKE, 2, 5)


@pytest.mark.parametrize("size", [4, -4])
def test_without_a_better_side_any_lasting_move_is_a_drop(size):
    named = name_pattern(shape("step", [0, size, size], 1, 3), Direction.NEITHER)
    assert (named.pattern, named.size) == (Pattern.DROP, size)


def test_a_level_is_steady():
    assert name_pattern(shape("level", [0, 0], 0, 2), Direction.HIGHER).pattern is Pattern.STEADY


@pytest.mark.parametrize(
    ("tail", "memory", "least"), [pytest.param("t", 0.0, 0.85, id="heavy tails"), pytest.param("", 0.9, 0.85, id="AR")]
)
@pytest.mark.parametrize("periods", [60, 120])
def test_heavy_tails_and_long_memory_are_steady(daily, tail, memory, least, periods):
    named = [recent_pattern(daily(wandering(periods, seed, tail, memory))).pattern for seed in range(60)]
    assert sum(pattern is Pattern.STEADY for pattern in named) >= least * len(named)


@pytest.mark.parametrize(("tail", "memory"), [pytest.param("t", 0.0, id="heavy tails"), pytest.param("", 0.9, id="AR")])
def test_a_drop_of_six_deviations_is_named_whatever_the_noise(daily, tail, memory):
    fall = 0.06 * (np.arange(60) >= 45)
    named = [recent_pattern(daily(wandering(60, seed, tail, memory) - fall)) for seed in range(40)]
    assert sum(pattern.pattern is Pattern.DROP and day(pattern.started_at) == 45 for pattern in named) >= 38


def wandering(periods, seed, tail, memory):
    """Return healthy values of deviation 0.01 of an AR(1) process, of Student's t with three degrees of freedom."""
    rng = np.random.default_rng([5, seed])
    noise = rng.standard_t(3, periods) / np.sqrt(3) if tail else rng.standard_normal(periods)
    for k in range(1, periods):
        noise[k] = memory * noise[k - 1] + np.sqrt(1 - memory**2) * noise[k]
    return 0.9 + 0.01 * noise
