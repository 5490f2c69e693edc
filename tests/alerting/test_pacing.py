"""How many messages a receiver gets."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.routing import Pace
from modeltop.alerting.throttle import Letter, paced
from modeltop.core.event import Delivery, Kind, Reason
from modeltop.core.incident import BeliefKey
from modeltop.core.series import SeriesKey, Severity

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEWS = {
    "C": (Kind.TRIGGER, Reason.FIRST, Severity.CRITICAL),
    "W": (Kind.TRIGGER, Reason.WORSE, Severity.CRITICAL),
    "w": (Kind.TRIGGER, Reason.FIRST, Severity.WARNING),
    "r": (Kind.TRIGGER, Reason.REPEAT, Severity.CRITICAL),
    "-": (Kind.RESOLVE, Reason.OVER, Severity.CRITICAL),
}


def letter(what, name):
    kind, reason, level = NEWS[what]
    key = BeliefKey("slack", "floor", SeriesKey(name, "accuracy"))
    return Letter((Delivery("slack", kind, reason, name, level, key, f"{name}{what}"),))


def messages(slots, pace, sent=0):
    """What goes out, message by message; a digest in brackets; then how much is held."""
    slots = [[letter(what, f"m{at}") for what in slot] for at, slot in enumerate(slots)]
    bundles, held = paced("slack", slots, pace, [NOW - MINUTE] * sent, NOW)
    marks = {key: what for what, key in NEWS.items()}
    said = ["".join(marks[one.kind, one.reason, one.level] for one in bundle.deliveries) for bundle in bundles]
    return [f"[{text}]" if bundle.digest else text for text, bundle in zip(said, bundles, strict=True)], held


@pytest.mark.parametrize(
    ("slots", "pace", "sent", "out", "held"),
    [
        pytest.param(["w", "C", "-"], Pace(), 0, ["w", "C", "-"], 0, id="three are told one by one"),
        pytest.param(["w", "C", "-", "w"], Pace(), 0, ["wC-w"], 0, id="more become one message"),
        pytest.param(["w"] * 9, Pace(group=0), 0, ["w"] * 9, 0, id="never, where that is configured"),
        pytest.param(["w"] * 9, Pace(exempt=True, hourly=1), 9, ["w"] * 9, 0, id="nor for who groups by itself"),
        pytest.param(["w", "w"], Pace(hourly=20), 18, ["w", "w"], 0, id="twenty an hour"),
        pytest.param(["w", "w"], Pace(hourly=20), 19, ["[ww]"], 0, id="the last one is a digest"),
        pytest.param(["w", "-"], Pace(hourly=20), 20, [], 2, id="then what is not critical waits"),
        pytest.param(["w", "C", "r"], Pace(hourly=20), 20, ["C"], 2, id="what is first critical never waits"),
        pytest.param(["w", "W"], Pace(hourly=20), 99, ["W"], 1, id="nor what became so"),
        pytest.param(["-C", "w"], Pace(hourly=20), 20, ["-", "C"], 1, id="what has to be said before it goes with it"),
        pytest.param(["C"] * 9, Pace(hourly=20), 20, ["C" * 9], 0, id="many that may not wait are one message too"),
        pytest.param(["w"] * 99, Pace(hourly=0, group=0), 99, ["w"] * 99, 0, id="no cap, where that is configured"),
    ],
)
def test_messages_are_grouped_and_capped_but_nothing_critical_waits(slots, pace, sent, out, held):
    assert messages(slots, pace, sent) == (out, held)


def test_messages_of_an_hour_ago_count_no_more():
    slots = [[letter("w", "m")]]
    assert paced("slack", slots, Pace(hourly=1), [NOW - 60 * MINUTE], NOW)[1] == 0
    assert paced("slack", slots, Pace(hourly=1), [NOW - 59 * MINUTE], NOW)[1] == 1


@given(
    st.lists(st.text("CWwr-", min_size=1, max_size=3), max_size=12),
    st.builds(Pace, group=st.integers(0, 5), hourly=st.integers(0, 5), exempt=st.booleans()),
    st.integers(0, 8),
)
def test_nothing_is_lost_or_told_twice_and_order_is_kept_within_a_series(slots, pace, sent):
    made = [[letter(what, f"m{at}") for what in slot] for at, slot in enumerate(slots)]
    bundles, held = paced("slack", made, pace, [NOW - MINUTE] * sent, NOW)
    out = [one for bundle in bundles for one in bundle.deliveries]
    assert len(out) + held == sum(map(len, slots))
    for slot in made:
        every = [one for each in slot for one in each.deliveries]
        ours = [one for one in out if one.incident == every[0].incident]
        assert ours in ([], every)
        assert ours or not any(each.urgent for each in slot)
    if pace.hourly and not pace.exempt and not any(each.urgent for slot in made for each in slot):
        assert len(bundles) <= max(0, pace.hourly - sent)
