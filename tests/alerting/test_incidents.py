"""An incident keeps its name while late rows, corrected rows and edited rules move the episode that it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.grouping import group_incidents
from modeltop.alerting.incidents import NEW_BASELINE, EvaluationScope, is_known, track_incidents
from modeltop.alerting.state import apply_events
from modeltop.core.event import BaselineRestarted, IncidentTransition
from modeltop.core.incident import AlertingState, BaselineRestart, IncidentStatus
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Breach, Condition, ReadProblem, RuleStatus, SeriesKey, Severity, State

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
SKIP_REASONS = (("accuracy", None), ("recall", "left out: 0 of its first 8 periods reached 0.9"))


def correct(world, *, model="m", **levels):
    """Set rows by their place from the first, such as `_2="c"`; `None` takes one away."""
    rows = world.rows[model]
    times = sorted(rows)
    for index, char in levels.items():
        when = times[int(index[1:])]
        if char is None:
            del rows[when]
        else:
            rows[when] = {".": Severity.OK, "w": Severity.WARNING, "c": Severity.CRITICAL}[char]


def transitions_of(events):
    return [item.transition.value for item in events]


@pytest.mark.parametrize(
    ("before", "change", "transitions", "expected"),
    [
        pytest.param("..cc", {"_1": "c"}, ["moved"], [], id="a begin that moves back"),
        pytest.param("..cc", {"_2": "."}, ["moved"], [], id="a begin that moves on"),
        pytest.param("..c", {"_2": "."}, ["withdrawn"], ["withdrawn"], id="what was corrected never was"),
        pytest.param("..c", {"_2": "w"}, ["better"], [], id="a milder row"),
        pytest.param("..w", {"_2": "c"}, ["worse"], ["worse CRITICAL"], id="a worse row"),
        pytest.param("..ccc", {"_3": "."}, ["moved"], [], id="of a split one the open piece"),
        pytest.param(".cc.", {"_3": "c"}, ["fired"], ["first CRITICAL"], id="an end that was none"),
        pytest.param(".cc.", {"_2": "."}, ["moved"], [], id="an end that moves"),
        pytest.param(".ccc.", {"_2": "."}, ["moved"], [], id="of a split past one the latest piece"),
        pytest.param(".c.", {"_1": "."}, ["withdrawn"], [], id="a past one that never was is told to nobody"),
    ],
)
def test_rows_that_change_change_the_incident(new_world, describe, before, change, transitions, expected):
    world = new_world()
    for end in range(1, len(before) + 1):
        world.add_rows(before[end - 1])
        world.run_cycle()
    names = set(world.state.incidents)
    correct(world, **change)
    assert transitions_of(world.track()) == transitions
    assert describe(world.deliver()) == expected
    assert set(world.state.incidents) == names
    assert world.track() == (), "once followed, there is nothing more to follow"


def test_a_resolved_incident_has_its_last_level_and_its_highest(new_world):
    world = new_world()
    for row in ("..w", "c", "w", "."):
        world.add_rows(row)
        world.run_cycle()
    (incident,) = world.state.incidents.values()
    assert (incident.level, incident.peak_severity) == (Severity.WARNING, Severity.CRITICAL)


def test_what_a_rule_leaves_out_was_not_judged(scope_of):
    history = scope_of({"m": {}}).history
    evaluated, skipped = (
        RuleStatus("floor", SeriesKey("m", metric), Severity.OK, "", skip_reason)
        for metric, skip_reason in SKIP_REASONS
    )
    assert EvaluationScope.from_statuses(history, [evaluated, skipped], ()).evaluated == {("floor", evaluated.key)}


def test_two_that_merge_go_on_as_the_open_one(new_world, describe):
    world = new_world()
    for row in ".c...c":
        world.add_rows(row)
        world.run_cycle()
    first, second = sorted(world.state.incidents.values(), key=lambda incident: incident.fired_at)
    correct(world, _2="c", _3="c", _4="c")
    events = {item.incident.id: item for item in world.track()}
    assert events[second.id].transition is IncidentTransition.MOVED
    assert events[second.id].incident.fired_at == first.fired_at
    assert (events[first.id].transition, events[first.id].message) == (
        IncidentTransition.MERGED,
        f"it became part of {second.id}",
    )
    assert world.deliver() == []
    assert world.track() == ()


def test_a_receiver_of_a_merged_incident_is_sent_its_withdrawal_and_the_other_one(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.faults = {"slack": "refuse"}
    for row in "...c":
        world.add_rows(row)
        world.run_cycle()
    correct(world, _3="c", _4="c", _5="c")
    world.track()
    world.repair()
    assert describe(world.deliver()) == ["withdrawn", "first CRITICAL"]


def test_a_rule_that_is_removed_withdraws_its_incidents(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.rules = ()
    (event,) = world.track()
    assert (event.transition, event.message) == (IncidentTransition.WITHDRAWN, "the rule was removed")
    assert describe(world.deliver()) == ["withdrawn"]


def test_a_rule_that_no_longer_asks_withdraws_its_incident(new_world, scope_of):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    run_cycle = replace(scope_of(world.rows), evaluated=frozenset())
    (event,) = track_incidents((), (), world.state, world.now, scope=run_cycle, previous_newest=world.newest)
    assert event.message == "the rule no longer applies to this series"


def test_rows_that_are_gone_are_no_recovery(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    rows, world.rows = world.rows, {}
    assert transitions_of(world.track()) == ["missing"]
    assert world.run_cycle() == []
    world.clock += 3 * HOUR
    assert world.track() == ()
    world.rows = rows
    assert transitions_of(world.track()) == ["missing"]
    assert world.open_incidents()[0].missing_since is None


def test_rows_that_stay_away_for_a_day_withdraw_the_incident_where_all_could_be_read(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.rows = {}
    world.run_cycle()
    world.wait(DAY - SECOND)
    assert world.track() == ()
    world.clock += SECOND
    world.problems = (ReadProblem("m.csv", "permission denied", fatal=True),)
    assert world.track() == ()
    world.problems = ()
    assert describe(world.run_cycle()) == ["withdrawn"]


def test_a_file_that_was_cut_short_withdraws_nothing(new_world):
    world = new_world()
    world.add_rows("..cc")
    world.run_cycle()
    correct(world, _2=None, _3=None)
    assert transitions_of(world.track()) == ["missing"]


@pytest.mark.parametrize("condition", [Condition.NO_DATA, Condition.ERROR])
def test_a_model_wide_incident_ends_when_its_alert_is_gone(new_world, describe, model_wide_alert, condition):
    world = new_world()
    world.add_rows("....")
    world.run_cycle()
    world.extra = (model_wide_alert(world, condition),)
    assert describe(world.run_cycle()) == ["first UNKNOWN"]
    world.extra = ()
    assert describe(world.run_cycle()) == ["over"]


def test_a_source_that_still_cannot_be_read_has_not_recovered(new_world, describe, model_wide_alert):
    world = new_world()
    world.add_rows("....")
    world.run_cycle()
    world.extra = (model_wide_alert(world, Condition.ERROR),)
    world.run_cycle()
    # A new process waits for three failures before it calls that an alert again.
    world.extra, world.problems = (), (ReadProblem("m", "permission denied", fatal=True),)
    assert world.track() == ()
    world.extra = (model_wide_alert(world, Condition.ERROR, later=HOUR),)
    assert world.run_cycle() == [], "found again later, it is the same incident"
    assert len(world.open_incidents()) == 1


@pytest.mark.parametrize(
    ("rows", "later", "transitions"),
    [
        pytest.param("c.", timedelta(0), ["fired", "resolved"], id="new rows, just now"),
        pytest.param("c.", 25 * HOUR - SECOND, ["fired", "resolved"], id="new rows, of the last day"),
        pytest.param("c.", 25 * HOUR, ["known"], id="a day after the hour that ended it was over"),
        pytest.param("c.", 40 * DAY, [], id="too old to be remembered"),
        pytest.param("c", 40 * DAY, ["fired"], id="what stands is told however old"),
    ],
)
def test_what_came_and_went_unseen_counts_by_the_age_of_its_end(new_world, rows, later, transitions):
    world = new_world()
    world.add_rows("....")
    world.run_cycle()
    world.add_rows(rows)
    world.clock += later
    assert transitions_of(world.track()) == transitions
    assert world.track() == ()


def test_a_back_filled_history_pages_nobody(new_world, describe):
    world = new_world()
    world.add_rows("....")
    world.run_cycle()
    world.add_rows("c.c.c.", at=min(world.rows["m"]) - 6 * HOUR)
    world.add_rows("c.c.", model="new", at=world.now - 4 * HOUR)
    assert (world.run_cycle(), world.state.incidents) == ([], {})


def test_of_a_back_filled_history_only_what_is_open_is_sent(new_world, describe):
    world = new_world()
    world.add_rows("....")
    world.run_cycle()
    world.add_rows("c.c.c", model="new", at=world.now - 4 * HOUR)
    assert describe(world.run_cycle()) == ["first CRITICAL"]


def test_two_years_of_history_write_one_event_for_each_open_incident(new_world):
    world = new_world()
    world.add_rows("c.." * 2000 + "c")
    assert transitions_of(world.track()) == ["fired"]


def test_a_row_dated_in_the_future_hides_nothing_that_comes_after(new_world, describe):
    world = new_world()
    world.add_rows("...")
    world.run_cycle()
    world.rows["m"][world.now + 9999 * HOUR] = Severity.OK
    world.run_cycle()
    world.add_rows("c.", at=world.now + HOUR)
    assert describe(world.run_cycle()) == ["late+", "late-"]


def test_a_merged_incident_does_not_take_the_other_over_at_the_next_cycle(new_world):
    world = new_world()
    world.add_rows(".")
    world.run_cycle()
    world.add_rows("c....c.")
    world.run_cycle()
    for when in sorted(world.rows["m"])[2:6]:
        world.rows["m"][when] = Severity.WARNING
    assert sorted(transitions_of(world.track())) == ["merged", "moved"]
    assert world.track() == ()


@given(data=st.data())
def test_tracking_twice_finds_nothing_more_and_at_most_one_is_open(new_world, simulate, strategies, data):
    world = new_world()
    simulate(world, data.draw(st.lists(st.one_of(st.just(("run_cycle",)), strategies["steps"]), max_size=40)))
    world.track()
    assert world.track() == ()
    assert len(world.open_incidents()) == len({incident.model for incident in world.open_incidents()})


@given(data=st.data())
def test_active_alerts_are_the_members_of_the_open_incident(new_world, simulate, strategies, alerts_of, data):
    world = new_world()
    simulate(world, data.draw(st.lists(st.one_of(st.just(("run_cycle",)), strategies["steps"]), max_size=40)))
    world.track()
    active = {alert.id for alert in alerts_of(world) if alert.is_active}
    members = {member.id for incident in world.open_incidents() for member in incident.active_members}
    # Those of a series without any rows stay as they were for a day.
    missing = {member.id for one in world.open_incidents() if one.missing_since for member in one.active_members}
    assert active <= members <= active | missing
    assert all(is_known(alert, world.state) for alert in alerts_of(world) if alert.is_active)


def test_what_is_pending_is_no_incident(alerts_of, new_world, scope_of):
    world = new_world()
    world.add_rows("c")
    pending = [replace(alert, id=None, fired=None, state=State.PENDING) for alert in alerts_of(world)]
    scope = scope_of(world.rows)
    assert group_incidents(pending, scope.history, MetricRegistry()) == ()
    assert not is_known(pending[0], world.state)


def test_a_second_metric_joins_the_incident_and_one_that_recovers_leaves_it_open(new_world):
    world = new_world()
    world.add_rows("..c")
    world.add_rows("...", model="m/recall")
    world.run_cycle()
    world.add_rows("c")
    world.add_rows("c", model="m/recall")
    assert [(event.transition.value, event.message) for event in world.track()] == [("joined", "recall 0.800 < 0.90")]
    world.add_rows(".")
    world.add_rows("c", model="m/recall")
    assert transitions_of(world.track()) == ["alert-resolved"]
    (incident,) = world.state.incidents.values()
    assert (incident.status, len(incident.members)) == (IncidentStatus.OPEN, 2)
    world.add_rows(".", model="m/recall")
    assert transitions_of(world.track()) == ["resolved"]


def drop(resolved=None, *, periods=119, is_baseline=True):
    """A drop below the baseline since New Year, of so many days."""
    first = datetime(2025, 1, 1, tzinfo=UTC)
    breach = Breach(Severity.WARNING, 0.8, 0.95, "0.800, baseline 0.950", is_baseline=is_baseline)
    state = State.FIRING if resolved is None else State.RESOLVED
    ended = None if resolved is None else first + resolved * DAY
    about = "drop", SeriesKey("m", "accuracy"), Condition.THRESHOLD, state, Severity.WARNING
    return Alert("d", *about, first, first, ended, breach, breach, periods=periods)


@pytest.mark.parametrize(
    ("alert", "message"),
    [
        pytest.param(drop(120, periods=120), NEW_BASELINE, id="after 120 periods it is the baseline"),
        pytest.param(drop(119), "accuracy 0.800, baseline 0.950", id="before, the values came back"),
        pytest.param(drop(120, periods=120, is_baseline=False), "accuracy 0.800, baseline 0.950", id="a limit stays"),
    ],
)
def test_a_drop_that_lasts_ends_as_the_new_baseline_and_not_as_recovery(scope_of, alert, message):
    scope, now = replace(scope_of({}), rules=frozenset({"drop"})), alert.resolved + DAY
    state = AlertingState()
    for seen in (drop(), alert):
        incidents = group_incidents([seen], scope.history, MetricRegistry(), state=state)
        events = track_incidents(incidents, [seen], state, now, scope=scope, previous_newest={})
        state = apply_events(state, events)
    assert [(event.transition.value, event.message) for event in events] == [("resolved", message)]


def test_alerts_that_a_person_accepted_as_the_new_baseline_end_as_that(scope_of):
    scope = replace(scope_of({"m": dict.fromkeys([datetime(2025, 1, 1, tzinfo=UTC)], 0)}), rules=frozenset({"drop"}))
    state = AlertingState()
    incidents = group_incidents([drop()], scope.history, MetricRegistry())
    now = datetime(2025, 1, 2, tzinfo=UTC)
    state = apply_events(state, track_incidents(incidents, [drop()], state, now, scope=scope, previous_newest={}))
    state = apply_events(
        state, [BaselineRestarted(now, "m", BaselineRestart(datetime(2024, 12, 31, tzinfo=UTC), now, now + DAY), "ann")]
    )
    (event,) = track_incidents((), (), state, now, scope=scope, previous_newest={})
    assert (event.transition.value, event.message) == ("resolved", NEW_BASELINE)
    assert track_incidents((), (), apply_events(state, [event]), now, scope=scope, previous_newest={}) == ()
