"""From files to a snapshot, again and again: what did not change is not judged anew."""

from datetime import UTC, datetime, timedelta

import pytest

from modeltop.cli.context import limit_rules
from modeltop.config.load import Config, load
from modeltop.core.series import Condition, Severity, State
from modeltop.rules import evaluator
from modeltop.service import pipeline
from modeltop.service.pipeline import Pipeline

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


def test_a_look_says_who_is_worst(folder):
    snapshot = Pipeline(Config(), [folder]).run(CLOCK)
    assert [(one.model, one.severity) for one in snapshot.model_statuses] == [
        ("bad", Severity.CRITICAL),
        ("good", Severity.OK),
    ]
    assert snapshot.taken_at == datetime(2025, 1, 10, tzinfo=UTC)
    assert snapshot.clock == CLOCK


def test_for_a_store_now_is_the_clock_so_old_rows_are_a_silence(folder):
    snapshot = Pipeline(Config(), [folder], live=True).run(CLOCK)
    assert [one.key.model for one in snapshot.alerts if one.condition is Condition.NO_DATA] == ["bad", "good"]


def test_now_overrides_the_clock_and_the_newest_row(folder):
    now = datetime(2025, 1, 13, tzinfo=UTC)
    assert Pipeline(Config(), [folder], live=True, now=now).run(CLOCK).taken_at == now


def test_a_row_ahead_of_the_clock_does_not_move_now_but_is_judged_and_said(folder):
    append(folder / "good.csv", "2031-01-01,0.1\n")
    snapshot = Pipeline(Config(), [folder]).run(CLOCK)
    assert snapshot.taken_at == datetime(2025, 1, 10, tzinfo=UTC)
    assert {one.key.model for one in snapshot.alerts if one.is_active} == {"good", "bad"}
    assert any("future" in problem.message for problem in snapshot.history.problems)


def test_only_what_changed_is_judged_again(folder, monkeypatch):
    observer, judged = Pipeline(Config(), [folder]), []
    observer.run(CLOCK)
    replays = evaluator.replay
    monkeypatch.setattr(
        evaluator, "replay", lambda many, *rest: judged.extend(one.key.model for one in many) or replays(many, *rest)
    )
    append(folder / "good.csv", "2025-01-11,0.2\n")
    assert observer.needs_run()
    snapshot = observer.run(CLOCK)
    assert set(judged) == {"good"}
    assert {one.key.model for one in snapshot.alerts if one.is_active} == {"good", "bad"}
    assert not observer.needs_run()


def test_a_source_is_an_alert_after_as_many_failures_as_patience_says(folder):
    observer = Pipeline(Config(), [folder, folder / "absent.csv"], failures_before_alert=3)
    found = []
    for look in range(4):
        assert look == 0 or observer.needs_run() == (look < 3)
        snapshot = observer.run(CLOCK + timedelta(seconds=look))
        found.append([one for one in snapshot.alerts if one.condition is Condition.ERROR])
    assert [len(one) for one in found] == [0, 0, 1, 1]
    assert found[2][0].id == found[3][0].id
    assert found[2][0].state is State.FIRING


def test_a_source_that_comes_back_starts_its_count_anew(folder):
    observer = Pipeline(Config(), [folder / "late.csv"], failures_before_alert=2)
    observer.run(CLOCK)
    (folder / "late.csv").write_text("date,accuracy\n2025-01-01,0.95\n")
    assert not [one for one in observer.run(CLOCK).alerts if one.condition is Condition.ERROR]
    (folder / "late.csv").unlink()
    assert not [one for one in observer.run(CLOCK).alerts if one.condition is Condition.ERROR]


def test_a_rule_that_asks_about_nothing_is_said(folder, tmp_path):
    (tmp_path / "modeltop.toml").write_text('[[rules]]\nname = "r"\nmetric = "acuracy"\ncritical = { below = 0.9 }\n')
    snapshot = Pipeline(load(tmp_path / "modeltop.toml"), [folder]).run(CLOCK)
    assert snapshot.notices == ("rule r asks about acuracy of *, segment all: there is no such series",)


def test_a_store_on_a_network_disk_is_said(folder, monkeypatch):
    monkeypatch.setattr(pipeline, "network_filesystem", lambda _: "nfs4")
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


def fallen(snapshot):
    return [one.key.model for one in snapshot.alerts if one.rule == "default-fall"]


def test_in_a_hurry_a_large_fleet_is_followed_at_the_second_look_and_that_is_said(falling, monkeypatch):
    monkeypatch.setattr(evaluator, "BACKLOG_THRESHOLD", 1)
    observer = Pipeline(Config(), [falling], defer_slow_detectors=True)
    first = observer.run(CLOCK)
    assert (fallen(first), pipeline.BACKLOG_NOTICE in first.notices, observer.needs_run()) == ([], True, True)
    second = observer.run(CLOCK)
    assert (fallen(second), pipeline.BACKLOG_NOTICE in second.notices, observer.needs_run()) == (
        ["falling"],
        False,
        False,
    )


@pytest.mark.parametrize(("hurry", "many"), [(True, 2), (False, 1)], ids=["a small fleet", "no hurry"])
def test_otherwise_everything_is_judged_at_once(falling, monkeypatch, hurry, many):
    monkeypatch.setattr(evaluator, "BACKLOG_THRESHOLD", many)
    observer = Pipeline(Config(), [falling], defer_slow_detectors=hurry)
    first = observer.run(CLOCK)
    assert (fallen(first), pipeline.BACKLOG_NOTICE in first.notices, observer.needs_run()) == (
        ["falling"],
        False,
        False,
    )


def test_what_is_critical_does_not_wait(folder, monkeypatch):
    monkeypatch.setattr(evaluator, "BACKLOG_THRESHOLD", 1)
    snapshot = Pipeline(Config(), [folder], defer_slow_detectors=True).run(CLOCK)
    assert [one.key.model for one in snapshot.alerts if one.is_active] == ["bad"]
