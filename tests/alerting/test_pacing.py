"""How many messages a receiver gets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.routing import NotificationPolicy
from modeltop.alerting.throttle import PendingNotification, throttle
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.incident import NotificationKey
from modeltop.core.series import SeriesKey, Severity

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEWS = {
    "C": (NotificationAction.TRIGGER, NotificationReason.FIRST, Severity.CRITICAL),
    "W": (NotificationAction.TRIGGER, NotificationReason.ESCALATED, Severity.CRITICAL),
    "w": (NotificationAction.TRIGGER, NotificationReason.FIRST, Severity.WARNING),
    "r": (NotificationAction.TRIGGER, NotificationReason.REPEAT, Severity.CRITICAL),
    "-": (NotificationAction.RESOLVE, NotificationReason.RESOLVED, Severity.CRITICAL),
}


def letter(what, name):
    kind, reason, level = NEWS[what]
    key = NotificationKey("slack", "floor", SeriesKey(name, "accuracy"))
    return PendingNotification((Notification("slack", kind, reason, name, level, key, f"{name}{what}"),))


def messages(slots, pace, sent=0):
    """What goes out, message by message; a digest in brackets; then how much is held."""
    slots = [[letter(what, f"m{at}") for what in slot] for at, slot in enumerate(slots)]
    bundles, held = throttle("slack", slots, pace, [NOW - MINUTE] * sent, NOW)
    marks = {key: what for what, key in NEWS.items()}
    said = ["".join(marks[one.action, one.reason, one.level] for one in bundle.notifications) for bundle in bundles]
    return [f"[{text}]" if bundle.is_digest else text for text, bundle in zip(said, bundles, strict=True)], held


@pytest.mark.parametrize(
    ("slots", "pace", "sent", "out", "held"),
    [
        pytest.param(["w", "C", "-"], NotificationPolicy(), 0, ["w", "C", "-"], 0, id="three are told one by one"),
        pytest.param(["w", "C", "-", "w"], NotificationPolicy(), 0, ["wC-w"], 0, id="more become one message"),
        pytest.param(["w"] * 9, NotificationPolicy(group=0), 0, ["w"] * 9, 0, id="never, where that is configured"),
        pytest.param(
            ["w"] * 9, NotificationPolicy(exempt=True, hourly=1), 9, ["w"] * 9, 0, id="nor for who groups by itself"
        ),
        pytest.param(["w", "w"], NotificationPolicy(hourly=20), 18, ["w", "w"], 0, id="twenty an hour"),
        pytest.param(["w", "w"], NotificationPolicy(hourly=20), 19, ["[ww]"], 0, id="the last one is a digest"),
        pytest.param(["w", "-"], NotificationPolicy(hourly=20), 20, [], 2, id="then what is not critical waits"),
        pytest.param(
            ["w", "C", "r"], NotificationPolicy(hourly=20), 20, ["C"], 2, id="what is first critical never waits"
        ),
        pytest.param(["w", "W"], NotificationPolicy(hourly=20), 99, ["W"], 1, id="nor what became so"),
        pytest.param(
            ["-C", "w"],
            NotificationPolicy(hourly=20),
            20,
            ["-", "C"],
            1,
            id="what has to be said before it goes with it",
        ),
        pytest.param(
            ["C"] * 9, NotificationPolicy(hourly=20), 20, ["C" * 9], 0, id="many that may not wait are one message too"
        ),
        pytest.param(
            ["w"] * 99, NotificationPolicy(hourly=0, group=0), 99, ["w"] * 99, 0, id="no cap, where that is configured"
        ),
    ],
)
def test_messages_are_grouped_and_capped_but_nothing_critical_waits(slots, pace, sent, out, held):
    assert messages(slots, pace, sent) == (out, held)


def test_messages_of_an_hour_ago_count_no_more():
    slots = [[letter("w", "m")]]
    assert throttle("slack", slots, NotificationPolicy(hourly=1), [NOW - 60 * MINUTE], NOW)[1] == 0
    assert throttle("slack", slots, NotificationPolicy(hourly=1), [NOW - 59 * MINUTE], NOW)[1] == 1


@given(
    st.lists(st.text("CWwr-", min_size=1, max_size=3), max_size=12),
    st.builds(NotificationPolicy, group=st.integers(0, 5), hourly=st.integers(0, 5), exempt=st.booleans()),
    st.integers(0, 8),
)
def test_nothing_is_lost_or_told_twice_and_order_is_kept_within_a_series(slots, pace, sent):
    made = [[letter(what, f"m{at}") for what in slot] for at, slot in enumerate(slots)]
    bundles, held = throttle("slack", made, pace, [NOW - MINUTE] * sent, NOW)
    out = [one for bundle in bundles for one in bundle.notifications]
    assert len(out) + held == sum(map(len, slots))
    for slot in made:
        every = [one for each in slot for one in each.notifications]
        ours = [one for one in out if one.incident == every[0].incident]
        assert ours in ([], every)
        assert ours or not any(each.is_urgent for each in slot)
    if pace.hourly and not pace.exempt and not any(each.is_urgent for slot in made for each in slot):
        assert len(bundles) <= max(0, pace.hourly - sent)
