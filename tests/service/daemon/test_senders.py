"""A receiver that hangs or fails keeps no other waiting; each is told in order."""

import threading

import pytest

from modeltop.core.errors import NotifyError
from modeltop.service.sender_threads import QueuedMessage, SenderPool, try_send
from modeltop.service.wakeup import WakeupPipe


class Receiver:
    """Takes what it is sent, once its gate is open."""

    def __init__(self, *answers, gate=None):
        self.answers, self.gate, self.got = list(answers), gate, []

    def send(self, message):
        if self.gate:
            assert self.gate.wait(10)
        self.got.append(message)
        if self.answers and (answer := self.answers.pop(0)):
            raise answer


@pytest.fixture
def bell():
    bell = WakeupPipe()
    yield bell
    bell.close()


@pytest.fixture
def senders(bell):
    senders = SenderPool(bell.wake)
    yield senders
    senders.stop()


def row(*messages):
    return [QueuedMessage((message,), message) for message in messages]


def collect(senders, bell, *receivers):
    found = []
    for _ in range(100):
        found += senders.take_results()
        if not senders.busy_receivers() & set(receivers):
            return found
        bell.wait(1)
    raise TimeoutError


def test_a_row_is_sent_in_order_and_every_outcome_is_told(senders, bell):
    receiver = Receiver()
    senders.send("a", receiver, row("1", "2", "3"))
    outcomes = collect(senders, bell, "a")
    assert receiver.got == ["1", "2", "3"]
    assert [(one.notifications, one.error) for one in outcomes] == [((n,), None) for n in "123"]


def test_one_that_hangs_keeps_no_other_waiting(senders, bell):
    gate = threading.Event()
    slow, quick = Receiver(gate=gate), Receiver()
    senders.send("slow", slow, row("1"))
    senders.send("quick", quick, row("2"))
    assert [one.receiver for one in collect(senders, bell, "quick")] == ["quick"]
    assert senders.busy_receivers() == {"slow"}
    gate.set()
    assert [one.receiver for one in collect(senders, bell, "slow")] == ["slow"]


def test_after_a_failure_nothing_overtakes_what_failed(senders, bell):
    failure = NotifyError("503", retry_after=3)
    receiver = Receiver(None, failure)
    senders.send("a", receiver, row("1", "2", "3"))
    outcomes = collect(senders, bell, "a")
    assert receiver.got == ["1", "2"]
    assert [one.error for one in outcomes] == [None, failure]
    senders.send("a", receiver, row("2"))
    assert [one.error for one in collect(senders, bell, "a")] == [None]


def test_a_second_row_before_the_first_has_ended_is_refused(senders, bell):
    gate = threading.Event()
    senders.send("a", Receiver(gate=gate), row("1"))
    with pytest.raises(RuntimeError, match="one queue at a time"):
        senders.send("a", Receiver(), row("2"))
    gate.set()
    collect(senders, bell, "a")


def test_stopping_lets_the_message_at_hand_end_and_begins_no_other(senders, bell):
    gate = threading.Event()
    receiver = Receiver(gate=gate)
    senders.send("a", receiver, row("1", "2"))
    senders.stop()
    gate.set()
    collect(senders, bell, "a")
    assert receiver.got in ([], ["1"])


def test_threads_of_receivers_that_are_gone_end(senders, bell):
    before = threading.active_count()
    for name in ("a", "b"):
        senders.send(name, Receiver(), row("1"))
        collect(senders, bell, name)
    senders.retain({"b"})
    for _ in range(200):
        if threading.active_count() == before + 1:
            return
        bell.wait(0.05)
    pytest.fail("a thread too many")


def test_an_error_that_is_not_ours_may_pass_and_its_text_is_not_repeated():
    error = try_send(Receiver(ValueError("https://hooks.test/secret")), "1")
    assert not error.permanent
    assert "secret" not in str(error)
    assert "ValueError" in str(error)
