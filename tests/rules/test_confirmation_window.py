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
        pytest.param("xx.xx..", 5, 1, 7, id="two good ones in a row end it"),
        pytest.param("xx.xx..x", 5, 1, 7, id="and then the count starts anew"),
    ],
)
def test_so_many_of_the_last_are_enough(daily, day, floor, days, fired, since, resolved):
    found = replay([daily([X[one] for one in days])], floor(confirm=4, window=6, recover=2))[0]
    told = [one for one in found if one.fired]
    assert [one.fired for one in told] == ([] if fired is None else [day(fired)])
    for one in told:
        assert (one.since, one.resolved) == (day(since), resolved and day(resolved))


def test_while_too_few_are_wrong_it_is_pending_since_the_first_that_still_counts(daily, day, floor):
    (episode,) = replay([daily([X[one] for one in "x....x."])], floor(confirm=3, window=5))[0]
    assert (episode.state, episode.since) == (State.PENDING, day(6))


def by_the_book(wrong, confirm, of, recover):
    """(since, fired, resolved) of each that fired, a loop over all points."""
    window, active, good, found = deque(), False, 0, []
    for at, one in enumerate(wrong):
        if active:
            good = 0 if one else good + 1
            if good >= recover:
                found[-1][2], active = at, False
                window.clear()
            continue
        if one:
            window.append(at)
        while window and window[0] <= at - of:
            window.popleft()
        if len(window) >= confirm:
            active, good = True, 0
            found.append([window[0], at, None])
    return found


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 5).flatmap(lambda k: st.tuples(st.just(k), st.integers(k, 8))),
    st.integers(1, 3),
)
def test_the_machine_counts_as_a_plain_loop_does(daily, day, floor, wrong, counted, recover):
    confirm, of = counted
    rule = floor(confirm=confirm, window=of, recover=recover)
    found = replay([daily([0.8 if one else 0.95 for one in wrong])], rule)[0]
    told = [[one.since, one.fired, one.resolved] for one in found if one.fired]
    expected = by_the_book(wrong, confirm, of, recover)
    assert told == [[None if at is None else day(at + 1) for at in one] for one in expected]
