"""Snapshots of files: only what changed is evaluated again."""

from datetime import UTC, datetime, timedelta

import pytest

from modeltop.cli.context import limit_rules
from modeltop.config.load import Config, load
from modeltop.core.series import Condition, Severity, State
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.history.files import file_stat
from modeltop.report.phrases import headline
from modeltop.rules import evaluator
from modeltop.service.pipeline import BACKLOG_NOTICE, Pipeline

CLOCK = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    for model, last in (("good", 0.95), ("bad", 0.5)):
        rows = [f"2025-01-{day:02},{0.95 if day < 10 else last}\n" for day in range(1, 11)]
        (tmp_path / f"{model}.csv").write_text("date,accuracy\n" + "".join(rows))
    return tmp_path


def append(path, row):
    with path.open("a") as file:
        file.write(row)


def test_a_snapshot_lists_the_worst_model_first(folder):
    snapshot = Pipeline(Config(), [folder]).run(CLOCK)
    assert [(status.model, status.severity) for status in snapshot.model_statuses] == [
        ("bad", Severity.CRITICAL),
        ("good", Severity.OK),
    ]
    assert snapshot.taken_at == datetime(2025, 1, 10, tzinfo=UTC)
    assert snapshot.clock == CLOCK


def test_for_a_store_now_is_the_clock_so_old_rows_are_no_data(folder):
    snapshot = Pipeline(Config(), [folder], live=True).run(CLOCK)
    assert [alert.key.model for alert in snapshot.alerts if alert.condition is Condition.NO_DATA] == ["bad", "good"]


def test_now_overrides_the_clock_and_the_newest_row(folder):
    now = datetime(2025, 1, 13, tzinfo=UTC)
    assert Pipeline(Config(), [folder], live=True, now=now).run(CLOCK).taken_at == now


def test_a_row_in_the_future_takes_no_part_and_is_reported(folder):
    append(folder / "good.csv", "2031-01-01,0.1\n")
    append(folder / "bad.csv", "2031-01-01,0.95\n")
    pipeline = Pipeline(Config(), [folder])
    snapshot = pipeline.run(CLOCK)
    assert snapshot.taken_at == datetime(2025, 1, 10, tzinfo=UTC)
    assert {alert.key.model for alert in snapshot.alerts if alert.is_active} == {"bad"}, "it neither alerts nor heals"
    assert [problem.source for problem in snapshot.history.problems if "2031" in problem.message] == ["bad", "good"]
    again = pipeline.run(CLOCK)
    assert again.history.series == snapshot.history.series, "the same objects: nothing is evaluated anew"


def test_a_row_in_the_future_is_evaluated_once_it_is_due(folder):
    append(folder / "good.csv", "2031-01-01,0.1\n")
    pipeline = Pipeline(Config(), [folder])
    pipeline.run(CLOCK)
    assert pipeline.valid_until == datetime(2030, 12, 30, 22, tzinfo=UTC), "26 hours before it begins"
    snapshot = pipeline.run(datetime(2030, 12, 31, tzinfo=UTC))
    assert "good" in {alert.key.model for alert in snapshot.alerts if alert.is_active}
    assert pipeline.valid_until is None


def test_now_bounds_the_rows_exactly_and_does_not_doubt_the_clock(folder):
    snapshot = Pipeline(Config(), [folder], now=datetime(2025, 1, 9, 12, tzinfo=UTC)).run(CLOCK)
    assert snapshot.history.newest == datetime(2025, 1, 9, tzinfo=UTC)
    assert (snapshot.history.problems, snapshot.clock_doubt) == ((), None)
    assert [alert for alert in snapshot.alerts if alert.is_active] == []


def test_if_most_models_run_ahead_of_the_clock_it_is_the_clock_and_nothing_is_missing(folder):
    behind = datetime(2025, 1, 5, tzinfo=UTC)
    (folder / "late.csv").write_text("date,accuracy\n" + "".join(f"2024-12-{day:02},0.95\n" for day in range(1, 9)))
    snapshot = Pipeline(Config(), [folder], live=True).run(behind)
    assert snapshot.history.newest == datetime(2025, 1, 10, tzinfo=UTC), "all rows are evaluated"
    assert "bad" in {alert.key.model for alert in snapshot.alerts if alert.is_active}
    assert [alert for alert in snapshot.alerts if alert.condition is Condition.NO_DATA] == []
    assert "check the clock" in str(snapshot.clock_doubt)
    assert snapshot.clock_doubt in snapshot.notices
    assert (snapshot.severity, headline(snapshot)[:8]) == (Severity.CRITICAL, "CRITICAL")
    (folder / "bad.csv").unlink()
    snapshot = Pipeline(Config(), [folder], live=True).run(behind - timedelta(days=30))
    assert (snapshot.severity, headline(snapshot)[:8]) == (Severity.UNKNOWN, "UNKNOWN:"), "never OK by a wrong clock"


