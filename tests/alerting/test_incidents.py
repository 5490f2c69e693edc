"""An incident keeps its name while late rows, corrected rows and edited rules move the episode that it is."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.incidents import EvaluationScope, find_incident, track_incidents
from modeltop.core.event import IncidentTransition
from modeltop.core.incident import IncidentStatus
from modeltop.core.series import Condition, ReadProblem, SeriesKey, Severity, State
from modeltop.core.series import RuleStatus as Standing_

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
WHY = (("accuracy", None), ("recall", "left out: 0 of its first 8 periods reached 0.9"))


def correct(here, *, model="m", **levels):
    """Set rows by their place from the first, such as `_2="c"`; `None` takes one away."""
    rows = here.rows[model]
    times = sorted(rows)
    for place, char in levels.items():
        when = times[int(place[1:])]
        if char is None:
            del rows[when]
        else:
            rows[when] = {".": Severity.OK, "w": Severity.WARNING, "c": Severity.CRITICAL}[char]


def courses(events):
    return [one.transition.value for one in events]


@pytest.mark.parametrize(
    ("before", "change", "found", "told"),
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
def test_rows_that_change_change_the_incident(world, said, before, change, found, told):
    here = world()
    for end in range(1, len(before) + 1):
        here.report(before[end - 1])
        here.look()
    names = set(here.facts.incidents)
    correct(here, **change)
    assert courses(here.follow()) == found
    assert said(here.deliver()) == told
    assert set(here.facts.incidents) == names
    assert here.follow() == (), "once followed, there is nothing more to follow"


def test_of_what_is_over_the_last_level_and_the_worst_are_known(world):
    here = world()
    for row in ("..w", "c", "w", "."):
        here.report(row)
        here.look()
    (one,) = here.facts.incidents.values()
    assert (one.level, one.peak_severity) == (Severity.WARNING, Severity.CRITICAL)


def test_what_a_rule_leaves_out_was_not_judged(view):
    history = view({"m": {}}).history
    judged, left = (Standing_("floor", SeriesKey("m", metric), Severity.OK, "", why) for metric, why in WHY)
    assert EvaluationScope.from_statuses(history, [judged, left], ()).evaluated == {("floor", judged.key)}


def test_two_that_merge_go_on_as_the_open_one(world, said):
    here = world()
    for row in ".c.c":
        here.report(row)
        here.look()
    first, second = sorted(here.facts.incidents.values(), key=lambda one: one.since)
    correct(here, _2="c")
    events = {one.incident.id: one for one in here.follow()}
    assert events[second.id].transition is IncidentTransition.MOVED
    assert events[second.id].incident.since == first.since
    assert (events[first.id].transition, events[first.id].message) == (
        IncidentTransition.MERGED,
        f"it became part of {second.id}",
    )
    assert here.deliver() == []
    assert here.follow() == ()


def test_who_believes_in_what_was_merged_is_told_that_it_was_withdrawn_and_of_the_other(world, said):
    here = world()
    here.report("..c")
    here.look()
    here.ways = {"slack": "refuse"}
    for row in ".c":
        here.report(row)
        here.look()
    correct(here, _3="c")
    here.follow()
    here.mend()
    assert said(here.deliver()) == ["withdrawn", "first CRITICAL"]


def test_a_rule_that_is_removed_withdraws_its_incidents(world, said):
    here = world()
    here.report("..c")
    here.look()
    here.rules = ()
    (event,) = here.follow()
    assert (event.transition, event.message) == (IncidentTransition.WITHDRAWN, "the rule was removed")
    assert said(here.deliver()) == ["withdrawn"]


def test_a_rule_that_no_longer_asks_withdraws_its_incident(world, view):
    here = world()
    here.report("..c")
    here.look()
    look = replace(view(here.rows), evaluated=frozenset())
    (event,) = track_incidents((), here.facts, here.now, scope=look, previous_newest=here.newest)
    assert event.message == "the rule no longer asks about this series"


def test_rows_that_are_gone_are_no_recovery(world, said):
    here = world()
    here.report("..c")
    here.look()
    rows, here.rows = here.rows, {}
    assert courses(here.follow()) == ["missing"]
    assert here.look() == []
    here.clock += 3 * HOUR
    assert here.follow() == ()
    here.rows = rows
    assert courses(here.follow()) == ["missing"]
    assert here.open_incidents()[0].missing_since is None


def test_rows_that_stay_away_for_a_day_withdraw_the_incident_where_all_could_be_read(world, said):
    here = world()
    here.report("..c")
    here.look()
    here.rows = {}
    here.look()
    here.wait(DAY - SECOND)
    assert here.follow() == ()
    here.clock += SECOND
    here.problems = (ReadProblem("m.csv", "permission denied", fatal=True),)
    assert here.follow() == ()
    here.problems = ()
    assert said(here.look()) == ["withdrawn"]


def test_a_file_that_was_cut_short_withdraws_nothing(world):
    here = world()
    here.report("..cc")
    here.look()
    correct(here, _2=None, _3=None)
    assert courses(here.follow()) == ["missing"]


@pytest.mark.parametrize("condition", [Condition.NO_DATA, Condition.ERROR])
def test_an_alert_about_the_whole_model_ends_when_it_is_no_longer_found(world, said, whole, condition):
    here = world()
    here.report("....")
    here.look()
    here.extra = (whole(here, condition),)
    assert said(here.look()) == ["first UNKNOWN"]
    here.extra = ()
    assert said(here.look()) == ["over"]


def test_a_source_that_still_cannot_be_read_has_not_recovered(world, said, whole):
    here = world()
    here.report("....")
    here.look()
    here.extra = (whole(here, Condition.ERROR),)
    here.look()
    # A new process waits for three failures before it calls that an alert again.
    here.extra, here.problems = (), (ReadProblem("m", "permission denied", fatal=True),)
    assert here.follow() == ()
    here.extra = (whole(here, Condition.ERROR, later=HOUR),)
    assert here.look() == [], "found again later, it is the same incident"
    assert len(here.open_incidents()) == 1


@pytest.mark.parametrize(
    ("rows", "later", "found"),
    [
        pytest.param("c.", timedelta(0), ["fired", "resolved"], id="new rows, just now"),
        pytest.param("c.", 25 * HOUR - SECOND, ["fired", "resolved"], id="new rows, of the last day"),
        pytest.param("c.", 25 * HOUR, ["known"], id="a day after the hour that ended it was over"),
        pytest.param("c.", 40 * DAY, [], id="too old to be remembered"),
        pytest.param("c", 40 * DAY, ["fired"], id="what stands is told however old"),
    ],
)
def test_what_came_and_went_unseen_counts_by_the_age_of_its_end(world, rows, later, found):
    here = world()
    here.report("....")
    here.look()
    here.report(rows)
    here.clock += later
    assert courses(here.follow()) == found
    assert here.follow() == ()


def test_a_back_filled_history_pages_nobody(world, said):
    here = world()
    here.report("....")
    here.look()
    here.report("c.c.c.", at=min(here.rows["m"]) - 6 * HOUR)
    here.report("c.c.", model="new", at=here.now - 4 * HOUR)
    assert (here.look(), here.facts.incidents) == ([], {})


def test_of_a_back_filled_history_what_stands_is_told(world, said):
    here = world()
    here.report("....")
    here.look()
    here.report("c.c.c", model="new", at=here.now - 4 * HOUR)
    assert said(here.look()) == ["first CRITICAL"]


def test_two_years_of_history_write_one_line_for_each_that_stands(world):
    here = world()
    here.report("c.." * 2000 + "c")
    assert courses(here.follow()) == ["fired"]


def test_a_row_dated_in_the_future_hides_nothing_that_comes_after(world, said):
    here = world()
    here.report("...")
    here.look()
    here.rows["m"][here.now + 9999 * HOUR] = Severity.OK
    here.look()
    here.report("c.", at=here.now + HOUR)
    assert said(here.look()) == ["late+", "late-"]


def test_what_became_part_of_another_does_not_take_it_over_at_the_next_look(world):
    here = world()
    here.report(".")
    here.look()
    here.report("c.c.")
    here.look()
    here.rows["m"][sorted(here.rows["m"])[2]] = Severity.WARNING
    assert courses(here.follow()) == ["moved", "merged"]
    assert here.follow() == ()


@given(data=st.data())
def test_following_twice_finds_nothing_more_and_at_most_one_is_open(world, live, happenings, data):
    here = world()
    live(here, data.draw(st.lists(st.one_of(st.just(("look",)), happenings["steps"]), max_size=40)))
    here.follow()
    assert here.follow() == ()
    assert len(here.open_incidents()) == len({one.key for one in here.open_incidents()})


@given(data=st.data())
def test_what_stands_is_the_open_incident(world, live, happenings, found_in, data):
    here = world()
    live(here, data.draw(st.lists(st.one_of(st.just(("look",)), happenings["steps"]), max_size=40)))
    here.follow()
    standing = [one for one in found_in(here) if one.is_active]
    assert [find_incident(one, here.facts) for one in standing] == [
        next(own for own in here.open_incidents() if own.key == one.key) for one in standing
    ]
    assert all(find_incident(one, here.facts).status is IncidentStatus.OPEN for one in standing)


def test_what_is_pending_is_no_incident(found_in, world, view):
    here = world()
    here.report("c")
    pending = [replace(one, id=None, fired=None, state=State.PENDING) for one in found_in(here)]
    assert find_incident(pending[0], here.facts) is None
    assert track_incidents(pending, here.facts, here.now, scope=view(here.rows), previous_newest={}) == ()
