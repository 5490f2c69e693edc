"""One overnight fall of a model is one incident everywhere, and a second fault weeks later is notified."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.notifiers.pagerduty import events
from modeltop.alerting.routing import NotificationPolicy
from modeltop.alerting.suppression import acknowledged_alerts
from modeltop.alerting.timeline import build_timeline
from modeltop.core.incident import IncidentStatus
from modeltop.report.text_report import text_summary
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule

METRICS = ("accuracy", "precision", "recall", "f1_score", "balanced_accuracy")
SEGMENTS = ("region=eu", "region=us", "region=asia")
LATE_METRIC = "roc_auc"
DAYS = 15
RULE = Rule("floor", Threshold(critical=Limit(below=0.9)), "*", segment="*")


@pytest.fixture
def overnight(world):
    """A model whose metrics all fall on its last day, over all rows and in three segments."""
    world.receivers("ops", policy=NotificationPolicy(repeat=None))
    world.config = replace(world.config, rules=(RULE,))
    world.wall = datetime.fromisoformat("2025-03-15T06:00:00+00:00")
    for day in range(DAYS - 1):
        report(world, day, 0.95)
    report(world, DAYS - 1, 0.80)
    world.run_cycle(runs=2)
    return world


def report(world, day, level, late_level=0.95):
    """Append a day's rows: five metrics over all rows and one in each segment; another metric on its own level."""
    path, date = world.store / "triage.csv", datetime.fromisoformat("2025-03-01") + timedelta(days=day)
    if not path.exists():
        path.write_text(f"date,model,segment,{','.join(METRICS)},{LATE_METRIC}\n")
    lines = [f"{date:%Y-%m-%d},triage,all,{','.join([str(level)] * len(METRICS))},{late_level}\n"]
    lines += [f"{date:%Y-%m-%d},triage,{segment},{level},,,,,\n" for segment in SEGMENTS]
    with path.open("a") as file:
        file.write("".join(lines))


def snapshot_of(world):
    return world.cycle.last_result.snapshot


def test_it_is_one_message_about_all_eight_alerts(overnight):
    (message,) = overnight.inboxes["ops"].received
    (section,) = message.sections
    assert (section.model, section.metric, section.segment, len(section.members)) == ("triage", "accuracy", "all", 7)
    assert message.title.startswith("critical triage: accuracy 0.800 < 0.90 and 7 more")


def test_it_is_one_incident_in_pagerduty(overnight):
    (message,) = overnight.inboxes["ops"].received
    (event,) = events(message, "routing-key")
    assert event["dedup_key"] == f"modeltop:{snapshot_of(overnight).incident_of('triage').id}"
    assert "precision 0.800 < 0.90" in event["payload"]["custom_details"]["also"]


def test_it_is_one_row_of_check(overnight):
    rows = [line for line in text_summary(snapshot_of(overnight)) if line.startswith(("▲", "◆", "○"))]
    assert len(rows) == 1
    assert rows[0].startswith("▲ critical triage: ")


def test_one_acknowledgement_is_of_all_of_it(overnight):
    snapshot = snapshot_of(overnight)
    (incident,) = actions.resolve_target("triage", snapshot)
    given = {"by": "ann", "reason": "rolling back", "now": overnight.wall, "duration": timedelta(days=30)}
    EventLog(overnight.state).update(lambda state: actions.acknowledge(state, incident, snapshot.alerts, **given))
    active = {alert.id for alert in snapshot.alerts if alert.is_active}
    assert len(active) == 8
    acks = acknowledged_alerts(snapshot.incidents, snapshot.alerts, overnight.alerting_state, overnight.wall)
    assert acks.keys() == active


def test_a_second_fault_three_weeks_into_it_is_notified_though_it_was_acknowledged_and_the_story_tells_all(overnight):
    test_one_acknowledgement_is_of_all_of_it(overnight)
    for day in range(DAYS, DAYS + 21):
        overnight.sleep(days=1)
        report(overnight, day, 0.80)
        overnight.run_cycle()
    assert len(overnight.inboxes["ops"].received) == 1
    overnight.sleep(days=1)
    report(overnight, DAYS + 21, 0.80, late_level=0.6)
    overnight.run_cycle(runs=2)
    _, second = overnight.inboxes["ops"].received
    assert (second.worst_section.reason.value, len(second.worst_section.members)) == ("joined", 8)
    assert second.title.startswith(f"critical (new alert) triage: {LATE_METRIC} 0.600 < 0.90 and 8 more")
    assert second.text.splitlines()[0] == f"New alerts: {LATE_METRIC} 0.600 < 0.90."
    for day in range(DAYS + 22, DAYS + 24):
        overnight.sleep(days=1)
        report(overnight, day, 0.95)
        overnight.run_cycle(runs=2)
    (incident,) = overnight.alerting_state.incidents.values()
    assert incident.status is IncidentStatus.RESOLVED
    (story,) = build_timeline(EventLog(overnight.state).events(), "triage").incidents
    happened = [entry.event for entry in story.entries]
    assert happened == ["fired", "notified", "acknowledged", "joined", "ack-ended", "notified", "resolved", "notified"]
    assert story.entries[3].text == f"{LATE_METRIC} 0.600 < 0.90"


def test_a_restart_tells_nothing_again(overnight):
    overnight.restart()
    overnight.run_cycle(runs=2)
    assert len(overnight.inboxes["ops"].received) == 1
