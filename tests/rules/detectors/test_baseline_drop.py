"""A drop below the baseline: sustained, sudden, or a long slide."""

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Direction, Severity
from modeltop.rules.defaults import default_rules
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.baseline_drop import BaselineDrop
from modeltop.rules.replay import replay

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
CATALOG = MetricRegistry()
(RULE,) = (rule for rule in default_rules() if rule.name == "baseline-drop")


def noisy(level, count, deviation=0.01, seed=1):
    return np.random.default_rng(seed).normal(level, deviation, count)


def alerts_of(daily, values, metric="accuracy", **columns):
    known = CATALOG.get(metric)
    series = daily(list(values), metric=metric, better=known.better, **columns)
    return [alert for alert in replay([series], RULE.for_metric(known))[0] if alert.fired]


@pytest.mark.parametrize(
    ("metric", "before", "after", "deviation"),
    [
        pytest.param("accuracy", 0.80, 0.00, 0.01, id="to nothing"),
        pytest.param("accuracy", 0.84, 0.51, 0.02, id="84 to 51 %"),
        pytest.param("mae", 28.0, 434.0, 3.0, id="an error times fifteen"),
        pytest.param("roc_auc", 0.875, 0.134, 0.01, id="a ranking turned around"),
        pytest.param("r2", 0.6, 0.3, 0.02, id="half of what was explained"),
        pytest.param("error_rate", 0.03, 0.08, 0.004, id="a small error rate, by half of what a large one takes"),
    ],
)
def test_a_collapse_is_critical_in_its_first_period(daily, metric, before, after, deviation):
    (alert,) = alerts_of(daily, [*noisy(before, 30, deviation), after], metric)
    assert (alert.severity, alert.since, alert.is_active) == (CRITICAL, alert.fired, True)
    assert alert.breach.limit == pytest.approx(before, rel=0.05)


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        pytest.param("psi", 0.02, 0.8, id="drift explains"),
        pytest.param("missing_rate", 0.01, 0.9, id="so does data quality"),
        pytest.param("latency", 0.2, 9.0, id="operations"),
        pytest.param("estimated_accuracy", 0.9, 0.2, id="an estimate"),
    ],
)
def test_what_is_not_measured_with_labels_warns_at_most(daily, metric, before, after):
    values = [*noisy(before, 30, before / 50), *noisy(after, 8, before / 50)]
    assert [alert.severity for alert in alerts_of(daily, values, metric)] == [WARNING]


@pytest.mark.parametrize(
    ("deviations", "severity"),
    [
        pytest.param([5.8], None, id="one period at nearly six is not enough"),
        pytest.param([5.8, 5.8], CRITICAL, id="two in a row are"),
        pytest.param([5.8, 0, 5.8], None, id="not in a row"),
        pytest.param([11], CRITICAL, id="one at eleven"),
        pytest.param([3.5, 3.5, 3.5, 3.5], WARNING, id="a sustained drop of three and a half warns"),
    ],
)
def test_how_far_and_for_how_long_decides_the_level(daily, deviations, severity):
    values = [*noisy(0.9, 60), *(0.9 - 0.01 * np.array(deviations))]
    fired = alerts_of(daily, values)
    assert [alert.severity for alert in fired] == ([] if severity is None else [severity])


def test_a_drop_of_no_size_is_not_critical_however_certain(daily):
    values = [*noisy(0.9, 60, 0.001), *noisy(0.87, 5, 0.001)]
    assert [alert.severity for alert in alerts_of(daily, values)] == [WARNING]


def test_a_slide_becomes_critical_once_it_has_gone_far(daily):
    values = np.concatenate([noisy(0.9, 60, 0.02), 0.9 - 0.004 * np.arange(60) + noisy(0, 60, 0.02, seed=2)])
    severities = [[alert.severity for alert in alerts_of(daily, values[:end])] for end in range(61, 121)]
    assert severities[-1] == [CRITICAL]
    first = 61 + severities.index([CRITICAL])
    assert [WARNING] in severities[: first - 61], "it warned before"
    assert 0.080 < 0.9 - values[first - 3 : first].mean() < 0.20


def test_it_is_over_after_three_good_periods_and_names_the_worst(daily):
    values = [*noisy(0.9, 30), 0.5, 0.4, 0.9, 0.91, 0.9, 0.9]
    (alert,) = alerts_of(daily, values)
    assert (alert.resolved - alert.fired).days == 4
    assert (alert.worst_breach.value, alert.breach.value) == (0.4, 0.4)
    assert alerts_of(daily, values[:-2])[0].is_active, "two good ones are not enough"


