"""The reconciler against the specification's own ten lines, for a receiver that always works and is never capped."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.event import NotificationReason
from modeltop.core.series import Severity

HOUR = timedelta(hours=1)
OK = Severity.OK
NAMES = {NotificationReason.FIRST: "first", NotificationReason.ESCALATED: "worse", NotificationReason.REPEAT: "repeat"}


def by_the_book(belief, incident, now, *, suppressed, acked):
    """What is said of one rule and series: (messages, belief) with a belief of [incident, level, at]."""
    said = []
    name, level = (incident.id, incident.level) if incident else (None, OK)
    b = list(belief)
    if b[1] > 0 and (level == 0 or name != b[0]):
        said.append(("RESOLVE", b[0]))
        b = [b[0], OK, now]
    if level > 0 and not suppressed:
        if b[1] == 0:
            said.append(("first", name))
            b = [name, level, now]
        elif level > b[1]:
            said.append(("worse", name))
            b = [name, level, now]
        elif level < b[1]:
            b[1] = level
        elif not acked and now - b[2] >= 4 * HOUR:
            said.append(("repeat", name))
            b = [name, level, now]
    return said, b


@given(data=st.data())
def test_a_receiver_is_told_what_the_book_says(world, live, happenings, data):
    kinds = [happenings[kind] for kind in ("steps", "silences", "acks")]
    here, beliefs = world({"slack": NotificationPolicy(group=0, hourly=0)}), {}
    for step in data.draw(st.lists(st.one_of(st.just(("look",)), *kinds), max_size=40)):
        if step != ("look",):
            live(here, [step])
            continue
        here.follow()
        expected = whole_look(here, beliefs)
        # What is told late is not in the book's ten lines, and leaves the belief that nothing fires.
        told = [one for one in here.deliver() if one.reason is not NotificationReason.MISSED]
        assert sorted((NAMES.get(one.reason, "RESOLVE"), one.incident) for one in told) == expected


def whole_look(here, beliefs):
    """What the book says of all that is open or believed."""
    current = {one.key: one for one in here.open_incidents()}
    hushed = any(one.active(here.now) for one in here.facts.silences)
    acked = {one.incident for one in here.facts.acks if here.now < one.until}
    said = []
    for key in current.keys() | beliefs.keys():
        one, before = current.get(key), beliefs.get(key, [None, OK, None])
        found, beliefs[key] = by_the_book(before, one, here.now, suppressed=hushed, acked=bool(one) and one.id in acked)
        said += found
    return sorted(said)
