"""Rows in the future: `check` evaluates without them, lists them, and is never better for them; `--now` bounds rows."""

from datetime import date, timedelta

import pytest

FALLEN = (0.80, 0.81, 0.80, 0.79, 0.80)


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Writes 35 days up to 4 Feb 2025, the last five as given, then rows of today with another year."""
    monkeypatch.chdir(tmp_path)

    def write(name, *newest, ahead=()):
        values = [0.95 + 0.001 * (day % 3) for day in range(35 - len(newest))] + list(newest)
        days = [date(2025, 1, 1) + timedelta(days=day) for day in range(35)]
        lines = [f"{day},{value}" for day, value in zip(days, values, strict=True)]
        lines += [f"2052-01-{30 + number},{value}" for number, value in enumerate(ahead)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["date,accuracy", *lines, ""]))

    return write


@pytest.mark.parametrize("words", [(), ("--now", "2025-02-05")])
def test_a_recovery_in_the_future_heals_nothing_and_is_listed(run, model, words):
    model("churn", *FALLEN, ahead=[0.95])
    model("crit", *FALLEN, ahead=[0.96, 0.95])
    model("quiet")
    for paths in (["churn.csv"], ["crit.csv"], ["."]):
        outcome = run("check", *paths, *words)
        assert (outcome.code, outcome.lines[0][:8]) == (2, "CRITICAL")
        assert "in the future, from 30 Jan 2052 on: not evaluated; correct the date" in outcome.err
    assert "1 period of ./churn.csv is" in outcome.err
    assert "2 periods of ./crit.csv are" in outcome.err


@pytest.mark.parametrize("ahead", [[], [0.95]])
def test_a_row_in_the_future_hides_no_silence(run, model, ahead):
    model("quiet", ahead=ahead)
    outcome = run("check", "quiet.csv", "--now", "2025-12-01")
    assert (outcome.code, outcome.lines[0][:8]) == (3, "UNKNOWN:")
    assert ("30 Jan 2052" in outcome.err) == bool(ahead)


def test_a_moment_before_all_rows_is_named_and_not_the_folder(run, model):
    model("good")
    outcome = run("check", "good.csv", "--now", "2020-01-01")
    assert outcome.code == 3
    assert "UNKNOWN: --now: 1 Jan 2020 is before all periods, the first of which is" in outcome.out


def test_a_fall_in_the_future_alerts_nobody(run, model):
    model("good", ahead=[0.1])
    assert run("check", "good.csv").code == 0


def test_now_leaves_out_the_rows_after_it_without_a_word(run, model):
    model("churn", *FALLEN)
    outcome = run("check", "churn.csv", "--now", "2025-01-28")
    assert (outcome.code, outcome.err) == (0, "")


def test_no_rule_is_proposed_from_rows_in_the_future(run, model):
    model("good", ahead=[0.1, 0.1])
    proposed = run("init", "good.csv", "--print").out
    model("good")
    assert run("init", "good.csv", "--print").out == proposed


def test_an_export_holds_all_rows(run, model):
    model("good", ahead=[0.1])
    assert "2052-01-30" in run("export", "good.csv").out


def test_a_model_with_future_rows_alone_is_unknown(run, model, tmp_path):
    model("good")
    (tmp_path / "slip.csv").write_text("date,accuracy\n2052-01-30,0.95\n")
    outcome = run("check", "good.csv", "slip.csv")
    assert outcome.code == 3
    assert "its only row of slip.csv is in the future, from 30 Jan 2052 on" in " ".join(outcome.out.split())


def test_a_clock_that_must_be_wrong_is_unknown_and_named_first(run, model, tmp_path):
    start = date.today() + timedelta(days=30)  # noqa: DTZ011  midnight changes nothing: 68 days and some hours
    lines = "".join(f"{start + timedelta(days=day)},0.95\n" for day in range(40))
    (tmp_path / "ahead.csv").write_text(f"date,accuracy\n{lines}")
    outcome = run("check", "ahead.csv")
    assert outcome.code == 3
    assert outcome.lines[0] == "UNKNOWN: most models have rows up to 68d in the future: check the clock"
    assert "the clock" in run("check", "ahead.csv", "--json").out
