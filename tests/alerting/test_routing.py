"""Who is told: routes, hours, escalation, and who takes over."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.routing import (
    MuteTimeInterval,
    NotificationPolicy,
    Route,
    RoutingConfig,
    TimeInterval,
)
from modeltop.core.incident import Matchers, Member
from modeltop.core.series import Condition, SeriesKey, Severity
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICIES = dict.fromkeys(["slack", "mail", "pager"], NotificationPolicy())


def member(level=Severity.CRITICAL, *, rule="floor", model="fraud"):
    return Member("1a2b", rule, SeriesKey(model, "accuracy"), Condition.THRESHOLD, level, MONDAY, MONDAY)


def receivers_for(member, config, now, *, acked=False):
    return config.receivers_for(member, now, None if acked else now - MONDAY)


OFFICE = TimeInterval((0, 1, 2, 3, 4), time(9), time(18), BERLIN)
NIGHT = TimeInterval(start=time(22), end=time(6))
FRIDAY_NIGHT = TimeInterval((4,), time(22), time(6))
WEEKEND = TimeInterval((5, 6))


@pytest.mark.parametrize(
    ("interval", "moment", "is_open"),
    [
        pytest.param(OFFICE, "2025-01-06 07:59", False, id="before nine in Berlin"),
        pytest.param(OFFICE, "2025-01-06 08:00", True, id="nine in Berlin"),
        pytest.param(OFFICE, "2025-01-06 16:59", True, id="before six"),
        pytest.param(OFFICE, "2025-01-06 17:00", False, id="the end is not part of it"),
        pytest.param(OFFICE, "2025-01-11 10:00", False, id="Saturday"),
        pytest.param(NIGHT, "2025-01-06 23:00", True, id="before midnight"),
        pytest.param(NIGHT, "2025-01-07 05:59", True, id="after midnight"),
        pytest.param(NIGHT, "2025-01-07 06:00", False, id="in the morning"),
        pytest.param(FRIDAY_NIGHT, "2025-01-11 01:00", True, id="the night that began on Friday"),
        pytest.param(FRIDAY_NIGHT, "2025-01-10 01:00", False, id="the night before it"),
        pytest.param(WEEKEND, "2025-01-11 00:00", True, id="a whole day from its first moment"),
        pytest.param(WEEKEND, "2025-01-12 23:59", True, id="to its last"),
        pytest.param(WEEKEND, "2025-01-13 00:00", False, id="and no further"),
    ],
)
def test_an_interval_contains_its_start_and_not_its_end(interval, moment, is_open):
    assert interval.contains(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == is_open


# In Berlin 2025-03-30 has no 02:00 to 03:00 (01:00 UTC), and 2025-10-26 has it twice (00:00 and 01:00 UTC).
@pytest.mark.parametrize(
    ("start", "end", "day", "expected"),
    [
        pytest.param(time(1), time(4), "2025-03-30", ("00:00", "02:00"), id="spring: an hour shorter"),
        pytest.param(time(2, 30), time(5), "2025-03-30", ("01:30", "03:00"), id="spring: begins in the gap"),
        pytest.param(time(0), time(2, 30), "2025-03-30", ("-23:00", "01:30"), id="spring: ends in the gap"),
        pytest.param(time(1), time(4), "2025-10-26", ("-23:00", "03:00"), id="autumn: an hour longer"),
        pytest.param(time(2, 30), time(5), "2025-10-26", ("00:30", "04:00"), id="autumn: begins when it first comes"),
        pytest.param(time(1), time(2, 30), "2025-10-26", ("-23:00", "00:30"), id="autumn: ends when it first comes"),
    ],
)
def test_when_clocks_change_an_interval_starts_once_and_ends_once(start, end, day, expected):
    interval = TimeInterval(start=start, end=end, zone=BERLIN)
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    moments = [midnight - 90 * MINUTE + minute * MINUTE for minute in range(8 * 60)]
    states = [interval.contains(moment) for moment in moments]
    flips = [moment for moment, before, after in zip(moments[1:], states, states[1:], strict=False) if before != after]
    assert flips == [at(midnight, text) for text in expected]


def at(midnight, text):
    """A time of the day; of the day before it with a minus."""
    hour, minute = map(int, text.removeprefix("-").split(":"))
    return midnight + timedelta(days=-text.startswith("-"), hours=hour, minutes=minute)


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: MONDAY + minutes * MINUTE),
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
)
def test_a_whole_day_leaves_no_moment_out_whatever_the_clocks_do(moment, start):
    assert TimeInterval(start=start, end=start, zone=BERLIN).contains(moment)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(Route("r", ("slack",)), ["slack"], id="what matches is told"),
        pytest.param(Route("r", ("slack", "mail", "slack")), ["slack", "mail"], id="each once, in order"),
        pytest.param(Route("r", ("slack",), Matchers(model="other*")), [], id="what does not match is not"),
        pytest.param(Route("r", ("slack",), Matchers(severity="critical")), [], id="severity matches as well"),
        pytest.param(Route("r", ("slack",), min_severity="unknown"), [], id="nor what is less than the least"),
        pytest.param(Route("r", ("slack",), time_intervals=(WEEKEND,)), [], id="nor outside of its hours"),
        pytest.param(
            Route("r", ("slack",), time_intervals=(WEEKEND, OFFICE)), ["slack"], id="any of its hours will do"
        ),
        pytest.param(Route("r", ("gone",)), [], id="who is not configured is passed over"),
    ],
)
def test_a_route_notifies_its_receivers_of_what_matches(route, expected):
    config = RoutingConfig((route,), policies=POLICIES)
    assert list(receivers_for(member(Severity.WARNING), config, MONDAY + timedelta(hours=10))) == expected


def test_all_routes_that_match_count():
    config = RoutingConfig((Route("a", ("mail",)), Route("b", ("slack", "mail"))), policies=POLICIES)
    assert receivers_for(member(), config, MONDAY) == ("mail", "slack")


@pytest.mark.parametrize(
    ("own", "expected"),
    [(("pager",), ("pager",)), ((), ()), (None, ("slack",))],
)
def test_a_rule_that_names_receivers_overrides_the_routes(own, expected):
    rule = Rule("floor", Threshold(critical=Limit(below=0.9)), "accuracy", receivers=own)
    config = RoutingConfig((Route("a", ("slack",), time_intervals=(OFFICE,)),), (rule,), policies=POLICIES)
    assert receivers_for(member(), config, MONDAY + timedelta(hours=10)) == expected


@pytest.mark.parametrize(
    ("minutes", "acked", "expected"),
    [(29, False, ("slack",)), (30, False, ("slack", "pager")), (30, True, ("slack",))],
)
def test_what_nobody_acknowledges_is_escalated(minutes, acked, expected):
    route = Route("a", ("slack",), escalate_after=30 * MINUTE, escalate_to=("pager",))
    now = MONDAY + minutes * MINUTE
    assert receivers_for(member(), RoutingConfig((route,), policies=POLICIES), now, acked=acked) == expected


@pytest.mark.parametrize(
    ("broken", "fallbacks", "expected"),
    [
        pytest.param([], {}, "slack", id="who works is told"),
        pytest.param(["slack"], {}, "mail", id="else the next of the configuration"),
        pytest.param(["slack"], {"slack": "pager"}, "pager", id="or the fallback that was named"),
        pytest.param(["slack", "pager"], {"slack": "pager"}, "mail", id="whose own next takes over from it"),
        pytest.param(["slack", "mail"], {"slack": "mail", "mail": "slack"}, "pager", id="fallbacks may go in circles"),
        pytest.param(["slack", "mail", "pager"], {}, None, id="nobody is left"),
        pytest.param(["slack"], {"slack": "gone"}, "mail", id="a fallback that is not configured is passed over"),
    ],
)
def test_a_fallback_takes_over_from_a_disabled_receiver(broken, fallbacks, expected):
    policies = {name: NotificationPolicy(fallback=fallbacks.get(name)) for name in POLICIES}
    assert RoutingConfig(policies=policies).fallback_for("slack", broken) == expected


def test_a_mute_is_active_in_any_of_its_hours():
    mute = MuteTimeInterval("quiet", Matchers(), (NIGHT, WEEKEND))
    assert [mute.active(MONDAY + timedelta(hours=hour)) for hour in (1, 12, 5 * 24 + 12)] == [True, False, True]
