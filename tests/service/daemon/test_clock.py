"""`now` never runs backwards, whatever is done to the machine's clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.service.clock import Clock

START = datetime(2025, 3, 1, tzinfo=UTC)


class Machine:
    def __init__(self):
        self.wall, self.seconds = START, 0.0
        self.clock = Clock(lambda: self.wall, lambda: self.seconds)

    def sleep(self, seconds):
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(days=-3652)])
def test_a_clock_set_back_goes_on_at_its_own_pace(step):
    machine = Machine()
    machine.clock.now()
    machine.wall += step
    machine.sleep(60)
    assert machine.clock.now() == START + timedelta(seconds=60)
    assert machine.clock.lag() == -step


def test_a_clock_set_forward_is_followed():
    machine = Machine()
    machine.clock.now()
    machine.wall += timedelta(hours=1)
    assert machine.clock.now() == START + timedelta(hours=1)
    assert machine.clock.lag() == timedelta()


def test_once_the_clock_has_caught_up_it_is_followed_again():
    machine = Machine()
    machine.clock.now()
    machine.wall -= timedelta(hours=1)
    machine.clock.now()
    machine.wall = START + timedelta(hours=2)
    assert machine.clock.now() == START + timedelta(hours=2)


def test_now_is_not_before_the_last_event():
    machine, journal = Machine(), START + timedelta(days=2)
    assert machine.clock.now(journal) == journal
    machine.sleep(5)
    assert machine.clock.now(journal) == journal + timedelta(seconds=5)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(-(10**9), 10**9)), max_size=20))
def test_it_never_runs_backwards(steps):
    machine = Machine()
    last = machine.clock.now()
    for seconds, jump in steps:
        machine.sleep(seconds)
        machine.wall = max(datetime(1971, 1, 1, tzinfo=UTC), machine.wall + timedelta(seconds=min(jump, 10**8)))
        now = machine.clock.now()
        assert now >= last
        last = now
