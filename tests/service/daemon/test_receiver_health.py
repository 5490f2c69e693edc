"""Backoff: full jitter from a second to five minutes, after the Retry-After of the receiver."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.incident import ReceiverState
from modeltop.service.receiver_health import Backoff, after_permanent_failure, after_success

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
    disabled = after_permanent_failure(failing, "410")
    assert (disabled.failures, disabled.retry_at, disabled.disabled_reason) == (2, None, "410")
    assert after_success(disabled) == FRESH
