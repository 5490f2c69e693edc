"""The one thread that looks at the files."""

import threading
import time

import pytest

import modeltop_tui.workers.poller
from modeltop.core.errors import SourceError
from modeltop_tui.workers.poller import Poller, PollResult


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(modeltop_tui.workers.poller, "POLL_SECONDS", 0.01)


@pytest.fixture
def start():
    """A feed that has begun, and what it told; it is stopped at the end."""
    feeds = []

    def begin(observer, **options):
        feed, told = Poller(observer, **options), []
        feeds.append(feed)
        feed.subscribe(told.append)
        feed.start()
        return feed, told

    yield begin
    for feed in feeds:
        feed.stop()


def wait_for(what):
    deadline = time.monotonic() + 5
    while not what() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert what()


def test_the_first_look_is_handed_over_even_to_who_listens_late(make):
    feed = Poller(make.observer("first"))
    feed.start()
    assert feed.wait_for_first(5).snapshot == "first"
    told = []
    feed.subscribe(told.append)
    feed.stop()
    assert told == [PollResult(snapshot="first")]


def test_a_change_is_told_of(make, start):
    observer = make.observer("first")
    feed, told = start(observer)
    feed.wait_for_first(5)
    observer.hand("second")
    wait_for(lambda: PollResult(snapshot="second") in told)


def test_nothing_is_looked_at_while_nothing_changes(make, start):
    observer = make.observer("only")
    feed, told = start(observer)
    feed.wait_for_first(5)
    time.sleep(0.1)
    assert observer.looks == len(told) == 1


def test_a_pause_stops_it_and_a_look_can_still_be_asked_for(make, start):
    observer = make.observer("first")
    feed, told = start(observer)
    feed.wait_for_first(5)
    feed.paused = True
    time.sleep(0.05)
    observer.hand("second")
    time.sleep(0.05)
    assert told == [PollResult(snapshot="first")]
    feed.poll_now()
    wait_for(lambda: PollResult(snapshot="second") in told)


def test_unchanged_files_are_judged_anew_by_the_clock(make, start, monkeypatch):
    monkeypatch.setattr(modeltop_tui.workers.poller, "REFRESH_SECONDS", 0.02)
    observer = make.observer("only")
    start(observer)
    wait_for(lambda: observer.looks >= 3)


@pytest.mark.parametrize("error", [SourceError("gone"), OSError("disk"), ValueError("a bug")])
def test_an_error_is_news_and_the_next_look_goes_on(make, start, error):
    observer = make.observer(error)
    feed, told = start(observer)
    feed.wait_for_first(5)
    observer.hand("second")
    wait_for(lambda: PollResult(snapshot="second") in told)
    assert told[0].error is error


def test_progress_is_told_a_few_times_a_second_until_there_is_something_to_show(start):
    class Slow:
        def needs_run(self):
            return False

        def run(self, _clock, progress=None):
            progress(1, 3)
            progress(2, 3)
            return "done"

    feed, told = start(Slow())
    feed.wait_for_first(5)
    assert told == [PollResult(progress=(1, 3)), PollResult(snapshot="done")]


def test_leaving_does_not_wait_for_a_look_that_hangs():
    never = threading.Event()

    class Hung:
        def run(self, _clock, _progress=None):
            never.wait(60)

    feed = Poller(Hung())
    feed.start()
    assert feed.wait_for_first(0.01) == PollResult()
    feed.stop()
    never.set()
