"""How many messages a receiver gets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.routing import NotificationPolicy
from modeltop.alerting.throttle import is_urgent, throttle
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.incident import NotificationKey, ReceiverState
from modeltop.core.series import Severity

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KINDS = {
    "C": (NotificationAction.TRIGGER, NotificationReason.FIRST, Severity.CRITICAL),
    "W": (NotificationAction.TRIGGER, NotificationReason.ESCALATED, Severity.CRITICAL),
    "w": (NotificationAction.TRIGGER, NotificationReason.FIRST, Severity.WARNING),
    "r": (NotificationAction.TRIGGER, NotificationReason.REPEAT, Severity.CRITICAL),
    "-": (NotificationAction.RESOLVE, NotificationReason.RESOLVED, Severity.CRITICAL),
}


def pending(char, incident):
    action, reason, level = KINDS[char]
    key = NotificationKey("slack", incident)
    return (Notification("slack", action, reason, incident, level, key, (), f"{incident}{char}"),)


def receiver(sent_at, times=1, **changes):
    return ReceiverState(NOW, recent_sends=(sent_at,) * times, **changes)


def messages(queues, policy, sent=0):
    """What goes out, message by message; a digest in brackets."""
    queues = [[pending(char, f"m{index}") for char in queue] for index, queue in enumerate(queues)]
    batches = throttle("slack", queues, policy, receiver(NOW - MINUTE, sent), NOW)
    chars = {kind: char for char, kind in KINDS.items()}
    texts = [
        "".join(
            chars[notification.action, notification.reason, notification.level] for notification in batch.notifications
        )
        for batch in batches
    ]
    return [f"[{text}]" if batch.is_digest else text for text, batch in zip(texts, batches, strict=True)]


CAPPED = NotificationPolicy(hourly=20)


@pytest.mark.parametrize(
    ("queues", "policy", "sent", "expected"),
    [
        pytest.param(["w", "C", "-"], NotificationPolicy(), 0, ["w", "C", "-"], id="three are sent one by one"),
        pytest.param(["w", "C", "-", "w"], NotificationPolicy(), 0, ["wC-w"], id="more become one message"),
        pytest.param(["w"] * 9, NotificationPolicy(group=0), 0, ["w"] * 9, id="never, where that is configured"),
        pytest.param(
            ["w"] * 9, NotificationPolicy(exempt=True, hourly=1), 9, ["w"] * 9, id="nor for a receiver that groups"
        ),
        pytest.param(["w", "w"], CAPPED, 18, ["w", "w"], id="twenty an hour"),
        pytest.param(["w", "w"], CAPPED, 19, ["[ww]"], id="the last one is a digest"),
        pytest.param(["w", "-"], CAPPED, 20, [], id="then what is not critical waits"),
        pytest.param(["w", "C", "r"], CAPPED, 20, ["C"], id="what is first critical never waits"),
        pytest.param(["w", "W"], CAPPED, 99, ["W"], id="nor what became critical"),
        pytest.param(["-C", "w"], CAPPED, 20, ["-", "C"], id="what precedes it in its series goes with it"),
        pytest.param(["C"] * 9, CAPPED, 20, ["C" * 9], id="many that may not wait are one message too"),
        pytest.param(
            ["w"] * 99, NotificationPolicy(hourly=0, group=0), 99, ["w"] * 99, id="no cap, where that is configured"
        ),
    ],
)
def test_messages_are_grouped_and_capped_but_nothing_critical_waits(queues, policy, sent, expected):
    assert messages(queues, policy, sent) == expected


def test_messages_of_an_hour_ago_count_no_more():
    queues, policy = [[pending("w", "m")]], NotificationPolicy(hourly=1)
    assert len(throttle("slack", queues, policy, receiver(NOW - 60 * MINUTE), NOW)) == 1
    assert throttle("slack", queues, policy, receiver(NOW - 59 * MINUTE), NOW) == ()


@pytest.mark.parametrize("policy", [NotificationPolicy(), NotificationPolicy(group=0, hourly=0), CAPPED])
def test_a_disabled_receiver_is_probed_with_one_message_of_everything(policy):
    queues = [[pending("w", f"m{index}")] for index in range(9)]
    (batch,) = throttle("slack", queues, policy, receiver(NOW, 20, disabled_reason="answered 404"), NOW)
    assert (len(batch.notifications), batch.is_digest) == (9, False)


def test_after_a_rejected_group_each_alert_is_sent_by_itself_and_a_probe_carries_one():
    queues = [[pending("w", f"m{index}")] for index in range(9)]
    apart = receiver(NOW, send_apart=True)
    assert [len(batch.notifications) for batch in throttle("slack", queues, CAPPED, apart, NOW)] == [1] * 9
    disabled = replace(apart, disabled_reason="answered 413")
    assert [len(batch.notifications) for batch in throttle("slack", queues, CAPPED, disabled, NOW)] == [1]


@given(
    st.lists(st.text("CWwr-", min_size=1, max_size=3), max_size=12),
    st.builds(NotificationPolicy, group=st.integers(0, 5), hourly=st.integers(0, 5), exempt=st.booleans()),
    st.integers(0, 8),
)
def test_nothing_is_sent_twice_or_out_of_order_within_a_series(texts, policy, sent):
    queues = [[pending(char, f"m{index}") for char in text] for index, text in enumerate(texts)]
    batches = throttle("slack", queues, policy, receiver(NOW - MINUTE, sent), NOW)
    out = [notification for batch in batches for notification in batch.notifications]
    for queue in queues:
        expected = [notification for entry in queue for notification in entry]
        of_series = [notification for notification in out if notification.incident == expected[0].incident]
        assert of_series in ([], expected)
        assert of_series or not any(map(is_urgent, queue))
    if policy.hourly and not policy.exempt and not any(is_urgent(entry) for queue in queues for entry in queue):
        assert len(batches) <= max(0, policy.hourly - sent)


def test_models_that_got_worse_together_share_a_message_and_the_others_do_not():
    queues = [[pending("C", model)] for model in ("a", "b", "c")]
    batches = throttle("slack", queues, NotificationPolicy(), receiver(NOW), NOW, {"a", "c"})
    assert [[one.incident for one in batch.notifications] for batch in batches] == [["a", "c"], ["b"]]
    exempt = throttle("slack", queues, NotificationPolicy(exempt=True), receiver(NOW), NOW, {"a", "c"})
    assert len(exempt) == 3
