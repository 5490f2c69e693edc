"""Who is not told now, and why; who has taken what; and which silences are refused."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from modeltop.alerting.routing import MuteTimeInterval, TimeInterval
from modeltop.alerting.suppression import (
    acknowledged_alerts,
    acknowledged_incidents,
    preview_silence,
    silence_error,
    suppressions,
)
from modeltop.core.incident import Acknowledgement, AlertingState, Matchers, Silence
from modeltop.core.series import Condition, Severity, State

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def standing(world, found_in):
    """The episode of a model that fires since ten."""

    def make(model="m", rows="..c"):
        here = world()
        here.report(rows, model=model, at=NOW - 4 * HOUR)
        return found_in(here)[-1]

    return make


def silenced(*, start=NOW - HOUR, end=NOW + HOUR, **matchers):
    return AlertingState(silences=(Silence("s", Matchers(**matchers), start, end, "ann", "deploy", start),))


@pytest.mark.parametrize(
    ("facts", "hushed"),
    [
        pytest.param(silenced(model="m"), True, id="one that matches"),
        pytest.param(silenced(model="other"), False, id="one that does not"),
        pytest.param(silenced(severity="warning"), False, id="of another severity"),
        pytest.param(silenced(start=NOW), True, id="from its first moment"),
        pytest.param(silenced(end=NOW), False, id="its end is not part of it"),
        pytest.param(silenced(start=NOW + HOUR, end=NOW + 2 * HOUR), False, id="one that is still to come"),
    ],
)
def test_a_silence_holds_from_its_start_to_before_its_end(standing, facts, hushed):
    assert bool(suppressions([standing()], facts, (), NOW)) == hushed


def test_the_reason_says_who_why_and_until_when(standing):
    one = standing()
    found = suppressions([one], silenced(model="m"), (), NOW)[one.id]
    assert (found.kind, found.until) == ("silenced", NOW + HOUR)
    assert found.reason == "silenced by ann until 2025-01-06 13:00 UTC: deploy"


@pytest.mark.parametrize("condition", [Condition.ERROR, Condition.NO_DATA])
def test_an_alert_about_the_model_as_a_whole_covers_its_thresholds_and_nobody_elses(world, standing, whole, condition):
    mine, other, about = standing(), standing("other"), whole(world(), condition)
    found = suppressions([mine, other, about], AlertingState(), (), NOW)
    assert {name: one.kind for name, one in found.items()} == {mine.id: "inhibited"}


def test_a_schedule_mutes_what_it_matches(standing):
    one, other = standing(), standing("other")
    mute = MuteTimeInterval("lunch", Matchers(model="m"), (TimeInterval(start=time(12), end=time(13)),))
    assert {name: why.kind for name, why in suppressions([one, other], AlertingState(), (mute,), NOW).items()} == {
        one.id: "muted"
    }
    assert suppressions([one], AlertingState(), (mute,), NOW + HOUR) == {}


def test_only_what_stands_can_be_kept_back(standing):
    over = replace(standing(), state=State.RESOLVED, resolved=NOW)
    pending = replace(standing(), state=State.PENDING, id=None, fired=None)
    assert suppressions([over, pending], silenced(), (), NOW) == {}


def ack(one, *, level=Severity.CRITICAL, incident=None, until=NOW + HOUR):
    return Acknowledgement(incident or one.id, one.rule, one.key, level, "ann", "mine", NOW - HOUR, until, one.since)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        pytest.param({}, True, id="as it was taken"),
        pytest.param({"severity": Severity.WARNING}, True, id="better"),
        pytest.param({"since": NOW - 9 * HOUR}, True, id="its begin moved back"),
        pytest.param({"since": NOW - HOUR}, True, id="its begin moved on"),
        pytest.param({"id": "other"}, True, id="so that it has another id"),
        pytest.param({"state": State.RESOLVED, "resolved": NOW}, False, id="over"),
    ],
)
def test_without_a_watcher_an_acknowledgement_follows_the_alert(standing, change, holds):
    one = standing()
    facts = AlertingState(acks=(ack(one),))
    assert bool(acknowledged_alerts([replace(one, **change)], facts, NOW)) == holds


def test_an_acknowledgement_ends_with_its_time_and_where_it_gets_worse(standing):
    one = standing()
    assert acknowledged_alerts([one], AlertingState(acks=(ack(one),)), NOW + HOUR) == {}
    assert acknowledged_alerts([one], AlertingState(acks=(ack(one, level=Severity.WARNING),)), NOW) == {}


def test_what_begins_after_the_end_has_been_taken_by_nobody(world, found_in):
    here = world()
    here.report("..c.c")
    first, second = found_in(here)
    facts = AlertingState(acks=(replace(ack(first), until=NOW + DAY),))
    assert acknowledged_alerts([first, second], facts, NOW) == {}


@pytest.mark.parametrize("seen_first", [True, False])
def test_the_watcher_and_the_screen_agree_on_who_has_it(world, found_in, seen_first):
    here = world()
    here.report("..c")
    if seen_first:
        here.look()
        here.ack()
    else:
        (one,) = found_in(here)
        late = ack(replace(one, id="before its begin moved"), until=here.now + DAY)
        here.facts = AlertingState(acks=(replace(late, at=here.now),))
        here.look()
    (one,), (incident,) = found_in(here), here.open_incidents()
    assert acknowledged_alerts([one], here.facts, here.now).keys() == {one.id}
    assert acknowledged_incidents(here.facts, here.now).keys() == {incident.id}


def test_the_acknowledgement_of_an_incident_is_not_that_of_the_next(world, found_in):
    here = world()
    here.report("..c")
    here.look()
    here.ack()
    for row in ".c":
        here.report(row)
        here.look()
    assert (
        acknowledged_alerts(found_in(here), here.facts, here.now) == acknowledged_incidents(here.facts, here.now) == {}
    )
    old = replace(ack(found_in(here)[0]), until=here.now + DAY)
    assert acknowledged_alerts(found_in(here)[1:], replace(here.facts, acks=(old,)), here.now) == {}


def test_a_preview_counts_what_stands_and_warns_over_half(standing):
    alerts = [standing(model) for model in ("a", "b", "c", "d")]
    alerts.append(replace(standing("e"), state=State.RESOLVED, resolved=NOW))
    half, more = preview_silence(Matchers(model="[ab]"), alerts), preview_silence(Matchers(model="[abce]"), alerts)
    assert (len(half.matching), half.active_count, half.warning) == (2, 4, None)
    assert more.warning == "that is 3 of 4 standing alerts, more than half"


@pytest.mark.parametrize(
    ("matchers", "length", "why", "objects"),
    [
        pytest.param({"model": "m"}, HOUR, "deploy", None, id="one with a reason is made"),
        pytest.param({"model": "m"}, HOUR, "  ", "a silence needs a reason", id="none without a reason"),
        pytest.param({"model": "m"}, 0 * HOUR, "x", "would end before it begins", id="none that ends at once"),
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
def test_a_silence_is_refused_with_the_reason(standing, matchers, length, why, objects):
    found = silence_error(Matchers(**matchers), NOW, NOW + length, why, [standing()])
    assert (found is None) if objects is None else (objects in found)
