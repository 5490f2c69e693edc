"""A receiver that hangs or fails delays no other; each is sent its messages in order."""

import threading

import pytest

from modeltop.core.errors import NotifyError
from modeltop.service.sender_threads import QueuedMessage, SenderPool, try_send
from modeltop.service.wakeup import WakeupPipe


class Receiver:
    """Accepts messages once its gate is open."""

    def __init__(self, *responses, gate=None):
        self.responses, self.gate, self.received = list(responses), gate, []

    def send(self, message):
        if self.gate:
            assert self.gate.wait(10)
        self.received.append(message)
        if self.responses and (answer := self.responses.pop(0)):
            raise answer


@pytest.fixture
def wakeup():
    wakeup = WakeupPipe()
    yield wakeup
    wakeup.close()


@pytest.fixture
def pool(wakeup):
    pool = SenderPool(wakeup.wake)
    yield pool
    pool.stop()


def queued(*messages):
    return [QueuedMessage((message,), message) for message in messages]


def collect(pool, wakeup, *receivers):
    results = []
    for _ in range(100):
        results += pool.take_results()
        if not pool.busy_receivers() & set(receivers):
            return results
        wakeup.wait(1)
    raise TimeoutError


def test_a_queue_is_sent_in_order_and_every_result_is_returned(pool, wakeup):
    receiver = Receiver()
    pool.send("a", receiver, queued("1", "2", "3"))
    outcomes = collect(pool, wakeup, "a")
    assert receiver.received == ["1", "2", "3"]
    assert [(result.notifications, result.error) for result in outcomes] == [((n,), None) for n in "123"]


def test_a_receiver_that_hangs_delays_no_other(pool, wakeup):
    gate = threading.Event()
    slow, quick = Receiver(gate=gate), Receiver()
    pool.send("slow", slow, queued("1"))
    pool.send("quick", quick, queued("2"))
    assert [result.receiver for result in collect(pool, wakeup, "quick")] == ["quick"]
    assert pool.busy_receivers() == {"slow"}
    gate.set()
    assert [result.receiver for result in collect(pool, wakeup, "slow")] == ["slow"]


def test_after_a_failure_nothing_overtakes_what_failed(pool, wakeup):
    failure = NotifyError("503", retry_after=3)
    receiver = Receiver(None, failure)
    pool.send("a", receiver, queued("1", "2", "3"))
    outcomes = collect(pool, wakeup, "a")
    assert receiver.received == ["1", "2"]
    assert [result.error for result in outcomes] == [None, failure]
    pool.send("a", receiver, queued("2"))
    assert [result.error for result in collect(pool, wakeup, "a")] == [None]


def test_a_second_queue_before_the_first_has_ended_is_refused(pool, wakeup):
    gate = threading.Event()
    pool.send("a", Receiver(gate=gate), queued("1"))
    with pytest.raises(RuntimeError, match="one queue at a time"):
        pool.send("a", Receiver(), queued("2"))
    gate.set()
    collect(pool, wakeup, "a")


def test_stop_finishes_the_current_message_and_starts_no_other(pool, wakeup):
    gate = threading.Event()
    receiver = Receiver(gate=gate)
    pool.send("a", receiver, queued("1", "2"))
    pool.stop()
    gate.set()
    collect(pool, wakeup, "a")
    assert receiver.received in ([], ["1"])


def test_threads_of_removed_receivers_end(pool, wakeup):
    before = threading.active_count()
    for name in ("a", "b"):
        pool.send(name, Receiver(), queued("1"))
        collect(pool, wakeup, name)
    pool.retain({"b"})
    for _ in range(200):
        if threading.active_count() <= before + 1:
            break
        wakeup.wait(0.05)
    assert threading.active_count() == before + 1


def test_an_unexpected_error_is_temporary_and_its_text_is_not_quoted():
    error = try_send(Receiver(ValueError("https://hooks.test/secret")), "1")
    assert not error.permanent
    assert "secret" not in str(error)
    assert "ValueError" in str(error)
