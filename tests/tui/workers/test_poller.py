"""The thread that polls the pipeline."""

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
    """A started poller and its results; it is stopped at the end."""
    pollers = []

    def start_poller(pipeline, **options):
        poller, results = Poller(pipeline, **options), []
        pollers.append(poller)
        poller.subscribe(results.append)
        poller.start()
        return poller, results

    yield start_poller
    for poller in pollers:
        poller.stop()


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_the_first_result_reaches_a_late_subscriber(make):
    poller = Poller(make.pipeline("first"))
    poller.start()
    assert poller.wait_for_first(5).snapshot == "first"
    results = []
    poller.subscribe(results.append)
    poller.stop()
    assert results == [PollResult(snapshot="first")]


def test_a_change_is_delivered(make, start):
    pipeline = make.pipeline("first")
    poller, results = start(pipeline)
    poller.wait_for_first(5)
    pipeline.deliver("second")
    wait_for(lambda: len(results) > 1)
    assert results == [PollResult(snapshot="first"), PollResult(snapshot="second")]


def test_nothing_runs_while_nothing_changes(make, start):
    pipeline = make.pipeline("only")
    poller, results = start(pipeline)
    poller.wait_for_first(5)
    time.sleep(0.1)
    assert pipeline.runs == len(results) == 1


def test_a_pause_stops_it_and_a_run_can_still_be_requested(make, start):
    pipeline = make.pipeline("first")
    poller, results = start(pipeline)
    poller.wait_for_first(5)
    poller.paused = True
    time.sleep(0.05)
    pipeline.deliver("second")
    time.sleep(0.05)
    assert results == [PollResult(snapshot="first")]
    poller.poll_now()
    wait_for(lambda: PollResult(snapshot="second") in results)


def test_a_run_that_is_to_read_all_anew_says_so_to_the_pipeline_once(make, start):
    pipeline = make.pipeline("first")
    poller, _ = start(pipeline)
    poller.wait_for_first(5)
    poller.poll_now()
    wait_for(lambda: pipeline.runs == 2)
    assert pipeline.stale_marks == 0
    for _ in range(2):
        poller.poll_now(anew=True)
        wait_for(lambda: pipeline.runs > 2)
    wait_for(lambda: pipeline.stale_marks == 2)


def test_unchanged_files_are_evaluated_again_by_the_clock(make, start, monkeypatch):
    monkeypatch.setattr(modeltop_tui.workers.poller, "REFRESH_SECONDS", 0.02)
    pipeline = make.pipeline("only")
    _, results = start(pipeline)
    wait_for(lambda: len(results) >= 3)
    assert not pipeline.needs_run()
    assert set(results) == {PollResult(snapshot="only")}


@pytest.mark.parametrize("error", [SourceError("gone"), OSError("disk"), ValueError("a bug")])
def test_an_error_is_a_result_and_the_next_run_goes_on(make, start, error):
    pipeline = make.pipeline(error)
    poller, results = start(pipeline)
    poller.wait_for_first(5)
    pipeline.deliver("second")
    wait_for(lambda: PollResult(snapshot="second") in results)
    assert results[0].error is error


def test_progress_is_reported_a_few_times_a_second_until_there_is_something_to_show(start):
    class Slow:
        def needs_run(self):
            return False

        def run(self, _clock, progress=None):
            progress(1, 3)
            progress(2, 3)
            return "done"

    poller, results = start(Slow())
    poller.wait_for_first(5)
    assert results == [PollResult(progress=(1, 3)), PollResult(snapshot="done")]


def test_stopping_does_not_wait_for_a_run_that_hangs():
    never = threading.Event()

    class Hung:
        def run(self, _clock, _progress=None):
            never.wait(60)

    poller = Poller(Hung())
    poller.start()
    assert poller.wait_for_first(0.01) == PollResult()
    poller.stop()
    never.set()
