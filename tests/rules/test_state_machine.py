"""P1 to P7, against a machine written line by line from the specification, with no skipping and no arrays."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.series import Severity, State
from modeltop.rules.priority import model_statuses, ordered_alerts
from modeltop.rules.replay import replay
from modeltop.rules.state_machine import AlertStateMachine

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
LEVELS = (WARNING, CRITICAL)
# Around floors of 0.90 and 0.92 with a margin of 0.01: each region, and the limits themselves.
NEAR = [0.99, 0.95, 0.93, 0.925, 0.92, 0.915, 0.91, 0.905, 0.90, 0.89, 0.85]
mostly_healthy = st.lists(st.sampled_from([0.99] * 12 + NEAR), max_size=60)
troubled = st.lists(st.sampled_from(NEAR), max_size=40)
lasting = st.lists(st.tuples(st.sampled_from(NEAR), st.sampled_from([1, 2, 5, 63, 64, 65, 600])), max_size=8).map(
    lambda stretches: [value for value, points in stretches for _ in range(points)]
)
histories = mostly_healthy | troubled | lasting


@st.composite
def settings(draw):
    return {
        "critical": 0.90,
        "warn": draw(st.sampled_from([0.92, None])),
        "margin": draw(st.sampled_from([0.0, 0.01])),
        "confirm": draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        "recover": draw(st.integers(1, 3)),
        "max_gap": draw(st.sampled_from([None, timedelta(days=2)])),
    }


def judge(value, active, rule):
    """The level of a value, as the specification has it."""
    critical = rule["critical"] + (rule["margin"] if active[CRITICAL] else 0)
    if value < critical:
        return CRITICAL
    # Without a limit of its own a warning, of a critical value that waits to be confirmed, ends by the critical one.
    milder = rule["critical"] if rule["warn"] is None else rule["warn"]
    return WARNING if value < milder + (rule["margin"] if active[WARNING] else 0) else OK


def by_the_book(points, rule):
    """Every judged point through the machine; the episodes as (state, level, since, fired, resolved)."""
    levels = {k: SimpleNamespace(since=None, count=0, clear_count=0, active=False) for k in LEVELS}
    last, level, alerts, started, phase = None, OK, [], None, None
    for t, value in points:
        severity = judge(value, {k: levels[k].active for k in LEVELS}, rule)
        for k in LEVELS:
            one_step(levels[k], k, severity, t, last, rule)
        levels[WARNING].active |= levels[CRITICAL].active
        before, level = level, max((k for k in LEVELS if levels[k].active), default=OK)
        sinces = [levels[k].since for k in LEVELS if levels[k].since is not None]
        if level and not before:
            started, peak = (min(sinces), t), OK
        if started:
            peak = max(peak, level)
        if before and not level:
            alerts.append((State.RESOLVED, peak, *started, t))
            started = None
        phase = (State.FIRING if severity >= level else State.RECOVERING) if level else None
        last = t
    if started:
        alerts.append((phase, level, *started, None))
    elif last is not None and sinces:
        reach = max(k for k in LEVELS if levels[k].since is not None)
        alerts.append((State.PENDING, reach, min(sinces), None, None))
    return alerts


def one_step(level, k, severity, t, last, rule):
    if rule["max_gap"] and last is not None and t - last > rule["max_gap"] and not level.active:
        level.since, level.count = None, 0
    if severity >= k:
        level.since = t if level.since is None else level.since
        level.count += 1
        level.clear_count = 0
        if level.count >= rule["confirm"][k is CRITICAL]:
            level.active = True
    else:
        level.clear_count += 1
        if level.clear_count >= rule["recover"]:
            level.active = False
        if not level.active:
            level.since, level.count = None, 0


def seen(series, rule):
    return [
        (alert.state, alert.severity, alert.since, alert.fired, alert.resolved) for alert in replay([series], rule)[0]
    ]


def moments(values, days, day):
    return [(day(number), value) for number, value in zip(days, values, strict=True)]


def spread(gaps, length):
    """Days in rising order, `gaps` apart in turn."""
    steps = [gaps[index % len(gaps)] for index in range(length)]
    return (np.cumsum([0, *steps])[:length] + 1).tolist()


gaps = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@given(values=histories, rule=settings(), steps=gaps)
def test_p7_skipping_what_is_quiet_gives_what_the_point_by_point_machine_gives(daily, floor, day, values, rule, steps):
    days = spread(steps, len(values))
    assert seen(daily(values, days=days), floor(**rule)) == by_the_book(moments(values, days, day), rule)


severities = st.lists(st.sampled_from([OK, WARNING, CRITICAL]), max_size=40)


def fed(rule, severities_fed, day):
    """(level, since, state) after each point."""
    machine, after = AlertStateMachine(rule), []
    for number, severity in enumerate(severities_fed, 1):
        machine.advance(day(number), severity)
        after.append((machine.level, machine.since, machine.state))
    return after


@given(severities_fed=severities, rule=settings())
def test_p1_whatever_is_critical_is_a_warning_too(floor, day, severities_fed, rule):
    machine = AlertStateMachine(floor(**rule))
    for number, severity in enumerate(severities_fed, 1):
        machine.advance(day(number), severity)
        assert machine._warning.active or not machine._critical.active


@given(severities_fed=severities, rule=settings())
def test_p2_a_level_rises_only_when_its_own_count_or_that_of_a_higher_level_is_full(floor, day, severities_fed, rule):
    level = OK
    for end, (now, _, _) in enumerate(fed(floor(**rule | {"max_gap": None}), severities_fed, day), 1):
        if now > level:
            rows = {
                k: next((n for n, level in enumerate(reversed(severities_fed[:end])) if level < k), end) for k in LEVELS
            }
            assert any(rows[k] >= rule["confirm"][k is CRITICAL] for k in LEVELS if k >= now)
        level = now


@given(values=histories, rule=settings(), positions=st.lists(st.integers(0, 60), max_size=20), data=st.data())
def test_p3_points_that_are_held_change_nothing(daily, floor, values, rule, positions, data):
    rule = floor(**rule, min_count=30)
    days = np.arange(1, len(values) + 1) * 2
    extra = sorted({2 * (position % (len(values) + 1)) + 1 for position in positions})
    kinds = [data.draw(st.sampled_from(["few", "infinite", "unfinished"])) for _ in extra]
    rows = [(when, value, 500.0, False) for when, value in zip(days, values, strict=True)]
    rows += [
        (when, np.inf if kind == "infinite" else 0.1, 5.0 if kind == "few" else 500.0, kind == "unfinished")
        for when, kind in zip(extra, kinds, strict=True)
    ]
    when, value, support, open_ = zip(*sorted(rows), strict=True) if rows else ((), (), (), ())
    columns = {"support": np.array(support, dtype=float), "provisional": np.array(open_, dtype=bool)}
    plain = daily(values, days=days, support=np.full(len(values), 500.0))
    assert replay([daily(value, days=when, **columns)], rule)[0] == replay([plain], rule)[0]


@given(values=histories, rule=settings(), tail=st.lists(st.sampled_from([0.90, 0.905, 0.9099]), min_size=1, max_size=9))
def test_p4_while_critical_values_within_the_margin_change_nothing(daily, floor, values, rule, tail):
    rule = floor(**rule | {"margin": 0.01, "max_gap": None})
    ill = [*values, 0.5, 0.5, 0.5, 0.5]
    assert seen(daily(ill), rule)[-1][:2] == (State.FIRING, CRITICAL)
    assert seen(daily([*ill, *tail]), rule) == seen(daily(ill), rule)


def events(series, rule):
    """What people would have been told, with its name, in order of time."""
    alerts = replay([series], rule)[0]
    fired = [(alert.fired, "fired", alert.id) for alert in alerts if alert.fired]
    return sorted(fired + [(alert.resolved, "resolved", alert.id) for alert in alerts if alert.resolved])


@given(values=histories, rule=settings(), cut=st.integers(0, 60))
def test_p5_what_was_told_does_not_depend_on_later_rows(daily, floor, values, rule, cut):
    full, rule = daily(values), floor(**rule)
    past = full[: min(cut, len(full))]
    expected = [event for event in events(full, rule) if len(past) and event[0] <= past.newest]
    assert events(past, rule) == expected


@given(order=st.permutations(range(12)))
def test_p6_the_order_of_rules_and_models_changes_nothing(make_alert, ranked_world, order):
    history, alerts, rule_statuses, catalog = ranked_world
    shuffled = [alerts[index] for index in order]
    first, second = ordered_alerts(shuffled), ordered_alerts(alerts)
    assert first == second
    assert model_statuses(history, first, rule_statuses, catalog) == model_statuses(
        history, second, rule_statuses, catalog
    )