def test_a_model_with_future_rows_alone_cannot_be_read(folder):
    (folder / "slip.csv").write_text("date,accuracy\n2062-01-01,0.95\n")
    snapshot = Pipeline(Config(), [folder]).run(CLOCK)
    assert [(alert.key.model, alert.severity) for alert in snapshot.alerts if alert.condition is Condition.ERROR] == [
        ("slip", Severity.UNKNOWN)
    ]


def test_only_changed_series_are_evaluated_again(folder, monkeypatch):
    observed, evaluated = Pipeline(Config(), [folder]), []
    observed.run(CLOCK)
    replays = evaluator.replay
    monkeypatch.setattr(
        evaluator,
        "replay",
        lambda batch, *rest: evaluated.extend(item.key.model for item in batch) or replays(batch, *rest),
    )
    append(folder / "good.csv", "2025-01-11,0.2\n")
    assert observed.needs_run()
    snapshot = observed.run(CLOCK)
    assert set(evaluated) == {"good"}
    assert {alert.key.model for alert in snapshot.alerts if alert.is_active} == {"good", "bad"}
    assert not observed.needs_run()


def test_a_source_is_an_alert_after_the_configured_number_of_failures(folder):
    observed = Pipeline(Config(), [folder, folder / "absent.csv"], failures_before_alert=3)
    errors = []
    for run in range(4):
        assert run == 0 or observed.needs_run() == (run < 3)
        snapshot = observed.run(CLOCK + timedelta(seconds=run))
        errors.append([alert for alert in snapshot.alerts if alert.condition is Condition.ERROR])
    assert [len(error_alerts) for error_alerts in errors] == [0, 0, 1, 1]
    assert errors[2][0].id == errors[3][0].id
    assert errors[2][0].state is State.FIRING


def test_a_source_that_recovers_resets_its_failures(folder):
    observed = Pipeline(Config(), [folder / "late.csv"], failures_before_alert=2)
    observed.run(CLOCK)
    (folder / "late.csv").write_text("date,accuracy\n2025-01-01,0.95\n")
    assert not [alert for alert in observed.run(CLOCK).alerts if alert.condition is Condition.ERROR]
    (folder / "late.csv").unlink()
    assert not [alert for alert in observed.run(CLOCK).alerts if alert.condition is Condition.ERROR]


def test_a_model_that_was_critical_and_is_gone_is_no_recovery_while_the_app_is_open(folder):
    text, observed = (folder / "bad.csv").read_text(), Pipeline(Config(), [folder], failures_before_alert=3)
    observed.run(CLOCK)
    (folder / "bad.csv").unlink()
    assert [observed.run(CLOCK).severity for _ in range(4)] == [Severity.OK, Severity.OK, *[Severity.UNKNOWN] * 2]
    (folder / "bad.csv").write_text(text)
    assert observed.run(CLOCK).severity is Severity.CRITICAL


def test_a_rule_that_found_no_value_makes_the_model_unknown(folder, tmp_path):
    (tmp_path / "modeltop.toml").write_text(
        '[[rules]]\nname = "r"\nmodel = "good"\nmetric = "acuracy"\ncritical = { below = 0.9 }\n'
    )
    snapshot = Pipeline(load(tmp_path / "modeltop.toml"), [folder]).run(CLOCK)
    [alert] = [alert for alert in snapshot.alerts if alert.condition is Condition.UNREADABLE]
    assert (alert.key.model, alert.severity) == ("good", Severity.UNKNOWN)
    assert alert.breach.message == "no value for rule r: the metrics are accuracy"
    assert {status.model: status.severity for status in snapshot.model_statuses}["good"] is Severity.UNKNOWN


