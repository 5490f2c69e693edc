"""What each receiver is told, from rows in a store to messages, over restarts, faults and corrections."""

from dataclasses import replace
from datetime import timedelta

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.errors import ConfigError, NotifyError
from modeltop.core.event import Acknowledged, SilenceCreated
from modeltop.core.incident import Acknowledgement, Matchers, Silence
from modeltop.core.series import Severity
from modeltop.service import health

GOOD, BAD, WORST = 0.95, 0.85, 0.7
FINE = (GOOD,) * 8
DOWN = NotifyError("answered 503")


def test_an_alert_is_told_once_then_worse_then_over(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle(looks=3)
    assert ruled.told() == [("trigger", "first", "churn")]
    ruled.sleep(days=1)
    ruled.rows("churn", WORST, begin="2025-03-10")
    ruled.cycle(looks=3)
    ruled.sleep(days=1)
    ruled.rows("churn", GOOD, begin="2025-03-11")
    ruled.cycle(looks=3)
    assert [one[1] for one in ruled.told()] == ["first", "worse", "over"]
    assert len({message.worst_section.incident for message in ruled.boxes["ops"].got}) == 1


def test_it_is_told_again_after_four_hours_and_not_before(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    for hours, expected in ((3.9, 1), (0.2, 2), (3.7, 2), (0.3, 3)):
        ruled.sleep(hours=hours)
        ruled.cycle()
        assert len(ruled.told()) == expected


def test_the_first_start_on_two_years_of_history_pages_nobody_for_the_past(ruled):
    for number in range(20):
        values = [WORST if day % 40 in (number, number + 1) else GOOD for day in range(730)]
        ruled.rows(f"m{number}", *values[:-2], GOOD, BAD if number == 7 else GOOD, begin="2023-03-11")
    ruled.cycle(looks=3)
    ruled.restart()
    ruled.cycle(looks=2)
    assert ruled.told() == [("trigger", "first", "m7")]
    assert len(ruled.facts.incidents) == 1


def test_an_imported_history_of_a_new_model_pages_nobody_for_the_past(ruled):
    ruled.rows("churn", *FINE)
    ruled.cycle()
    ruled.rows("imported", *([GOOD, WORST] * 30), GOOD, begin="2025-01-08")
    ruled.cycle(looks=2)
    assert ruled.told() == []


def test_late_rows_that_move_the_begin_change_neither_name_nor_message(ruled):
    ruled.rows("churn", *FINE[:6], None, BAD)
    ruled.cycle()
    ruled.rows("churn", BAD, begin="2025-03-07")
    ruled.cycle(looks=3)
    assert len(ruled.told()) == 1
    [incident] = ruled.facts.incidents.values()
    assert f"{incident.since:%m-%d}" == "03-07"
    ruled.rows("churn", GOOD, begin="2025-03-09")
    ruled.cycle(looks=2)
    first, over = ruled.boxes["ops"].got
    assert (over.worst_section.action.value, over.worst_section.incident) == ("resolve", first.worst_section.incident)


def test_a_corrected_row_withdraws_what_never_was_and_says_why(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    ruled.rows("churn", GOOD, begin="2025-03-09")
    ruled.cycle(looks=3)
    assert ruled.told() == [("trigger", "first", "churn"), ("resolve", "withdrawn", "churn")]
    assert "corrected" in ruled.boxes["ops"].got[1].text


def test_an_edited_rule_withdraws_what_it_no_longer_objects_to(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    ruled.config = replace(ruled.config, rules=(ruled.rule(warn=0.8, critical=0.7),))
    ruled.rounds.reload()
    ruled.cycle(looks=2)
    assert ruled.told() == [("trigger", "first", "churn"), ("resolve", "withdrawn", "churn")]


def test_an_edited_rule_that_objects_more_tells_what_is_worse_under_the_same_name(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    ruled.config = replace(ruled.config, rules=(ruled.rule(warn=0.9, critical=0.88),))
    ruled.rounds.reload()
    ruled.cycle(looks=2)
    first, worse = ruled.boxes["ops"].got
    assert worse.worst_section.reason.value == "worse"
    assert worse.worst_section.dedup_key == first.worst_section.dedup_key


def test_two_episodes_that_a_correction_merges_are_one_incident(ruled):
    ruled.rows("churn", *FINE[:5], BAD)
    ruled.cycle()
    ruled.rows("churn", GOOD, begin="2025-03-07")
    ruled.cycle()
    ruled.rows("churn", BAD, begin="2025-03-08")
    ruled.cycle()
    assert [one[1] for one in ruled.told()] == ["first", "over", "first"]
    ruled.rows("churn", BAD, begin="2025-03-07")
    ruled.cycle(looks=3)
    assert [one[1] for one in ruled.told()] == ["first", "over", "first"]
    ruled.rows("churn", GOOD, begin="2025-03-09")
    ruled.cycle(looks=2)
    assert [one[1] for one in ruled.told()] == ["first", "over", "first", "over"]
    assert ruled.boxes["ops"].got[3].worst_section.incident == ruled.boxes["ops"].got[2].worst_section.incident


def test_an_episode_that_a_correction_splits_stays_one_incident(ruled):
    ruled.rows("churn", *FINE[:5], BAD, BAD, BAD)
    ruled.cycle()
    ruled.rows("churn", GOOD, begin="2025-03-07")
    ruled.cycle(looks=3)
    assert [one[1] for one in ruled.told()] == ["first"]
    ruled.rows("churn", GOOD, begin="2025-03-09")
    ruled.cycle(looks=2)
    assert [one[1] for one in ruled.told()] == ["first", "over"]


def test_a_configuration_that_is_broken_keeps_the_old_and_says_so(ruled):
    ruled.rows("churn", *FINE)
    ruled.cycle()
    old, ruled.config = ruled.config, ConfigError("modeltop.toml: watch.evry: unknown key")
    ruled.rounds.reload()
    assert "watch.evry: unknown key" in health.read_last_health(ruled.state).error
    ruled.rows("churn", BAD, begin="2025-03-09")
    ruled.cycle()
    assert len(ruled.told()) == 1
    ruled.config = old
    ruled.rounds.reload()
    assert health.read_last_health(ruled.state).error is None


def test_no_data_is_told_after_a_second_look_a_minute_later(world):
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rows("churn", *FINE)
    world.sleep(days=1)
    world.cycle()
    world.sleep(seconds=59)
    world.cycle()
    assert world.told() == []
    world.sleep(seconds=2)
    assert world.rounds.needs_run()
    world.cycle()
    assert [(part.metric, part.severity) for part in world.boxes["ops"].got[0].sections] == [("*", Severity.UNKNOWN)]
    world.rows("churn", GOOD, begin="2025-03-11")
    world.cycle()
    assert [one[1] for one in world.told()] == ["first", "over"]


def test_the_second_look_may_be_that_of_another_run(world):
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rows("churn", *FINE)
    world.sleep(days=1)
    for expected in (0, 1):
        world.restart()
        world.cycle()
        world.sleep(seconds=61)
        assert len(world.told()) == expected


def test_a_source_that_cannot_be_read_is_told_after_three_failures_and_resolves_nothing(ruled):
    path = ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    hidden = path.rename(path.with_suffix(".away"))
    path.mkdir()
    ruled.cycle(looks=2)
    assert len(ruled.told()) == 1
    ruled.cycle()
    ruled.restart()
    ruled.cycle(looks=4)
    assert [one[:2] for one in ruled.told()] == [("trigger", "first"), ("trigger", "first")]
    path.rmdir()
    hidden.rename(path)
    ruled.cycle(looks=2)
    assert [one[1] for one in ruled.told()] == ["first", "first", "over"]


def test_a_look_that_fails_is_said_and_people_are_told_of_the_last_one_meanwhile(ruled, monkeypatch):
    ruled.boxes["ops"].answers = [DOWN]
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    monkeypatch.setattr(ruled.rounds.settings.pipeline, "run", lambda _: 1 / 0)
    before = health.read_last_health(ruled.state).at
    ruled.sleep(minutes=5)
    ruled.cycle()
    assert len(ruled.told()) == 1
    assert "ZeroDivisionError" in health.read_last_health(ruled.state).error
    assert health.read_last_health(ruled.state).at == before


def test_what_people_do_takes_effect_without_another_look(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    [incident] = ruled.facts.incidents.values()
    assert ruled.rounds.seconds_until_due() > 0
    ack = Acknowledgement(
        incident.id,
        "floor",
        incident.key,
        incident.level,
        "ann",
        "mine",
        ruled.wall,
        ruled.wall + timedelta(days=1),
        incident.since,
    )
    EventLog(ruled.state).append(Acknowledged(ruled.wall, ack))
    assert ruled.rounds.seconds_until_due() == 0
    ruled.rounds.send_due()
    ruled.sleep(hours=5)
    ruled.cycle(looks=2)
    assert len(ruled.told()) == 1


def test_while_silenced_only_the_end_is_told(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    silence = Silence(
        "s1", Matchers(model="churn"), ruled.wall, ruled.wall + timedelta(hours=9), "ann", "x", ruled.wall
    )
    EventLog(ruled.state).append(SilenceCreated(ruled.wall, silence))
    ruled.sleep(hours=5)
    ruled.rows("churn", WORST, begin="2025-03-10")
    ruled.cycle()
    ruled.rows("churn", GOOD, begin="2025-03-11")
    ruled.cycle()
    assert [one[1] for one in ruled.told()] == ["first", "over"]


def test_a_rule_that_was_removed_is_said_as_the_reason(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    ruled.config = replace(ruled.config, rules=(replace(ruled.rule(warn=0.1, critical=0.05), name="other"),))
    ruled.rounds.reload()
    ruled.cycle()
    assert ruled.told()[1:] == [("resolve", "withdrawn", "churn")]
    assert "the rule was removed" in ruled.boxes["ops"].got[1].text


def test_how_long_a_second_look_waits_can_be_changed_while_it_runs(world):
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rows("churn", *FINE)
    world.sleep(days=1)
    world.cycle()
    world.receivers("ops", no_data_wait=timedelta(seconds=10))
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rounds.reload()
    world.sleep(seconds=11)
    world.cycle()
    assert len(world.told()) == 1


def test_an_alert_whose_rows_are_gone_stands_for_a_day_and_then_is_withdrawn_for_that_reason(ruled):
    path = ruled.rows("churn", *FINE, BAD)
    ruled.rows("other", *FINE)
    ruled.config = replace(ruled.config, on_no_data=Severity.OK)
    ruled.cycle()
    path.unlink()
    ruled.cycle()
    ruled.sleep(hours=3)
    ruled.cycle()
    assert len(ruled.told()) == 1
    ruled.sleep(hours=22)
    ruled.cycle()
    assert "its rows have been gone for a day" in ruled.boxes["ops"].got[-1].text
