"""Receivers are notified of what could not be read, and of series that stopped, on the second look."""

import pytest

from modeltop.core.incident import IncidentStatus
from modeltop.core.series import Condition

FINE = [0.95] * 9
BAD = 0.5


def look_twice(world):
    world.run_cycle()
    world.sleep(seconds=61)
    world.run_cycle(runs=2)


def incidents(world):
    return [
        (member.key.metric, member.condition, incident.status)
        for incident in world.alerting_state.incidents.values()
        for member in incident.members
    ]


def test_values_that_cannot_be_read_are_notified_on_the_second_look_and_resolved_by_readable_ones(rule_world):
    rule_world.rows("churn", *FINE, "n.v.")
    rule_world.run_cycle()
    assert rule_world.sent() == []
    rule_world.sleep(seconds=61)
    assert rule_world.cycle.needs_run()
    rule_world.run_cycle(runs=2)
    assert rule_world.sent() == [("trigger", "first", "churn")]
    rule_world.rows("churn", 0.95, start="2025-03-10")
    rule_world.run_cycle(runs=2)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over"]
    assert incidents(rule_world) == [("accuracy", Condition.UNREADABLE, IncidentStatus.RESOLVED)]


def test_the_message_says_what_cannot_be_read_where_and_what_to_write(rule_world):
    path = rule_world.rows("churn", *FINE, "n.v.")
    look_twice(rule_world)
    (message,) = rule_world.inboxes["ops"].received
    assert message.title.startswith("unknown churn: accuracy newest value cannot be read: column `accuracy`: `n.v.`")
    assert f"write one such as 0.95, or leave the cell empty ({path}:11)" in message.text
    (section,) = message.sections
    assert (section.value, section.limit, section.rule) == (None, None, "unreadable")


def test_it_stays_one_incident_as_more_values_cannot_be_read_and_over_a_restart(rule_world):
    rule_world.rows("churn", *FINE, "n.v.")
    look_twice(rule_world)
    for day in (11, 12):
        rule_world.rows("churn", "n.v.", start=f"2025-03-{day}")
        rule_world.restart()
        look_twice(rule_world)
    assert rule_world.sent() == [("trigger", "first", "churn")]


def test_it_inhibits_nothing(rule_world):
    path = rule_world.rows("churn", *(f"{value},1" for value in (*FINE, BAD)), metric="accuracy,f1_score")
    with path.open("a") as file:
        file.write("2025-03-11,churn\n")
    rule_world.run_cycle()
    assert rule_world.sent() == [("trigger", "first", "churn")]
    assert rule_world.inboxes["ops"].received[0].worst_section.metric == "accuracy"
    rule_world.sleep(seconds=61)
    rule_world.run_cycle()
    assert {metric for metric, *_ in incidents(rule_world)} == {"accuracy", "*"}
    rule_world.sleep(hours=4)
    rule_world.run_cycle()
    reminder = rule_world.inboxes["ops"].received[-1].worst_section
    assert [member.metric for member in reminder.members] == ["*"]


def test_a_file_that_cannot_be_opened_now_is_not_read_again(rule_world):
    path = rule_world.rows("churn", *FINE, "n.v.")
    look_twice(rule_world)
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    rule_world.run_cycle(runs=2)
    assert [entry[1] for entry in rule_world.sent()] == ["first"]
    path.rmdir()
    path.write_bytes(content.replace(b"n.v.", b"0.95"))
    rule_world.run_cycle(runs=2)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over"]


@pytest.mark.parametrize(("labels", "expected"), [("", ["first"]), (0.95, ["first", "over"])])
def test_a_metric_that_stopped_is_notified_on_the_second_look_until_its_values_come_again(rule_world, labels, expected):
    values = [f"{0.95 if day < 5 else ''},120" for day in range(9)]
    rule_world.rows("churn", *values, metric="accuracy,latency_ms")
    rule_world.run_cycle()
    assert rule_world.sent() == []
    look_twice(rule_world)
    (message,) = rule_world.inboxes["ops"].received
    assert message.title == "unknown churn: accuracy no value for 4 days, expected within 2.5 days"
    rule_world.rows("churn", f"{labels},120", start="2025-03-10")
    look_twice(rule_world)
    assert [entry[1] for entry in rule_world.sent()] == expected


def test_a_metric_that_stopped_while_its_alert_fires_keeps_the_alert(rule_world):
    values = [f"{BAD if day == 4 else 0.95 if day < 4 else ''},120" for day in range(9)]
    rule_world.rows("churn", *values, metric="accuracy,latency_ms")
    look_twice(rule_world)
    assert [entry[:2] for entry in rule_world.sent()] == [("trigger", "first")]
    assert {(metric, condition) for metric, condition, _ in incidents(rule_world)} == {
        ("accuracy", Condition.THRESHOLD),
        ("accuracy", Condition.NO_DATA),
    }
