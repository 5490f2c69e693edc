"""What wakes the daemon: time, signals, results."""

import os
import signal
import threading

import pytest

from modeltop.service.wakeup import WakeupPipe, handle_signals


@pytest.fixture
def wakeup():
    wakeup = WakeupPipe()
    yield wakeup
    wakeup.close()


def test_it_wakes_after_the_timeout_or_by_a_wake_up(wakeup):
    assert not wakeup.wait(0)
    thread = threading.Thread(target=wakeup.wake)
    thread.start()
    assert wakeup.wait(10)
    thread.join()


def test_many_wake_ups_wake_once(wakeup):
    for _ in range(100_000):
        wakeup.wake()
    assert wakeup.wait(0)
    assert not wakeup.wait(0)


def test_a_wake_up_after_close_is_ignored():
    wakeup = WakeupPipe()
    wakeup.close()
    reader, writer = os.pipe()  # it gets the descriptors that were closed
    wakeup.wake()
    os.close(writer)
    assert os.read(reader, 10) == b""
    os.close(reader)


@pytest.mark.parametrize(
    ("number", "stop", "reload"),
    [(signal.SIGTERM, True, False), (signal.SIGINT, True, False), (signal.SIGHUP, False, True)],
)
def test_a_signal_sets_its_flag_and_wakes(wakeup, number, stop, reload):
    before = signal.getsignal(number)
    with handle_signals(wakeup) as flags:
        os.kill(os.getpid(), number)
        assert wakeup.wait(10)
        assert (flags.stop, flags.reload) == (stop, reload)
    assert signal.getsignal(number) == before


def test_a_second_request_to_stop_interrupts(wakeup):
    with handle_signals(wakeup) as flags:
        flags.handle(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            flags.handle(signal.SIGINT)
