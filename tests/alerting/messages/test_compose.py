"""What a message says: read as whoever is woken by it reads it, on a phone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.incidents import EvaluationScope, track_incidents
from modeltop.alerting.messages.compose import build_recovery_message, build_test_message, compose
from modeltop.alerting.messages.sparkline import sparkline
from modeltop.alerting.messages.template import in_utc
from modeltop.alerting.state import apply_events
from modeltop.config.load import Config
from modeltop.core.event import Notification, NotificationAction, NotificationReason
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    IncidentStatus,
    Member,
    NotificationKey,
    TrackedIncident,
)
from modeltop.core.series import Condition, SeriesKey, Severity, State
from modeltop.core.text import BLOCKS, block_characters, display_width, to_encoding
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.rules.defaults import Defaults
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.service.pipeline import Pipeline

NIGHT = datetime(2025, 1, 9, 2, 0, tzinfo=UTC)
RULE = Rule(
    "accuracy-floor",
    Threshold(warn=Limit(below=0.92), critical=Limit(below=0.90)),
    "accuracy",
    runbook="https://wiki.test/accuracy",
)


@pytest.fixture
def observed(tmp_path):
    """A look at these values, one every ten minutes from 02:00 on, of this model."""

    def look(*values, model="fraud-detector", now=None, rules=(RULE,)):
        path = tmp_path / "history.csv"
        rows = (f"{NIGHT + timedelta(minutes=10 * at):%Y-%m-%dT%H:%M:%SZ},{value}" for at, value in enumerate(values))
        name = '"' + model.replace('"', '""') + '"'
        lines = ["date,model,count,accuracy", *(row.replace(",", f",{name},1200,") for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
        return Pipeline(Config(rules=rules), [Path(path)], now=now).run(NIGHT + timedelta(hours=3))

    return look


def incident_of(snapshot, **changes):
    """The incident that the newest alert of a snapshot is, and the facts that hold it."""
    alert = max((alert for alert in snapshot.alerts if alert.state is not State.PENDING), key=lambda alert: alert.since)
    about = alert.id, alert.rule, alert.key, alert.condition, alert.severity, alert.since, alert.fired, alert.resolved
    incident = TrackedIncident(
        id=alert.id,
        model=alert.key.model,
        members=(Member(*about),),
        lead=alert.id,
        started_at=alert.since,
        gap_seconds=600,
        level=alert.severity,
        peak_severity=alert.worst_breach.severity,
        opened_at=NIGHT + timedelta(hours=1),
        resolved_at=alert.resolved,
    )
    incident = replace(incident, **changes)
    return incident, AlertingState(incidents={incident.id: incident})


def notification_of(incident, kind=NotificationAction.TRIGGER, reason=NotificationReason.FIRST):
    belief = NotificationKey("ops", incident.model)
    members = tuple(member.key for member in incident.members)
    key = f"{incident.id}:{kind.value}:{reason.value}"
    return Notification("ops", kind, reason, incident.id, incident.level, belief, members, key)


def renamed(incident, model, **changes):
    """The same incident of another model."""
    members = [replace(one, key=one.key._replace(model=model), **changes) for one in incident.members]
    return replace(incident, model=model, members=tuple(members))


def test_a_message_carries_the_other_alerts_of_the_incident(tmp_path):
    rows = "".join(f"2025-01-{day:02},0.95,0.93,0.91\n" for day in range(1, 21)) + "2025-01-21,0.70,0.60,0.50\n"
    path = tmp_path / "triage.csv"
    path.write_text("date,accuracy,f1_score,recall\n" + rows)
    rules = tuple(
        Rule(f"{name}-floor", Threshold(critical=Limit(below=0.9)), name) for name in ("accuracy", "f1_score", "recall")
    )
    snapshot = Pipeline(Config(rules=rules, defaults=Defaults(drop=False)), [path]).run(NIGHT + timedelta(days=30))
    (incident,) = snapshot.incidents
    (event,) = track_incidents(
        snapshot.incidents,
        snapshot.alerts,
        AlertingState(),
        NIGHT,
        scope=EvaluationScope.from_statuses(snapshot.history, snapshot.rule_statuses, snapshot.rules),
        previous_newest={},
    )
    message = compose([notification_of(event.incident)], snapshot, apply_events(AlertingState(), [event]))
    assert message.title == "critical triage: accuracy 0.700 < 0.90 and 2 more"
    assert "also     f1_score 0.600 < 0.90; recall 0.500 < 0.90" in message.text
    assert [member.metric for member in message.worst_section.members] == ["f1_score", "recall"]
    assert message.text.count("modeltop ack") == 1
    assert f"modeltop ack {incident.id}" in message.text


def full_text(message):
    return f"{message.title}\n\n{message.text}"


FIRST = """\
critical fraud-detector: accuracy 0.870 < 0.90

