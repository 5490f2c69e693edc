from math import inf, nan, nextafter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.series import Severity
from modeltop.rules.detectors.base import QueryContext, detectors
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
FLOORS = Threshold(Limit(below=0.92), Limit(below=0.90), margin=0.005)
BAND = Threshold(Limit(below=0.2, above=0.8), Limit(below=0.1, above=0.9), margin=0.02)


@pytest.mark.parametrize(
    ("value", "current_level", "level"),
    [
        pytest.param(0.90, OK, WARNING, id="exactly on the critical limit is not critical"),
        pytest.param(nextafter(0.90, 0), OK, CRITICAL, id="one float below it is"),
        pytest.param(0.92, OK, OK, id="exactly on the warning limit is fine"),
        pytest.param(nextafter(0.92, 0), OK, WARNING, id="one float below it warns"),
        pytest.param(
            nextafter(0.90 + 0.005, 0), CRITICAL, CRITICAL, id="inside by less than the margin stays critical"
        ),
        pytest.param(0.90 + 0.005, CRITICAL, WARNING, id="inside by the margin is not critical any more"),
        pytest.param(nextafter(0.90 + 0.005, 0), WARNING, WARNING, id="a warning holds no critical alive"),
        pytest.param(nextafter(0.92 + 0.005, 0), WARNING, WARNING, id="the margin holds a warning too"),
        pytest.param(nextafter(0.92 + 0.005, 0), CRITICAL, WARNING, id="and one beneath a critical"),
        pytest.param(0.92 + 0.005, CRITICAL, OK, id="inside both by the margin is good"),
    ],
)
def test_a_floor_is_breached_strictly_below_and_lets_go_at_the_margin(daily, last_breach, value, current_level, level):
    series = daily([0.0, value])
    (scan,) = FLOORS.prepare([series], QueryContext())
    breach = last_breach(FLOORS, series, scan, current_level)
    assert (breach.severity if breach else OK) is level


@pytest.mark.parametrize(
    ("detector", "value", "current_level", "message", "limit"),
    [
        (FLOORS, 0.87, OK, "0.870 < 0.90", 0.90),
        (FLOORS, 0.903, CRITICAL, "0.903 within 0.005 of 0.90", 0.90),
        (FLOORS, 0.91, OK, "0.910 < 0.92", 0.92),
        (FLOORS, nextafter(0.90, 0), OK, "0.8999999999999999 < 0.9", 0.90),
        (BAND, 0.95, OK, "0.950 > 0.90", 0.90),
        (BAND, 0.85, OK, "0.850 > 0.80", 0.80),
        (BAND, 0.15, OK, "0.150 < 0.20", 0.20),
        (BAND, 0.79, WARNING, "0.790 within 0.02 of 0.80", 0.80),
        # Confirmed as a warning before it is as critical.
        (Threshold(critical=Limit(below=0.9), margin=0.01), 0.903, WARNING, "0.903 within 0.01 of 0.90", 0.90),
    ],
)
def test_the_message_says_which_limit_and_by_how_little(
    daily, last_breach, detector, value, current_level, message, limit
):
    series = daily([0.0, value])
    (scan,) = detector.prepare([series], QueryContext())
    breach = last_breach(detector, series, scan, current_level)
    assert (breach.message, breach.limit, breach.value) == (message, limit, value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({}, "needs `warn`", id="no limit at all"),
        pytest.param({"critical": Limit(0.9), "margin": -0.1}, "0 or more", id="a negative margin"),
        pytest.param({"critical": Limit(0.9), "margin": nan}, "finite", id="a margin that is not a number"),
        pytest.param({"critical": Limit(0.9), "margin": inf}, "finite", id="an endless margin"),
        pytest.param({"warn": Limit(0.90), "critical": Limit(0.92)}, "warn at the higher", id="a floor critical first"),
        pytest.param(
            {"warn": Limit(None, 0.5), "critical": Limit(None, 0.4)}, "warn at the lower", id="a ceiling critical first"
        ),
        pytest.param({"critical": Limit(0.4, 0.6), "margin": 0.2}, "smaller", id="a margin nothing recovers from"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused_with_the_remedy(fields, words):
    with pytest.raises(ValueError, match=words):
        Threshold(**fields)


def test_limits_of_equal_height_and_on_different_sides_make_sense():
    assert Threshold(Limit(below=0.9), Limit(below=0.9)).limits()[0][0] is CRITICAL
    assert Threshold(Limit(below=0.9), Limit(above=0.99)).limits()[1][0] is WARNING


near = st.sampled_from([0.1, 0.12, 0.2, 0.22, 0.5, 0.78, 0.8, 0.88, 0.9, 0.905, 0.92, 0.925])
values = st.lists(near | near.map(lambda x: nextafter(x, 0)) | near.map(lambda x: nextafter(x, 1)), min_size=1)


@given(values=values, detector=st.sampled_from([FLOORS, BAND, Threshold(critical=Limit(above=0.5))]))
def test_a_series_at_once_is_graded_as_its_points_one_by_one(daily, last_breach, values, detector):
    series = daily(values)
    (scan,) = detector.prepare([series], QueryContext())
    breached = np.zeros(len(series), bool) if scan is None else scan.levels > 0
    assert detector.exceeded(series).tolist() == breached.tolist()
    assert (scan is None) == (not breached.any())
    for active in (OK, WARNING, CRITICAL) if scan else ():
        breaches = [last_breach(detector, series[: end + 1], scan[: end + 1], active) for end in range(len(series))]
        assert scan.levels_while(active).tolist() == [breach.severity if breach else OK for breach in breaches]
        alone = [detector.prepare([series[end : end + 1]], QueryContext())[0] for end in range(len(series))]
        assert scan.levels.tolist() == [OK if each is None else each.levels[0] for each in alone]


def test_how_far_beyond_counts_from_the_nearer_side():
    np.testing.assert_allclose(Limit(below=0.1, above=0.9).distance(np.array([0.05, 0.5, 0.97])), [0.05, -0.4, 0.07])


@pytest.mark.parametrize(("values", "worst"), [((0.35, 0.75), 0.75), ((0.05, 0.75), 0.05), ((0.05, 0.02), 0.02)])
def test_the_worst_value_is_that_furthest_beyond_the_limit_of_the_highest_level(daily, values, worst):
    detector = Threshold(warn=Limit(below=0.4, above=0.6), critical=Limit(below=0.1))
    (alert,) = replay([daily(values)], Rule("limits", detector, "*"))[0]
    assert alert.worst_breach.value == worst


def test_rules_find_it_by_its_name():
    assert detectors()["threshold"] is Threshold
