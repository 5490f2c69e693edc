"""Backoff: full jitter from a second to five minutes, after the Retry-After of the receiver."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.state import reenabled
from modeltop.core.incident import AlertingState, ReceiverState
from modeltop.service.receiver_health import (
    Backoff,
    after_permanent_failure,
    after_rejection,
    any_reachable,
    disabled_receivers,
    failing_receivers,
)

NOW = datetime(2025, 3, 1, tzinfo=UTC)
FRESH = ReceiverState(NOW, settings_fingerprint="abc")


@pytest.mark.parametrize(
    ("failures", "retry_after", "low", "high"),
    [
        pytest.param(1, None, 0, 1, id="at most a second after the first"),
        pytest.param(2, None, 0, 2, id="doubled"),
        pytest.param(9, None, 0, 256, id="and doubled"),
        pytest.param(10, None, 0, 300, id="up to five minutes"),
        pytest.param(100_000, None, 0, 300, id="however often it failed"),
        pytest.param(1, 30, 30, 31, id="never before the receiver said"),
        pytest.param(1, -5, 0, 1, id="a moment in the past is now"),
        pytest.param(1, 1e9, 3600, 3601, id="an hour at most is granted"),
    ],
)
def test_the_delay_lies_between(failures, retry_after, low, high):
    backoff = Backoff()
    assert backoff.delay(failures, retry_after=retry_after, random=lambda: 0.0) == low
    assert backoff.delay(failures, retry_after=retry_after, random=lambda: 1.0) == high


def test_a_receiver_is_disabled_and_recovers():
    failing = replace(FRESH, failures=1, retry_at=NOW + timedelta(seconds=4), error="503")
    disabled = after_permanent_failure(failing, "410", NOW)
    assert (disabled.failures, disabled.retry_at, disabled.disabled_reason) == (2, NOW + timedelta(minutes=1), "410")
    assert reenabled(disabled, NOW) == replace(FRESH, recovered_at=NOW)


def test_a_disabled_receiver_is_probed_after_1_5_and_30_minutes_then_hourly():
    state, waits = FRESH, []
    for _ in range(6):
        state = after_permanent_failure(state, "404", NOW)
        waits.append((state.retry_at - NOW) / timedelta(minutes=1))
    assert waits == [1, 5, 30, 60, 60, 60]


def test_a_rejected_message_leaves_the_receiver_in_use():
    state = after_rejection(FRESH, "answered 413")
    assert (state.rejections, state.failures, state.disabled_reason, state.retry_at) == (1, 0, None, None)
    assert reenabled(state, NOW) == FRESH


def test_failing_receivers_are_reported_and_one_shot_runs_report_all_of_them():
    failing = replace(FRESH, failures=1, retry_at=NOW + timedelta(seconds=4), error="answered 503")
    states = {"a": after_permanent_failure(FRESH, "answered 404", NOW), "b": failing}
    state, pending = AlertingState(receivers=states), {"a": 2, "b": 1}
    clause = "answered 404; 2 alerts not delivered; next attempt 1 Mar 00:01 UTC"
    assert disabled_receivers(states, state, pending) == {"a": clause}
    assert failing_receivers(states, state, pending, one_shot=False) is None
    assert failing_receivers(states, state, pending, one_shot=True) == (
        f"a fails: {clause}; b has failed 1 time in a row: answered 503; 1 alert not delivered"
    )
    dropped = AlertingState(receivers={"a": after_rejection(FRESH, "answered 413")})
    text = "a rejected a message, which was dropped: answered 413"
    assert failing_receivers(["a"], dropped, {}, one_shot=False) == text


def test_a_receiver_is_reachable_unless_it_is_disabled_or_fails_and_something_is_to_be_sent_to_it():
    disabled = AlertingState(receivers={"a": after_permanent_failure(FRESH, "answered 404", NOW)})
    assert not any_reachable(["a"], disabled, {})
    assert any_reachable(["a", "new"], disabled, {})
    assert any_reachable([], AlertingState(), {})
    failing = AlertingState(receivers={"a": replace(FRESH, failures=1, error="answered 503")})
    assert not any_reachable(["a"], failing, {"a": 1})
    assert any_reachable(["a"], failing, {})
    assert any_reachable(["a"], AlertingState(receivers={"a": after_rejection(FRESH, "answered 413")}), {})