{diagnosis.verdict}
accuracy 0.870: critical, below 0.90 for 2 periods, since 9 Jan 02:30

model    fraud-detector
metric   accuracy
value    0.870 < 0.90
worst    0.850 < 0.90
severity critical
since    9 Jan 02:30 UTC
cases    1,200
rule     accuracy-floor: accuracy below 0.92 warns, below 0.90 is critical

0.960 █▇▆▁▂ 0.870
limit 0.90 · 5 periods, 9 Jan 02:00 – 9 Jan 02:40

runbook  https://wiki.test/accuracy
ack      modeltop ack {id}"""

OVER = """\
resolved fraud-detector: accuracy, lasted 20 minutes

accuracy 0.950: ok, not below 0.92

model    fraud-detector
metric   accuracy
worst    0.850 < 0.90
severity was critical
firing   9 Jan 02:20–02:40 UTC
lasted   20 minutes
rule     accuracy-floor: accuracy below 0.92 warns, below 0.90 is critical

0.960 ██▁▂▇ 0.950
limit 0.90 · 5 periods, 9 Jan 02:00 – 9 Jan 02:40

runbook  https://wiki.test/accuracy"""


def test_a_first_alert_reads_like_this(observed):
    snapshot = observed(0.96, 0.95, 0.93, 0.85, 0.87)
    incident, state = incident_of(snapshot)
    message = compose([notification_of(incident)], snapshot, state)
    assert full_text(message) == FIRST.format(id=incident.id, diagnosis=diagnose_model(snapshot, "fraud-detector"))
    assert (message.key, message.severity) == (f"{incident.id}:trigger:first", Severity.CRITICAL)


def test_a_resolution_says_how_long_it_lasted_and_the_worst_value(observed):
    snapshot = observed(0.96, 0.96, 0.85, 0.87, 0.95)
    incident, state = incident_of(snapshot)
    message = compose(
        [notification_of(incident, NotificationAction.RESOLVE, NotificationReason.RESOLVED)], snapshot, state
    )
    assert full_text(message) == OVER
    assert (message.severity, message.worst_section.duration) == (Severity.OK, timedelta(minutes=20))


@pytest.mark.parametrize(
    ("kind", "reason", "state_word"),
    [
        (NotificationAction.TRIGGER, NotificationReason.ESCALATED, "critical (worse)"),
        (NotificationAction.TRIGGER, NotificationReason.REPEAT, "critical (still)"),
        (NotificationAction.RESOLVE, NotificationReason.WITHDRAWN, "withdrawn"),
        (NotificationAction.ACKNOWLEDGE, NotificationReason.ACKNOWLEDGED, "acknowledged"),
    ],
)
def test_the_title_says_why_it_is_sent_now(observed, kind, reason, state_word):
    snapshot = observed(0.96, 0.96, 0.85, 0.87)
    incident, state = incident_of(snapshot)
    title = compose([notification_of(incident, kind, reason)], snapshot, state).title
    assert title == f"{state_word} fraud-detector: accuracy 0.870 < 0.90"


def test_a_missed_incident_is_one_section_with_its_interval(observed):
    snapshot = observed(0.96, 0.85, 0.85, 0.85, 0.95)
    incident, state = incident_of(snapshot)
    missed = [
        notification_of(incident, kind, NotificationReason.MISSED)
        for kind in (NotificationAction.TRIGGER, NotificationAction.RESOLVE)
    ]
    message = compose(missed, snapshot, state)
    expected = "late fraud-detector: accuracy was firing 9 Jan 02:10–02:40 UTC, delivered late"
    assert message.title == expected
    assert (len(message.sections), message.severity, message.worst_section.peak_severity) == (
        1,
        Severity.OK,
        Severity.CRITICAL,
    )
    assert "modeltop ack" not in message.text


