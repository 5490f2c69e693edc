"""From rows in a store to messages, over restarts, faults and corrections."""

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


def test_an_alert_is_sent_once_then_escalated_then_resolved(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle(runs=3)
    assert rule_world.sent() == [("trigger", "first", "churn")]
    rule_world.sleep(days=1)
    rule_world.rows("churn", WORST, start="2025-03-10")
    rule_world.run_cycle(runs=3)
    rule_world.sleep(days=1)
    rule_world.rows("churn", GOOD, start="2025-03-11")
    rule_world.run_cycle(runs=3)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "worse", "over"]
    assert len({message.worst_section.incident for message in rule_world.inboxes["ops"].received}) == 1


def test_it_is_repeated_after_four_hours_and_not_before(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    for hours, expected in ((3.9, 1), (0.2, 2), (3.7, 2), (0.3, 3)):
        rule_world.sleep(hours=hours)
        rule_world.run_cycle()
        assert len(rule_world.sent()) == expected


def test_the_first_start_on_two_years_of_history_pages_nobody_for_the_past(rule_world):
    for number in range(20):
        values = [WORST if day % 40 in (number, number + 1) else GOOD for day in range(730)]
        rule_world.rows(f"m{number}", *values[:-2], GOOD, BAD if number == 7 else GOOD, start="2023-03-11")
    rule_world.run_cycle(runs=3)
    rule_world.restart()
    rule_world.run_cycle(runs=2)
    assert rule_world.sent() == [("trigger", "first", "m7")]
    assert len(rule_world.alerting_state.incidents) == 1


def test_an_imported_history_of_a_new_model_pages_nobody_for_the_past(rule_world):
    rule_world.rows("churn", *FINE)
    rule_world.run_cycle()
    rule_world.rows("imported", *([GOOD, WORST] * 30), GOOD, start="2025-01-08")
    rule_world.run_cycle(runs=2)
    assert rule_world.sent() == []


def test_late_rows_that_move_the_start_change_neither_id_nor_message(rule_world):
    rule_world.rows("churn", *FINE[:6], None, BAD)
    rule_world.run_cycle()
    rule_world.rows("churn", BAD, start="2025-03-07")
    rule_world.run_cycle(runs=3)
    assert len(rule_world.sent()) == 1
    [incident] = rule_world.alerting_state.incidents.values()
    assert f"{incident.members[0].since:%m-%d}" == "03-07"
    rule_world.rows("churn", GOOD, start="2025-03-09")
    rule_world.run_cycle(runs=2)
    first, over = rule_world.inboxes["ops"].received
    assert (over.worst_section.action.value, over.worst_section.incident) == ("resolve", first.worst_section.incident)


def test_a_corrected_row_withdraws_the_incident_with_a_reason(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    rule_world.rows("churn", GOOD, GOOD, start="2025-03-09")
    rule_world.run_cycle(runs=3)
    assert rule_world.sent() == [("trigger", "first", "churn"), ("resolve", "withdrawn", "churn")]
    assert "corrected" in rule_world.inboxes["ops"].received[1].text


def change_rule(world, **limits):
    world.config = replace(world.config, rules=(world.rule(**limits),))
    world.cycle.reload()
    world.run_cycle(runs=2)


def test_a_relaxed_rule_withdraws_its_incidents(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    change_rule(rule_world, warn=0.8, critical=0.7)
    assert rule_world.sent() == [("trigger", "first", "churn"), ("resolve", "withdrawn", "churn")]


def test_a_tightened_rule_escalates_the_same_incident(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    change_rule(rule_world, warn=0.9, critical=0.88)
    first, worse = rule_world.inboxes["ops"].received
    assert worse.worst_section.reason.value == "worse"
    assert worse.worst_section.dedup_key == first.worst_section.dedup_key


def test_two_alerts_that_a_correction_merges_are_one_incident(rule_world):
    rule_world.rows("churn", *FINE[:5], BAD)
    rule_world.run_cycle()
    rule_world.rows("churn", GOOD, start="2025-03-07")
    rule_world.run_cycle()
    rule_world.rows("churn", BAD, start="2025-03-08")
    rule_world.run_cycle()
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over", "first"]
    rule_world.rows("churn", BAD, start="2025-03-07")
    rule_world.run_cycle(runs=3)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over", "first"]
    rule_world.rows("churn", GOOD, start="2025-03-09")
    rule_world.run_cycle(runs=2)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over", "first", "over"]
    assert (
        rule_world.inboxes["ops"].received[3].worst_section.incident
        == rule_world.inboxes["ops"].received[2].worst_section.incident
    )


def test_an_alert_that_a_correction_splits_stays_one_incident(rule_world):
    rule_world.rows("churn", *FINE[:5], BAD, BAD, BAD)
    rule_world.run_cycle()
    rule_world.rows("churn", GOOD, start="2025-03-07")
    rule_world.run_cycle(runs=3)
    assert [entry[1] for entry in rule_world.sent()] == ["first"]
    rule_world.rows("churn", GOOD, start="2025-03-09")
    rule_world.run_cycle(runs=2)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over"]


def test_an_invalid_configuration_is_reported_and_not_used(rule_world):
    rule_world.rows("churn", *FINE)
    rule_world.run_cycle()
    old, rule_world.config = rule_world.config, ConfigError("modeltop.toml: watch.evry: unknown key")
    rule_world.cycle.reload()
    assert "watch.evry: unknown key" in health.read_last_health(rule_world.state).error
    rule_world.rows("churn", BAD, start="2025-03-09")
    rule_world.run_cycle()
    assert len(rule_world.sent()) == 1
    rule_world.config = old
    rule_world.cycle.reload()
    assert health.read_last_health(rule_world.state).error is None


def test_no_data_is_sent_after_a_grace_period_of_a_minute(world):
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rows("churn", *FINE)
    world.sleep(days=1)
    world.run_cycle()
    world.sleep(seconds=59)
    world.run_cycle()
    assert world.sent() == []
    world.sleep(seconds=2)
    assert world.cycle.needs_run()
    world.run_cycle()
    assert [(section.metric, section.severity) for section in world.inboxes["ops"].received[0].sections] == [
        ("*", Severity.UNKNOWN)
    ]
    world.rows("churn", GOOD, start="2025-03-11")
    world.run_cycle()
    assert [entry[1] for entry in world.sent()] == ["first", "over"]


def test_the_grace_period_spans_runs(world):
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rows("churn", *FINE)
    world.sleep(days=1)
    for expected in (0, 1):
        world.restart()
        world.run_cycle()
        world.sleep(seconds=61)
        assert len(world.sent()) == expected


def test_an_unreadable_source_is_sent_after_three_failures_and_resolves_nothing(rule_world):
    path = rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    hidden = path.rename(path.with_suffix(".away"))
    path.mkdir()
    rule_world.run_cycle(runs=2)
    assert len(rule_world.sent()) == 1
    rule_world.run_cycle()
    rule_world.restart()
    rule_world.run_cycle(runs=4)
    assert [entry[:2] for entry in rule_world.sent()] == [("trigger", "first"), ("trigger", "first")]
    path.rmdir()
    hidden.rename(path)
    rule_world.run_cycle(runs=2)
    assert [entry[1] for entry in rule_world.sent()] == ["first", "first", "over"]


def test_a_failed_evaluation_is_reported_while_the_last_one_is_sent(rule_world, monkeypatch):
    rule_world.inboxes["ops"].responses = [DOWN]
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    monkeypatch.setattr(rule_world.cycle.settings.pipeline, "run", lambda *_, **__: 1 / 0)
    before = health.read_last_health(rule_world.state).at
    rule_world.sleep(minutes=5)
    rule_world.run_cycle()
    assert len(rule_world.sent()) == 1
    assert "ZeroDivisionError" in health.read_last_health(rule_world.state).error
    assert health.read_last_health(rule_world.state).at == before


def test_an_acknowledgement_takes_effect_without_another_evaluation(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    [incident] = rule_world.alerting_state.incidents.values()
    assert rule_world.cycle.seconds_until_due() > 0
    ack = Acknowledgement(
        incident.id,
        "churn",
        incident.level,
        "ann",
        "mine",
        rule_world.wall,
        rule_world.wall + timedelta(days=1),
        incident.fired_at,
        incident.fired_at,
    )
    EventLog(rule_world.state).append(Acknowledged(rule_world.wall, ack))
    assert rule_world.cycle.seconds_until_due() == 0
    rule_world.cycle.send_due()
    rule_world.sleep(hours=5)
    rule_world.run_cycle(runs=2)
    assert len(rule_world.sent()) == 1


def test_while_silenced_only_the_end_is_sent(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    silence = Silence(
        "s1",
        Matchers(model="churn"),
        rule_world.wall,
        rule_world.wall + timedelta(hours=9),
        "ann",
        "x",
        rule_world.wall,
    )
    EventLog(rule_world.state).append(SilenceCreated(rule_world.wall, silence))
    rule_world.sleep(hours=5)
    rule_world.rows("churn", WORST, start="2025-03-10")
    rule_world.run_cycle()
    rule_world.rows("churn", GOOD, start="2025-03-11")
    rule_world.run_cycle()
    assert [entry[1] for entry in rule_world.sent()] == ["first", "over"]


def test_a_removed_rule_is_the_reason_of_a_withdrawal(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    rule_world.config = replace(
        rule_world.config, rules=(replace(rule_world.rule(warn=0.1, critical=0.05), name="other"),)
    )
    rule_world.cycle.reload()
    rule_world.run_cycle()
    assert rule_world.sent()[1:] == [("resolve", "withdrawn", "churn")]
    assert "the rule was removed" in rule_world.inboxes["ops"].received[1].text


def test_the_grace_period_can_be_changed_by_a_reload(world):
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.rows("churn", *FINE)
    world.sleep(days=1)
    world.run_cycle()
    world.receivers("ops", no_data_wait=timedelta(seconds=10))
    world.config = replace(world.config, stale_after=timedelta(days=2))
    world.cycle.reload()
    world.sleep(seconds=11)
    world.run_cycle()
    assert len(world.sent()) == 1


def test_an_incident_whose_rows_are_gone_is_withdrawn_after_a_day(rule_world):
    path = rule_world.rows("churn", *FINE, BAD)
    rule_world.rows("other", *FINE)
    rule_world.config = replace(rule_world.config, on_no_data=Severity.OK)
    rule_world.run_cycle()
    path.unlink()
    rule_world.run_cycle()
    rule_world.sleep(hours=3)
    rule_world.run_cycle()
    assert len(rule_world.sent()) == 1
    rule_world.sleep(hours=22)
    rule_world.run_cycle()
    assert "its rows have been gone for a day" in rule_world.inboxes["ops"].received[-1].text


def test_a_value_that_was_written_over_in_place_is_sent(rule_world, write_over):
    path = rule_world.rows("churn", *FINE, GOOD)
    rule_world.run_cycle()
    assert rule_world.sent() == []
    write_over(path, b"03-09,churn,0.95", b"03-09,churn,0.85")
    assert rule_world.cycle.needs_run()
    rule_world.run_cycle()
    assert rule_world.sent() == [("trigger", "first", "churn")]


def test_rows_in_the_future_are_logged_once_and_do_no_harm(world):
    world.rows("churn", 0.95, 0.94, 0.95, start="2025-03-08")
    world.rows("churn", 0.1, start="2052-03-10")
    world.run_cycle(runs=3)
    assert world.log.count("1 period of") == 1
    assert "churn.csv is in the future, from 10 Mar 2052 on: not evaluated" in world.log
    assert world.sent() == []
