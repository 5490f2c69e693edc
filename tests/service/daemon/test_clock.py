"""`now` never runs backwards, and goes on by itself while the machine's clock cannot be right."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.incident import CLOCK_TOLERANCE
from modeltop.service.clock import FILE_NAME, Clock, describe_offset
from modeltop.service.cycle import newest_file_time

START = datetime(2025, 3, 1, tzinfo=UTC)
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
WRONG = [HOUR, -HOUR, 400 * DAY, -3652 * DAY]


class Machine:
    def __init__(self, wall=START, seconds=0.0, boot="a"):
        self.wall, self.seconds, self.boot = wall, seconds, boot
        self.clock = self.process()

    def process(self):
        return Clock(lambda: self.wall, lambda: self.seconds, lambda: self.boot)

    def sleep(self, seconds):
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


@pytest.mark.parametrize("step", WRONG)
def test_a_clock_that_is_set_wrong_is_unreliable_and_now_goes_on_by_itself(step):
    machine = Machine()
    machine.clock.now()
    machine.wall += step
    machine.sleep(60)
    assert machine.clock.now() == START + timedelta(seconds=60)
    assert machine.clock.offset == step
    assert not machine.clock.allows_no_data(None)


@pytest.mark.parametrize("step", WRONG)
def test_once_the_clock_is_set_right_it_is_trusted_again(step):
    machine = Machine()
    machine.clock.now()
    machine.wall += step
    machine.clock.now()
    machine.wall -= step
    machine.sleep(60)
    assert (machine.clock.now(), machine.clock.offset) == (START + timedelta(seconds=60), None)
    assert machine.clock.allows_no_data(None)


def test_ten_minutes_are_no_difference_and_a_moment_more_is():
    machine = Machine()
    machine.clock.now()
    machine.wall += CLOCK_TOLERANCE
    assert (machine.clock.now(), machine.clock.offset) == (START + CLOCK_TOLERANCE, None)
    machine.wall += SECOND
    assert machine.clock.offset == CLOCK_TOLERANCE + SECOND


def test_a_suspend_is_no_wrong_clock():
    machine = Machine()
    machine.clock.now()
    machine.sleep(8 * 3600)
    assert (machine.clock.now(), machine.clock.offset) == (START + 8 * HOUR, None)


def test_small_steps_add_up_over_cycles_and_not_within_one():
    machine = Machine()
    machine.clock.now()
    for _ in range(3):
        machine.wall += timedelta(minutes=6)
        machine.clock.now()
    assert machine.clock.offset == timedelta(minutes=18)
    machine = Machine()
    for _ in range(3):
        machine.wall += timedelta(minutes=6)
        machine.clock.synchronize()
    assert machine.clock.offset is None


def test_a_clock_behind_the_event_log_is_unreliable_and_one_ahead_after_a_reboot_is_not():
    machine = Machine()
    assert machine.clock.now(START + 2 * DAY) == START + 2 * DAY
    machine.sleep(5)
    assert machine.clock.now(START + 2 * DAY) == START + 2 * DAY + 5 * SECOND
    assert machine.clock.offset == -2 * DAY
    machine = Machine()
    assert (machine.clock.now(START - 3 * DAY), machine.clock.offset) == (START, None)


def test_after_a_reboot_no_data_is_concluded_after_an_hour_or_once_a_newer_row_has_come():
    machine = Machine()
    machine.clock.now(START - 3 * DAY)
    assert not machine.clock.allows_no_data(START - 4 * DAY)
    other = Machine()
    other.clock.now(START - 3 * DAY)
    assert other.clock.allows_no_data(START - 2 * DAY)
    machine.sleep(3600)
    assert machine.clock.allows_no_data(START - 4 * DAY)


def test_a_witness_shows_that_a_first_start_is_behind_and_it_settles_by_itself():
    machine = Machine(START - 3650 * DAY)
    machine.clock.witness(START)
    assert (machine.clock.now(), machine.clock.offset) == (START, -3650 * DAY)
    machine.sleep(60)
    assert machine.clock.now(START) == START + 60 * SECOND
    machine.wall = START + 61 * SECOND
    assert (machine.clock.now(), machine.clock.offset) == (machine.wall, None)


def test_an_accepted_clock_counts_even_where_it_is_set_back():
    machine = Machine()
    machine.clock.now(START + 400 * DAY)
    assert machine.clock.unique_now() > START + 400 * DAY - SECOND
    assert machine.clock.accept() == START
    assert (machine.clock.now(START), machine.clock.unique_now(), machine.clock.offset) == (START, START, None)


def test_unique_times_are_all_different():
    machine = Machine()
    assert machine.clock.unique_now() < machine.clock.unique_now() < machine.clock.unique_now()


def test_the_next_process_of_the_same_boot_knows_how_long_ago_the_anchor_was(tmp_path):
    machine = Machine()
    machine.clock.now()
    machine.clock.save(tmp_path)
    machine.sleep(DAY.total_seconds())
    machine.wall += 400 * DAY
    again = machine.process()
    again.load(tmp_path)
    assert (again.now(START), again.offset) == (START + DAY, 400 * DAY)
    again.save(tmp_path)
    third = machine.process()
    third.load(tmp_path)
    assert third.now() == START + DAY, "what is unreliable is never saved"


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"at": "x", "steady": 1, "boot": "a"}', "\xff"])
def test_an_anchor_of_another_boot_or_that_cannot_be_read_says_nothing(tmp_path, text):
    machine = Machine(seconds=5.0)
    machine.clock.now()
    machine.clock.save(tmp_path)
    if text is not None:
        (tmp_path / FILE_NAME).write_text(text)
    other = Machine(START + 400 * DAY, seconds=5.0, boot="b")
    other.clock.load(tmp_path)
    assert (other.clock.now(), other.clock.offset) == (START + 400 * DAY, None)


def test_files_written_later_than_now_show_it_where_they_are_more_than_half():
    now, later = START.timestamp(), (START + DAY).timestamp()
    assert newest_file_time([now, later, later], START) == START + DAY
    assert newest_file_time([now, later], START) is None
    assert newest_file_time([], START) is None


def test_the_clause_names_direction_size_and_remedy():
    assert "1y ahead of" in describe_offset(400 * DAY, "")
    assert "1h behind" in describe_offset(-HOUR, "")
    assert describe_offset(HOUR, "modeltop watch --accept-clock").endswith(": modeltop watch --accept-clock")


@given(st.lists(st.tuples(st.floats(0, 10_000), st.integers(-(10**9), 10**8), st.booleans()), max_size=20))
def test_it_never_runs_backwards_nor_further_than_time_went_on_and_is_the_machines_once_that_is_right(steps):
    machine = Machine()
    last = machine.clock.now()
    true = START
    for seconds, jump, is_right in steps:
        machine.seconds += seconds
        true += timedelta(seconds=seconds)
        machine.wall = true if is_right else max(datetime(1971, 1, 1, tzinfo=UTC), true + timedelta(seconds=jump))
        now = machine.clock.now()
        assert last <= now <= max(last, true + CLOCK_TOLERANCE)
        if is_right:
            assert now == max(last, true)
            assert machine.clock.offset is None
        last = now