def test_an_acknowledgement_is_reported_with_person_end_and_reason(observed):
    snapshot = observed(0.96, 0.85)
    incident, state = incident_of(snapshot)
    until = NIGHT + timedelta(days=1, seconds=7)
    ack = Acknowledgement(
        incident.id, incident.model, incident.level, "ana", "on it", NIGHT, until, incident.fired_at, incident.fired_at
    )
    state = replace(state, acks=(ack,))
    acknowledged = compose(
        [notification_of(incident, NotificationAction.ACKNOWLEDGE, NotificationReason.ACKNOWLEDGED)], snapshot, state
    )
    worse = compose([notification_of(incident, reason=NotificationReason.ESCALATED)], snapshot, state)
    assert "why      acknowledged by ana until 10 Jan 02:00 UTC: on it\n" in acknowledged.text
    assert "why      got worse since ana acknowledged it\n" in worse.text


def test_why_it_was_withdrawn_is_said(observed):
    snapshot = observed(0.96, 0.85)
    incident, state = incident_of(snapshot)
    other = replace(incident, id="5e6f7a8b")
    withdrawn = replace(incident, status=IncidentStatus.WITHDRAWN, closed_at=NIGHT + timedelta(hours=2))
    delivery = notification_of(withdrawn, NotificationAction.RESOLVE, NotificationReason.WITHDRAWN)
    reasons = [
        compose(
            [delivery], look, replace(state, incidents=incidents), withdrawal_reasons=reasons_by_id
        ).worst_section.state_note
        for look, incidents, reasons_by_id in (
            (snapshot, {incident.id: withdrawn}, {incident.id: "a \x1b[2J reason"}),
            (snapshot, {incident.id: withdrawn, other.id: other}, None),
            (replace(snapshot, rules=()), {incident.id: withdrawn}, None),
            (snapshot, {incident.id: withdrawn}, None),
        )
    ]
    expected = compose([delivery], snapshot, replace(state, incidents={incident.id: withdrawn})).text
    assert "firing " not in expected  # it never was
    assert reasons == [
        "a \\x1b[2J reason",
        "it became part of 5e6f7a8b",
        "the rule was removed",
        "no longer a breach: a row came late or was corrected, or the rule was edited",
    ]


def test_no_data_says_since_when_there_is_none(observed):
    snapshot = observed(*[0.96] * 9, now=NIGHT + timedelta(hours=9))
    incident, state = incident_of(snapshot)
    assert incident.members[0].condition is Condition.NO_DATA
    first = compose([notification_of(incident)], snapshot, state)
    assert first.title.startswith("unknown fraud-detector: no rows for ")
    assert first.text.startswith("No data since 9 Jan 03:20")
    assert first.text.splitlines()[1] == "newest row: 9 Jan 03:20 UTC"
    assert (first.worst_section.value, first.worst_section.chart) == (None, ())
    over = replace(incident, resolved_at=incident.fired_at + timedelta(hours=3))
    state = replace(state, incidents={over.id: over})
    message = compose(
        [notification_of(over, NotificationAction.RESOLVE, NotificationReason.RESOLVED)], observed(*[0.96] * 60), state
    )
    assert message.title == "resolved fraud-detector: no data, lasted 3 hours"


def test_several_are_one_message_worst_first(observed):
    snapshot = observed(0.96, 0.85)
    incident, _ = incident_of(snapshot)
    warning = replace(renamed(incident, "churn"), id="00000001", level=Severity.WARNING)
    ended = replace(renamed(incident, "ranker"), id="00000002", resolved_at=NIGHT + timedelta(hours=1))
    state = AlertingState(incidents={incident.id: incident for incident in (ended, warning, incident)})
    notifications = [
        notification_of(ended, NotificationAction.RESOLVE, NotificationReason.RESOLVED),
        notification_of(warning),
        notification_of(incident),
    ]
    message = compose(notifications, snapshot, state)
    assert [section.model for section in message.sections] == ["fraud-detector", "churn", "ranker"]
    assert message.title == "1 critical, 1 warning, 1 resolved | critical fraud-detector: accuracy 0.850 < 0.90"
    assert f"modeltop ack {incident.id}" in message.text
    assert message.key == compose(notifications, snapshot, state).key != compose(notifications[:2], snapshot, state).key
    assert compose(notifications[2:], snapshot, state, is_digest=True).title.startswith("digest: 1 critical | ")