def test_a_file_without_a_readable_row_keeps_its_alert_over_repeated_looks(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("date,accuracy\nsoon,0.9\n")
    pipeline, alerts = Pipeline(Config(), [path]), []
    for hour in range(3):
        append(path, "later,0.9\n")
        alerts += pipeline.run(CLOCK + timedelta(hours=hour)).alerts
    assert [alert.since for alert in alerts] == [CLOCK] * 3
    other_process = Pipeline(Config(), [path]).run(CLOCK + timedelta(hours=9)).alerts
    assert {alert.id for alert in alerts} == {alert.id for alert in other_process}


def test_values_that_could_not_be_read_are_not_reported_as_missing_too(tmp_path):
    path = tmp_path / "m.csv"
    rows = [f"2025-01-{day:02},{0.95 if day < 10 else 'n.v.'},0.9\n" for day in range(1, 20)]
    path.write_text("date,accuracy,precision\n" + "".join(rows))
    alerts = Pipeline(Config(), [path]).run(CLOCK).alerts
    assert [(alert.condition, alert.key.metric) for alert in alerts] == [(Condition.UNREADABLE, "accuracy")]


def test_a_store_on_a_network_disk_is_reported(folder, monkeypatch):
    monkeypatch.setattr("modeltop.service.pipeline.network_filesystem", lambda _: "nfs4")
    [notice] = Pipeline(Config(), [folder], live=True).run(CLOCK).notices
    assert "nfs4" in notice


def test_the_order_of_paths_and_rules_changes_no_alert(folder):
    paths = [folder / "good.csv", folder / "bad.csv"]
    first = Pipeline(Config(), paths).run(CLOCK)
    second = Pipeline(Config(), paths[::-1]).run(CLOCK)
    assert first.alerts == second.alerts
    assert first.model_statuses == second.model_statuses


def test_a_limit_of_both_sides_is_one_rule():
    class Args:
        below = ("accuracy=0.8",)
        above = ("acc=0.99",)

    [rule] = limit_rules(Args, Config())
    [(_, limit)] = rule.detector.limits()
    assert (limit.below, limit.above) == (0.8, 0.99)


@pytest.fixture
def falling(tmp_path):
    """Two models of which one falls lastingly by less than a floor would object to."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for model, low in (("calm", 0.95), ("falling", 0.93)):
        values = [(0.95 if day < 40 else low) + 0.002 * (-1) ** day for day in range(60)]
        rows = [f"{start + timedelta(days=day):%Y-%m-%d},{value}\n" for day, value in enumerate(values)]
        (tmp_path / f"{model}.csv").write_text("date,accuracy\n" + "".join(rows))
    return tmp_path


def falling_models(snapshot):
    return [alert.key.model for alert in snapshot.alerts if alert.rule == "baseline-drop"]


def test_deferred_detectors_run_at_the_second_run_and_a_notice_reports_it(falling, monkeypatch):
    monkeypatch.setattr(evaluator, "BACKLOG_THRESHOLD", 1)
    observed = Pipeline(Config(), [falling], defer_slow_detectors=True)
    first = observed.run(CLOCK)
    assert (falling_models(first), BACKLOG_NOTICE in first.notices, observed.needs_run()) == (
        [],
        True,
        True,
    )
    second = observed.run(CLOCK)
    assert (falling_models(second), BACKLOG_NOTICE in second.notices, observed.needs_run()) == (
        ["falling"],
        False,
        False,
    )


@pytest.mark.parametrize(("defer", "threshold"), [(True, 2), (False, 1)], ids=["a small fleet", "no hurry"])
def test_without_deferral_everything_is_evaluated_at_once(falling, monkeypatch, defer, threshold):
    monkeypatch.setattr(evaluator, "BACKLOG_THRESHOLD", threshold)
    observed = Pipeline(Config(), [falling], defer_slow_detectors=defer)
    first = observed.run(CLOCK)
    assert (falling_models(first), BACKLOG_NOTICE in first.notices, observed.needs_run()) == (
        ["falling"],
        False,
        False,
    )


def test_critical_alerts_are_not_deferred(folder, monkeypatch):
    monkeypatch.setattr(evaluator, "BACKLOG_THRESHOLD", 1)
    snapshot = Pipeline(Config(), [folder], defer_slow_detectors=True).run(CLOCK)
    assert [alert.key.model for alert in snapshot.alerts if alert.is_active] == ["bad"]


def test_a_value_that_was_written_over_in_place_changes_the_verdict(folder, write_over):
    pipeline = Pipeline(Config(), [folder])
    assert {alert.key.model for alert in pipeline.run(CLOCK).alerts if alert.is_active} == {"bad"}
    assert not pipeline.needs_run()
    write_over(folder / "good.csv", b"01-10,0.95", b"01-10,0.42")
    assert pipeline.needs_run()
    snapshot = pipeline.run(CLOCK)
    assert {alert.key.model for alert in snapshot.alerts if alert.is_active} == {"bad", "good"}
    assert pipeline.file_stats()[str(folder / "good.csv")] == file_stat(folder / "good.csv")


def test_on_request_all_is_read_anew(folder):
    pipeline = Pipeline(Config(), [folder])
    before = pipeline.run(CLOCK).history
    assert pipeline.run(CLOCK).history is before
    pipeline.mark_stale()
    after = pipeline.run(CLOCK).history
    assert not any(after.series[key] is series for key, series in before.series.items())
    assert [series.values.tolist() for series in after.series.values()] == [
        series.values.tolist() for series in before.series.values()
    ]


def test_a_column_that_lost_all_values_is_one_alert_on_its_missing_rate_and_the_cause(tmp_path):
    rows = ["date,model,metric,segment,value,count"]
    for day in range(40):
        is_lost, date = day >= 34, (CLOCK + timedelta(days=day)).date()
        rows.append(f"{date},churn,accuracy,all,{(0.95, 0.8)[is_lost] + day % 3 / 100},1000")
        rows.append(f"{date},churn,missing_rate,feature=income,{float(is_lost)},1000")
        rows += (
            []
            if is_lost
            else [f"{date},churn,{name},feature=income,0.0{day % 3},1000" for name in ("psi", "js_distance")]
        )
    (tmp_path / "churn.csv").write_text("\n".join(rows))
    snapshot = Pipeline(Config(), [tmp_path]).run(CLOCK + timedelta(days=40))
    assert not [alert.key for alert in snapshot.alerts if alert.condition is Condition.NO_DATA]
    assert "missing_rate" in {alert.key.metric for alert in snapshot.alerts if alert.is_active}
    assert snapshot.missing_values == {}
    assert diagnose_model(snapshot, "churn").verdict.why == "Likely broken input: income missing 0 %→100 %."
