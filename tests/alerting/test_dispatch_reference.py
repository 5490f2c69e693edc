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


def reference(last_notified, incident, now, *, suppressed, acked):
    """What is said of one rule and series: (messages, belief) with a belief of [incident, level, at]."""
    messages = []
    name, level = (incident.id, incident.level) if incident else (None, OK)
    entry = list(last_notified)
    if entry[1] > 0 and (level == 0 or name != entry[0]):
        messages.append(("RESOLVE", entry[0]))
        entry = [entry[0], OK, now]
    if level > 0 and not suppressed:
        if entry[1] == 0:
            messages.append(("first", name))
            entry = [name, level, now]
        elif level > entry[1]:
            messages.append(("worse", name))
            entry = [name, level, now]
        elif level < entry[1]:
            entry[1] = level
        elif not acked and now - entry[2] >= 4 * HOUR:
            messages.append(("repeat", name))
            entry = [name, level, now]
    return messages, entry


@given(data=st.data())
def test_a_receiver_is_sent_what_the_reference_says(new_world, simulate, strategies, data):
    kinds = [strategies[kind] for kind in ("steps", "silences", "acks")]
    world, entries = new_world({"slack": NotificationPolicy(group=0, hourly=0)}), {}
    for step in data.draw(st.lists(st.one_of(st.just(("run_cycle",)), *kinds), max_size=40)):
        if step != ("run_cycle",):
            simulate(world, [step])
            continue
        world.track()
        expected = reference_cycle(world, entries)
        # What is told late is not in the book's ten lines, and leaves the belief that nothing fires.
        sent = [
            notification for notification in world.deliver() if notification.reason is not NotificationReason.MISSED
        ]
        assert (
            sorted((NAMES.get(notification.reason, "RESOLVE"), notification.incident) for notification in sent)
            == expected
        )


def reference_cycle(world, entries):
    """What the book says of all that is open or believed."""
    current = {incident.key: incident for incident in world.open_incidents()}
    suppressed = any(silence.active(world.now) for silence in world.state.silences)
    acked = {ack.incident for ack in world.state.acks if world.now < ack.until}
    messages = []
    for key in current.keys() | entries.keys():
        incident, before = current.get(key), entries.get(key, [None, OK, None])
        sent_here, entries[key] = reference(
            before, incident, world.now, suppressed=suppressed, acked=bool(incident) and incident.id in acked
        )
        messages += sent_here
    return sorted(messages)