def test_a_thousand_at_once_are_a_message_that_can_still_be_read(observed):
    snapshot = observed(0.96, 0.85)
    incident, _ = incident_of(snapshot)
    incidents = [replace(incident, id=f"{number:08x}") for number in range(1000)]
    message = compose(
        [notification_of(item) for item in incidents],
        snapshot,
        AlertingState(incidents={item.id: item for item in incidents}),
    )
    assert len(message.sections) == 1000
    assert message.text.endswith("\nand 960 more: modeltop alerts")


def test_a_test_is_marked_and_asks_for_nothing():
    message = build_test_message("pager", NIGHT)
    assert message.is_test
    assert message.title == "TEST test-model: accuracy 0.870 < 0.90, nothing is wrong"
    assert "no action is needed" in message.text
    assert message.worst_section.ack_command == ""
    assert message.key != build_test_message("pager", NIGHT + timedelta(seconds=1)).key


def test_a_receiver_that_recovered_is_told_so_and_nothing_alerts():
    message = build_recovery_message("pager", NIGHT)
    assert (message.is_test, message.severity, message.title) == (True, Severity.OK, "receiver pager works again")
    assert message.text == "modeltop could not reach it for a while. It is notified again from now on."


def test_an_incident_that_is_forgotten_can_still_be_resolved(observed):
    snapshot = observed(0.96, 0.85)
    incident, _ = incident_of(snapshot)
    message = compose(
        [notification_of(incident, NotificationAction.RESOLVE, NotificationReason.RESOLVED)], snapshot, AlertingState()
    )
    assert message.title == "resolved fraud-detector"


def test_names_are_kept_in_labels_and_made_safe_in_text(observed, hostile):
    name = hostile.replace("\0", "").replace("\r", "").replace("\n", "").replace("\ud800", "") or "x"
    snapshot = observed(0.96, 0.85, model=name)
    incident, state = incident_of(snapshot)
    incident = renamed(incident, hostile, rule=hostile)
    message = compose([notification_of(incident)], snapshot, replace(state, incidents={incident.id: incident}))
    assert (message.worst_section.model, message.worst_section.rule) == (hostile, hostile)
    assert message.title.isprintable()
    assert display_width(message.title) <= 120
    assert all(line.isprintable() for line in message.text.split("\n"))


def test_a_message_composed_again_is_the_same(observed):
    looks = [observed(0.96, 0.85, now=NIGHT + timedelta(minutes=minutes)) for minutes in (11, 19)]
    incident, state = incident_of(looks[0])
    first, second = (compose([notification_of(incident)], look, state) for look in looks)
    assert first == second


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30))
def test_blocks_keep_the_order_of_the_values(values):
    drawn = [BLOCKS.index(block) for block in block_characters(values, min(values), max(values))]
    assert len(drawn) == len(values)
    ranked = [height for _, height in sorted(zip(values, drawn, strict=True))]
    assert ranked == sorted(ranked)


def test_a_chart_shows_the_last_periods_and_passes_over_what_is_not_finite(observed):
    series = observed(*[0.5] * 30, "inf", *[0.9] * 10).history.series[SeriesKey("fraud-detector", "accuracy")]
    drawn, expected = sparkline(series, NIGHT, 0.7)
    assert drawn == f"0.500 {'▁' * 14}{'█' * 10} 0.900"
    assert expected.startswith("limit 0.70 · 24 periods, 9 Jan 04:40")
    assert to_encoding(drawn) == f"0.500 {'_' * 14}{'#' * 10} 0.900"
    assert sparkline(series[:0], NIGHT) == ()
    assert sparkline(series[:1], NIGHT)[1] == "1 day, 9 Jan 02:00"


def test_both_ends_of_a_chart_have_the_digits_of_the_longer(observed):
    series = observed(0.943, 0.9, 0.82).history.series[SeriesKey("fraud-detector", "accuracy")]
    assert sparkline(series, NIGHT)[0] == "0.943 █▆▁ 0.820"


def test_a_date_without_a_time_of_day_has_no_zone():
    assert (in_utc("9 Jan 02:10"), in_utc("9 Jan")) == ("9 Jan 02:10 UTC", "9 Jan")
