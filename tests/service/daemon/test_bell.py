"""The watcher sleeps until something happens, and no longer."""

import os
import signal
import threading

import pytest

from modeltop.service.wakeup import WakeupPipe, handle_signals


@pytest.fixture
def bell():
    bell = WakeupPipe()
    yield bell
    bell.close()


def test_it_wakes_by_time_alone_or_by_a_ring(bell):
    assert not bell.wait(0)
    thread = threading.Thread(target=bell.wake)
    thread.start()
    assert bell.wait(10)
    thread.join()


def test_many_rings_wake_once(bell):
    for _ in range(100_000):
        bell.wake()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_a_ring_after_its_end_is_nothing():
    bell = WakeupPipe()
    bell.close()
    bell.wake()


@pytest.mark.parametrize(
    ("number", "stop", "reload"),
    [(signal.SIGTERM, True, False), (signal.SIGINT, True, False), (signal.SIGHUP, False, True)],
)
def test_a_signal_is_a_wish_and_wakes(bell, number, stop, reload):
    before = signal.getsignal(number)
    with handle_signals(bell) as wishes:
        os.kill(os.getpid(), number)
        assert bell.wait(10)
        assert (wishes.stop, wishes.reload) == (stop, reload)
    assert signal.getsignal(number) == before


def test_who_asks_twice_to_end_waits_no_longer(bell):
    with handle_signals(bell) as wishes:
        wishes.handle(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            wishes.handle(signal.SIGINT)