def test_a_weekly_season_is_allowed_for(daily):
    season = np.where(np.arange(70) % 7 >= 5, 0.75, 0.9) + noisy(0, 70, 0.005)
    assert alerts_of(daily, season) == []
    season[-1] -= 0.10
    (alert,) = alerts_of(daily, season)
    assert alert.severity is CRITICAL


def test_a_period_of_few_cases_may_lie_further_off(daily):
    values, rows = [*noisy(0.9, 40), 0.78], [*[4000.0] * 40, 40.0]
    assert alerts_of(daily, values) != []
    assert alerts_of(daily, values, rows=rows) == []


def test_fewer_than_eight_earlier_periods_say_nothing(daily):
    assert alerts_of(daily, [*noisy(0.9, 7), 0.1]) == []
    assert alerts_of(daily, [*noisy(0.9, 8), 0.1]) != []


@pytest.mark.parametrize("seed", range(4))
def test_what_fired_does_not_depend_on_later_rows(daily, seed):
    values = noisy(0.9, 120, seed=seed)
    values[50:53] -= 0.08
    values[80:] -= np.linspace(0, 0.2, 40)
    whole = [(alert.since, alert.fired) for alert in alerts_of(daily, values)]
    for end in range(45, 120, 7):
        newest = daily(values[:end]).newest
        part = [(alert.since, alert.fired) for alert in alerts_of(daily, values[:end])]
        assert part == [pair for pair in whole if pair[1] <= newest], end


@pytest.mark.parametrize("after", [0.2, 1.9])
def test_an_unknown_metric_warns_of_a_collapse_to_either_side(daily, after):
    (rule,) = (rule for rule in default_rules() if rule.name == "unknown-metric")
    series = daily([*noisy(1.0, 30), after], metric="kpi", better=Direction.NEITHER)
    (alert,) = replay([series], rule)[0]
    assert (alert.severity, alert.is_active) == (WARNING, True)


def test_many_series_at_once_give_what_each_gives_alone(daily):
    batch = [daily(noisy(0.9, 40 + seed, seed=seed) - 0.1 * (np.arange(40 + seed) > 35)) for seed in range(6)]
    detector = BaselineDrop().for_metric(CATALOG.get("accuracy"))
    together = detector.prepare(batch, QueryContext())
    for series, scan in zip(batch, together, strict=True):
        (alone,) = detector.prepare([series], QueryContext())
        assert scan.levels.tolist() == alone.levels.tolist()


def test_huge_values_are_no_warning_of_a_library(daily):
    values = [1e299, -1e299] * 20 + [0.0]
    with np.errstate(all="raise"):
        alerts_of(daily, values, "mae")


@pytest.mark.parametrize(
    ("first", "length", "gap", "second"), [(0.3, 6, 5, 0.6), (0.5, 6, 45, 0.75), (0.0, 1, 20, 0.7)]
)
def test_a_drop_that_is_over_hides_no_later_one(daily, first, length, gap, second):
    values = [*noisy(0.87, 60), *[first] * length, *noisy(0.87, gap, seed=2), second]
    alerts = alerts_of(daily, values)
    assert [(alert.severity, alert.is_active) for alert in alerts] == [(CRITICAL, False), (CRITICAL, True)]
    assert alerts[1].breach.limit == pytest.approx(0.87, abs=0.01)


def test_a_level_that_was_accepted_is_the_baseline_of_what_comes_later(daily):
    values = [*noisy(0.9, 60), *noisy(0.7, 150, seed=2), 0.5]
    old, new = alerts_of(daily, values)
    assert (old.is_active, new.is_active) == (False, True)
    assert new.breach.limit == pytest.approx(0.7, abs=0.01)


SEASON = np.where(np.arange(200) % 7 >= 5, -0.08, 0.0)


