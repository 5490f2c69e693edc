"""K of N: enough wrong points among the newest, in a row or not."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.series import State
from modeltop.rules.replay import replay

X = {"x": 0.8, ".": 0.95}


@pytest.mark.parametrize(
    ("days", "fired", "since", "resolved"),
    [
        pytest.param("x.x.x", None, None, None, id="three of five are not four"),
        pytest.param("xx.x.x", 6, 1, None, id="four of the last six fire, in a row or not"),
        pytest.param("x..xxx.x", 6, 1, None, id="the first of the four is where it began"),
        pytest.param("x.....xx.xx", 11, 7, None, id="what left the window counts no more"),
        pytest.param("xx.xx..", 5, 1, 7, id="two good periods in a row end it"),
        pytest.param("xx.xx..x", 5, 1, 7, id="and then the count starts anew"),
    ],
)
def test_so_many_of_the_last_are_enough(daily, day, floor, days, fired, since, resolved):
    alerts = replay([daily([X[code] for code in days])], floor(confirm=4, window=6, recover=2))[0]
    fired_alerts = [alert for alert in alerts if alert.fired]
    assert [alert.fired for alert in fired_alerts] == ([] if fired is None else [day(fired)])
    for alert in fired_alerts:
        assert (alert.since, alert.resolved) == (day(since), resolved and day(resolved))


def test_while_too_few_are_wrong_it_is_pending_since_the_first_that_still_counts(daily, day, floor):
    (alert,) = replay([daily([X[code] for code in "x....x."])], floor(confirm=3, window=5))[0]
    assert (alert.state, alert.since) == (State.PENDING, day(6))


def by_the_book(breached, confirm, of, recover):
    """(since, fired, resolved) of each that fired, a loop over all points."""
    window, active, clear_count, alerts = deque(), False, 0, []
    for at, is_breached in enumerate(breached):
        if active:
            clear_count = 0 if is_breached else clear_count + 1
            if clear_count >= recover:
                alerts[-1][2], active = at, False
                window.clear()
            continue
        if is_breached:
            window.append(at)
        while window and window[0] <= at - of:
            window.popleft()
        if len(window) >= confirm:
            active, clear_count = True, 0
            alerts.append([window[0], at, None])
    return alerts


lasting = st.lists(st.tuples(st.booleans(), st.sampled_from([1, 2, 7, 70])), max_size=12).map(
    lambda stretches: [is_breached for is_breached, points in stretches for _ in range(points)]
)


@given(
    st.lists(st.booleans(), max_size=60) | lasting,
    st.integers(1, 5).flatmap(lambda k: st.tuples(st.just(k), st.integers(k, 8))),
    st.integers(1, 3),
)
def test_the_machine_counts_as_a_plain_loop_does(daily, day, floor, breached, counted, recover):
    confirm, of = counted
    rule = floor(confirm=confirm, window=of, recover=recover)
    alerts = replay([daily([0.8 if is_breached else 0.95 for is_breached in breached])], rule)[0]
    fired_alerts = [[alert.since, alert.fired, alert.resolved] for alert in alerts if alert.fired]
    expected = by_the_book(breached, confirm, of, recover)
    assert fired_alerts == [[None if at is None else day(at + 1) for at in times] for times in expected]
