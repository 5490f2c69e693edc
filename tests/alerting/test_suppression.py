"""Who is not told now, and why; who has taken what; and which silences are refused."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from modeltop.alerting.grouping import group_incidents
from modeltop.alerting.routing import MuteTimeInterval, TimeInterval
from modeltop.alerting.suppression import (
    acknowledged_alerts,
    acknowledged_incidents,
    preview_silence,
    silence_error,
    suppressions,
)
from modeltop.core.incident import Acknowledgement, AlertingState, Matchers, Silence
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Condition, History, Severity, State

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def active_alert(new_world, alerts_of):
    """The episode of a model that fires since ten."""

    def make(model="m", rows="..c"):
        world = new_world()
        world.add_rows(rows, model=model, at=NOW - 4 * HOUR)
        return alerts_of(world)[-1]

    return make


def silenced(*, start=NOW - HOUR, end=NOW + HOUR, **matchers):
    return AlertingState(silences=(Silence("s", Matchers(**matchers), start, end, "ann", "deploy", start),))


@pytest.mark.parametrize(
    ("state", "is_suppressed"),
    [
        pytest.param(silenced(model="m"), True, id="one that matches"),
        pytest.param(silenced(model="other"), False, id="one that does not"),
        pytest.param(silenced(severity="warning"), False, id="of another severity"),
        pytest.param(silenced(start=NOW), True, id="from its first moment"),
        pytest.param(silenced(end=NOW), False, id="its end is not part of it"),
        pytest.param(silenced(start=NOW + HOUR, end=NOW + 2 * HOUR), False, id="one that is still to come"),
    ],
)
def test_a_silence_holds_from_its_start_to_before_its_end(active_alert, state, is_suppressed):
    assert bool(suppressions([active_alert()], state, (), NOW)) == is_suppressed


def test_the_reason_says_who_why_and_until_when(active_alert):
    alert = active_alert()
    result = suppressions([alert], silenced(model="m"), (), NOW)[alert.id]
    assert (result.kind, result.until) == ("silenced", NOW + HOUR)
    assert result.reason == "silenced by ann until 6 Jan 13:00 UTC: deploy"


@pytest.mark.parametrize("condition", [Condition.ERROR, Condition.NO_DATA])
def test_a_model_wide_alert_inhibits_the_thresholds_of_its_model_alone(
    new_world, active_alert, model_wide_alert, condition
):
    mine, other, about = active_alert(), active_alert("other"), model_wide_alert(new_world(), condition)
    result = suppressions([mine, other, about], AlertingState(), (), NOW)
    assert {name: suppression.kind for name, suppression in result.items()} == {mine.id: "inhibited"}


@pytest.mark.parametrize(
    ("condition", "metric"),
    [(Condition.UNREADABLE, "*"), (Condition.UNREADABLE, "accuracy"), (Condition.NO_DATA, "accuracy")],
)
def test_what_cannot_be_read_and_no_data_of_a_series_inhibit_nothing(
    new_world, active_alert, model_wide_alert, condition, metric
):
    mine, about = active_alert(), model_wide_alert(new_world(), condition)
    about = replace(about, key=about.key._replace(metric=metric))
    assert suppressions([mine, about], AlertingState(), (), NOW) == {}


@pytest.mark.parametrize(("condition", "is_inhibited"), [(Condition.UNREADABLE, False), (Condition.NO_DATA, True)])
def test_a_model_without_data_inhibits_no_data_of_its_series(new_world, model_wide_alert, condition, is_inhibited):
    about = model_wide_alert(new_world(), Condition.NO_DATA)
    mine = replace(about, id="mine", condition=condition, key=about.key._replace(metric="accuracy"))
    result = suppressions([mine, about], AlertingState(), (), NOW)
    assert {name: suppression.kind for name, suppression in result.items()} == (
        {"mine": "inhibited"} if is_inhibited else {}
    )


def test_a_schedule_mutes_what_it_matches(active_alert):
    alert, other = active_alert(), active_alert("other")
    mute = MuteTimeInterval("lunch", Matchers(model="m"), (TimeInterval(start=time(12), end=time(13)),))
    assert {
        name: reason.kind for name, reason in suppressions([alert, other], AlertingState(), (mute,), NOW).items()
    } == {alert.id: "muted"}
    assert suppressions([alert], AlertingState(), (mute,), NOW + HOUR) == {}


def test_only_active_alerts_can_be_suppressed(active_alert):
    over = replace(active_alert(), state=State.RESOLVED, resolved=NOW)
    pending = replace(active_alert(), state=State.PENDING, id=None, fired=None)
    assert suppressions([over, pending], silenced(), (), NOW) == {}


def grouped(*alerts, state=None):
    return group_incidents(alerts, History({}, {}), MetricRegistry(), state=state)


def acknowledged(alerts, state, now):
    """The ids of the alerts that a person has."""
    return acknowledged_alerts(grouped(*alerts, state=state), alerts, state, now).keys()


def ack(alert, *, level=Severity.CRITICAL, until=NOW + HOUR):
    (incident,) = grouped(alert)
    about = incident.id, incident.model, level, "ann", "mine", NOW - HOUR, until
    return Acknowledgement(*about, alert.fired, alert.fired)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        pytest.param({}, True, id="as it was taken"),
        pytest.param({"severity": Severity.WARNING}, True, id="better"),
        pytest.param({"fired": NOW - 9 * HOUR}, True, id="its begin moved back"),
        pytest.param({"fired": NOW - HOUR}, True, id="its begin moved on"),
        pytest.param({"state": State.RESOLVED, "resolved": NOW}, False, id="over"),
    ],
)
def test_without_a_watcher_an_acknowledgement_follows_the_incident(active_alert, change, holds):
    alert = active_alert()
    state = AlertingState(acks=(ack(alert),))
    assert bool(acknowledged([replace(alert, **change)], state, NOW)) == holds


def test_an_acknowledgement_ends_with_its_time_and_where_it_gets_worse(active_alert):
    alert = active_alert()
    assert not acknowledged([alert], AlertingState(acks=(ack(alert),)), NOW + HOUR)
    assert not acknowledged([alert], AlertingState(acks=(ack(alert, level=Severity.WARNING),)), NOW)


def test_an_acknowledgement_is_of_all_alerts_of_the_model(active_alert):
    first = active_alert()
    second = replace(first, id="second", key=first.key._replace(metric="recall"))
    assert acknowledged([first, second], AlertingState(acks=(ack(first),)), NOW) == {first.id, "second"}


def test_what_fires_after_the_end_is_acknowledged_by_nobody(new_world, alerts_of):
    world = new_world()
    world.add_rows("..c.c")
    first, second = alerts_of(world)
    state = AlertingState(acks=(replace(ack(first), until=NOW + DAY),))
    assert not acknowledged([first, second], state, NOW)


@pytest.mark.parametrize("seen_first", [True, False])
def test_the_watcher_and_the_screen_agree_on_who_acknowledged_it(new_world, alerts_of, seen_first):
    world = new_world()
    world.add_rows("..c")
    if seen_first:
        world.run_cycle()
        world.ack()
    else:
        (alert,) = alerts_of(world)
        earlier = replace(ack(alert), incident="before its begin moved", at=world.now, until=world.now + DAY)
        world.state = AlertingState(acks=(earlier,))
        world.run_cycle()
    (alert,), (incident,) = alerts_of(world), world.open_incidents()
    assert acknowledged([alert], world.state, world.now) == {alert.id}
    assert acknowledged_incidents(world.state, world.now).keys() == {incident.id}


def test_the_acknowledgement_of_an_incident_is_not_that_of_the_next(new_world, alerts_of):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.ack()
    for row in "....c":
        world.add_rows(row)
        world.run_cycle()
    assert not acknowledged(alerts_of(world), world.state, world.now)
    assert acknowledged_incidents(world.state, world.now) == {}


def test_a_preview_counts_active_alerts_and_warns_over_half(active_alert):
    alerts = [active_alert(model) for model in ("a", "b", "c", "d")]
    alerts.append(replace(active_alert("e"), state=State.RESOLVED, resolved=NOW))
    half, more = preview_silence(Matchers(model="[ab]"), alerts), preview_silence(Matchers(model="[abce]"), alerts)
    assert (len(half.matching), half.active_count, half.warning) == (2, 4, None)
    assert more.warning == "that is 3 of 4 active alerts, more than half"


@pytest.mark.parametrize(
    ("matchers", "length", "reason", "error"),
    [
        pytest.param({"model": "m"}, HOUR, "deploy", None, id="one with a reason is made"),
        pytest.param({"model": "m"}, HOUR, "  ", "reason required", id="none without a reason"),
        pytest.param({"model": "m"}, 0 * HOUR, "x", "would end before it starts", id="none that ends at once"),
        pytest.param({"model": "m"}, 30 * DAY, "x", None, id="thirty days at most"),
        pytest.param({"model": "m"}, 30 * DAY + HOUR, "x", "30 days at most", id="no longer"),
        pytest.param({}, HOUR, "x", "match everything", id="not of everything"),
        pytest.param({"model": "**", "metric": "?*"}, HOUR, "x", "match everything", id="however it is written"),
        pytest.param({"model": "[!_]*"}, HOUR, "x", "match everything", id="nor of all names that there are"),
        pytest.param({"severity": "[wuc]*"}, HOUR, "x", "match everything", id="nor of all severities"),
        pytest.param({"severity": "warning"}, HOUR, "x", None, id="a severity narrows it down"),
        pytest.param({"rule": "floor"}, HOUR, "x", None, id="so does a rule"),
    ],
)
def test_a_silence_is_refused_with_the_reason(active_alert, matchers, length, reason, error):
    result = silence_error(Matchers(**matchers), NOW, NOW + length, reason, [active_alert()])
    assert (result is None) if error is None else (error in result)
