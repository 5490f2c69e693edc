"""The reconciler against the specification's own ten lines, for a receiver that always works and is never capped."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.routing import NotificationPolicy
from modeltop.alerting.suppression import acknowledged_incidents
from modeltop.core.event import NotificationReason
from modeltop.core.series import Severity

HOUR = timedelta(hours=1)
OK = Severity.OK
NAMES = {NotificationReason.FIRST: "first", NotificationReason.ESCALATED: "worse", NotificationReason.REPEAT: "repeat"}
NAMES[NotificationReason.JOINED] = "joined"


def reference(last_notified, incident, now, *, suppressed, acked):
    """What is sent about one model: (messages, entry) with an entry of [incident, level, at, members, joined at]."""
    messages = []
    name, true = (incident.id, incident.level) if incident else (None, OK)
    send = OK if suppressed else true
    entry = list(last_notified)
    if entry[1] > 0 and (true == 0 or name != entry[0]):
        messages.append(("RESOLVE", entry[0]))
        entry = [entry[0], OK, now, (), None]
    if not incident:
        return messages, entry
    entry[1] = min(entry[1], true)
    late = [one for one in incident.active_members if one.key not in entry[3] and incident.joined_late(one)]
    reason = None
    if send > entry[1]:
        reason = "worse" if entry[1] else "first"
    elif send and late and not acked and (entry[4] is None or now - entry[4] >= HOUR):
        reason = "joined"
    elif send and not acked and now - entry[2] >= 4 * HOUR:
        reason = "repeat"
    if reason:
        messages.append((reason, name))
        joined_at = now if reason == "joined" else entry[4] if entry[0] == name else None
        entry = [name, send, now, [one.key for one in incident.active_members], joined_at]
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
    current = {incident.model: incident for incident in world.open_incidents()}
    suppressed = any(silence.active(world.now) for silence in world.state.silences)
    acked = acknowledged_incidents(world.state, world.now)
    messages = []
    for key in current.keys() | entries.keys():
        incident, before = current.get(key), entries.get(key, [None, OK, None, (), None])
        sent_here, entries[key] = reference(
            before, incident, world.now, suppressed=suppressed, acked=bool(incident) and incident.id in acked
        )
        messages += sent_here
    return sorted(messages)