@pytest.mark.parametrize(
    ("metric", "values", "severity"),
    [
        pytest.param("roc_auc", 0.95 - 0.005 * np.arange(28), WARNING, id="from the first row on"),
        pytest.param("roc_auc", 0.95 - 0.005 * np.arange(60), CRITICAL, id="by 0.30"),
        pytest.param("mae", 10 + 0.5 * np.arange(60), CRITICAL, id="an error that triples"),
        pytest.param("accuracy", 0.85 + SEASON[:120] - 0.001 * np.arange(120), WARNING, id="in a weekly season"),
        pytest.param("roc_auc", 0.84 - 0.00055 * np.arange(180), CRITICAL, id="by 0.10 in half a year"),
    ],
)
def test_a_slide_too_slow_for_its_baseline_is_no_sustained_drop_but_warns(daily, metric, values, severity):
    noise = noisy(0, len(values), 0.003 * values[0])
    (alert,) = alerts_of(daily, values + noise, metric)
    assert (alert.severity, alert.is_active) == (severity, True)
    assert alert.breach.limit == pytest.approx(values[0], rel=0.05)


def test_a_season_of_a_year_and_a_wandering_level_are_no_slides(daily):
    days = np.arange(365)
    assert alerts_of(daily, 0.85 - 0.012 * np.cos(2 * np.pi * days / 365) + noisy(0, 365)) == []
    wandering = noisy(0, 400, 0.008)
    for day in range(1, 400):
        wandering[day] += 0.6 * wandering[day - 1]
    assert alerts_of(daily, 0.85 + wandering[35:]) == []


def test_a_slide_ends_where_the_metric_is_back(daily):
    fall = np.concatenate([np.linspace(0.9, 0.8, 60), np.linspace(0.8, 0.9, 20), np.full(20, 0.9)])
    (alert,) = alerts_of(daily, fall + noisy(0, 100, 0.004))
    assert alert.resolved is not None


def counted(share, cases, periods, seed=1):
    """Return shares of a number of cases that vary by chance alone."""
    return np.random.default_rng(seed).binomial(cases, share, periods) / cases


def test_a_fall_beyond_known_chance_warns_in_its_first_period(daily):
    values, support = [*counted(0.955, 100, 60), 0.83], np.full(61, 100.0)
    (alert,) = alerts_of(daily, values, support=support, proportion=True)
    assert (alert.severity, alert.since, alert.is_active) == (WARNING, alert.fired, True)
    assert alerts_of(daily, values) == [], "of an unknown number of cases nothing is known about the tail"


def test_one_good_period_after_another_ends_a_fall_beyond_chance(daily):
    values = [*counted(0.955, 100, 60), 0.83, 0.96, 0.95, 0.96]
    (alert,) = alerts_of(daily, values, support=np.full(64, 100.0), proportion=True)
    assert (alert.severity, (alert.resolved - alert.fired).days) == (WARNING, 3)


@pytest.mark.parametrize(
    ("baseline", "cases", "value"),
    [
        pytest.param(counted(0.955, 100, 60), 100, 0.87, id="chance reaches it"),
        pytest.param(counted(0.955, 10_000, 60), 10_000, 0.93, id="it is not material"),
        pytest.param(counted(0.955, 40, 60), 40, 0.77, id="few cases have another tail"),
        pytest.param(counted(0.955, 100, 20), 100, 0.83, id="20 periods do not show that it is chance alone"),
        pytest.param(counted(0.955, 100, 60) + noisy(0, 60, 0.03), 100, 0.80, id="it varies by more than chance"),
    ],
)
def test_what_chance_may_reach_or_does_not_matter_is_waited_for(daily, baseline, cases, value):
    values = [*np.minimum(baseline, 1.0), value]
    assert alerts_of(daily, values, support=np.full(len(values), float(cases)), proportion=True) == []


def test_a_brier_score_that_slides_is_critical_once_it_has_doubled_and_matters(daily):
    slide = np.clip(np.arange(80) / 60, 0, 1)
    small = 0.03 + 0.035 * slide + noisy(0, 80, 0.002)
    large = 0.03 + 0.06 * slide + noisy(0, 80, 0.002)
    before = noisy(0.03, 60, 0.008)
    severities = [alerts_of(daily, [*before, *after], "brier_score")[-1].severity for after in (small, large)]
    assert severities == [WARNING, CRITICAL]


@pytest.mark.parametrize(("after", "alerts"), [(0.09, 0), (0.30, 1)])
def test_a_calibration_error_that_few_cases_explain_is_no_drop(daily, after, alerts):
    values = np.concatenate([noisy(0.026, 60, 0.004), noisy(after, 45, 0.015)])
    cases = np.repeat([1000.0, 67.0], [60, 45])
    assert len(alerts_of(daily, values, "expected_calibration_error", rows=cases)) == alerts
