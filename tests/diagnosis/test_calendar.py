"""A holiday explains what is on its days alone: it hides no fall that lasts, and no fault."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from modeltop.cli.main import main
from modeltop.core.calendar import CalendarEvent, DayRange
from modeltop.core.diagnosis import MAX_SENTENCE, Action, Cause, Certainty
from modeltop.core.incident import Note

CHANGED = date(2025, 3, 2)
"""The day on which `make_step` changes a series."""
FELL = {"accuracy": (0.95, 0.80)}


def holiday(days, name="Carnival"):
    """Return an event of so many days from the change on."""
    last = CHANGED + timedelta(days=days - 1)
    return CalendarEvent(name, (DayRange(f"{CHANGED:%m-%d}", f"{last:%m-%d}"),))


@pytest.fixture
def fell(make_step):
    """Return the series of a model that fell so many days ago."""
    return lambda days: [make_step(metric, *pair, n=(60, days)) for metric, pair in FELL.items()]


def test_a_fall_on_a_configured_holiday_is_explained_and_waited_out(run_diagnosis, make_alert, fell):
    diagnosis = run_diagnosis(fell(2), alerts=[make_alert()], calendar=[holiday(3)])
    assert (diagnosis.cause, diagnosis.certainty) == (Cause.CALENDAR, Certainty.LIKELY)
    assert diagnosis.verdict.why == "Likely calendar effect: Carnival, 2 Mar to 3 Mar."
    assert diagnosis.verdict.do == "Wait for the next ordinary day."
    assert diagnosis.actions[0] is Action.WAIT


def test_a_fall_that_lasts_beyond_the_holiday_is_not_explained_by_it(run_diagnosis, make_alert, fell):
    diagnosis = run_diagnosis(fell(4), alerts=[make_alert()], calendar=[holiday(3)])
    assert Cause.CALENDAR not in [hypothesis.cause for hypothesis in diagnosis.hypotheses]


def test_a_fall_that_began_on_the_day_before_is_not_explained(run_diagnosis, make_alert, make_series):
    levels = [0.95 + 0.002 * (-1) ** day for day in range(60)]
    event = CalendarEvent("Carnival", (DayRange("03-03", "03-05"),))

    def causes(first):
        series = make_series("accuracy", [*levels, first, 0.85, 0.85, 0.85])
        found = run_diagnosis([series], alerts=[make_alert(since=datetime(2025, 3, 2, tzinfo=UTC))], calendar=[event])
        return [hypothesis.cause for hypothesis in found.hypotheses]

    assert Cause.CALENDAR not in causes(0.912)
    assert Cause.CALENDAR in causes(0.948)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Golden Week and Labour Day public holiday", "Golden Week and Labour Day…"),
        ("N" * 300, "N" * 31 + "…"),
    ],
)
def test_a_long_name_leaves_its_reason_in_the_sentence(run_diagnosis, make_alert, fell, name, shown):
    why = run_diagnosis(fell(2), alerts=[make_alert()], calendar=[holiday(3, name)]).verdict.why
    assert why.startswith(f"Likely calendar effect: {shown[:26]}")
    assert why.endswith("…, 2 Mar to 3 Mar.")
    assert len(why) <= MAX_SENTENCE


def test_a_holiday_of_another_day_explains_nothing(run_diagnosis, make_alert, fell):
    event = CalendarEvent("Christmas", (DayRange("12-24", "12-26"),))
    diagnosis = run_diagnosis(fell(2), alerts=[make_alert()], calendar=[event])
    assert Cause.CALENDAR not in [hypothesis.cause for hypothesis in diagnosis.hypotheses]


def test_inputs_that_differ_on_a_holiday_are_no_drift_but_a_lost_feature_is_a_fault(
    run_diagnosis, make_alert, make_features, fell
):
    def causes(**features):
        series = [*fell(10), *make_features(**features)]
        return run_diagnosis(series, alerts=[make_alert()], calendar=[holiday(10)]).hypotheses

    shifted = causes(age=(0.3, 0.001), income=(0.3, 0.001), plan=(0.3, 0.001))
    assert (shifted[0].cause, shifted[0].certainty) == (Cause.CALENDAR, Certainty.LIKELY)
    lost = causes(age=(0.3, 0.6), income=(0.03, 0.001), plan=(0.03, 0.001))
    assert {hypothesis.cause for hypothesis in lost[:2]} == {Cause.CALENDAR, Cause.UPSTREAM}
    assert not any(hypothesis.certainty is Certainty.LIKELY for hypothesis in lost)


def test_a_release_on_a_holiday_makes_it_doubtful(run_diagnosis, make_alert, fell):
    note = Note("m", "release 2.0", "ann", datetime(2025, 3, 2, tzinfo=UTC))
    diagnosis = run_diagnosis(fell(2), alerts=[make_alert()], calendar=[holiday(3)], notes=[note])
    (calendar,) = [each for each in diagnosis.hypotheses if each.cause is Cause.CALENDAR]
    assert calendar.evidence_against == ("noted: release 2.0",)
    assert calendar.certainty is not Certainty.LIKELY


def test_a_marked_release_is_not_rolled_back_while_a_holiday_explains_the_fall_as_well(run_diagnosis, make_alert, fell):
    note = Note("m", "release 2.0", "ann", datetime(2025, 3, 2, tzinfo=UTC), is_release=True)
    diagnosis = run_diagnosis(fell(2), alerts=[make_alert()], calendar=[holiday(3)], notes=[note])
    assert (diagnosis.cause, diagnosis.certainty) == (Cause.CALENDAR, Certainty.POSSIBLE)
    assert Action.ROLL_BACK not in diagnosis.actions


def test_a_drop_on_the_same_days_before_is_named_with_its_dates(run_diagnosis, make_alert, make_series):
    levels = [0.95] * 61
    for day in (18, 39, 60):
        levels[day] = 0.80
    series = make_series("accuracy", [level + 0.002 * (-1) ** day for day, level in enumerate(levels)])
    diagnosis = run_diagnosis([series], alerts=[make_alert()])
    assert diagnosis.verdict.why == "Likely calendar effect: the same drop on 19 Jan and 9 Feb."


@pytest.mark.parametrize(
    ("after", "is_explained"),
    [pytest.param(0.95, True, id="it is over"), pytest.param(0.89, False, id="it is better, and still too low")],
)
def test_a_fall_is_critical_whatever_explains_it_and_explained_only_if_it_ends(tmp_path, capsys, after, is_explained):
    lines = [f"{CHANGED + timedelta(days=day)},5000,{0.95 + 0.002 * (-1) ** day:.3f}" for day in range(-60, 0)]
    lines += [f"{CHANGED + timedelta(days=day)},5000,{level}" for day, level in enumerate((0.7, 0.7, after))]
    (tmp_path / "m.csv").write_text("\n".join(["date,rows,accuracy", *lines]) + "\n", encoding="utf-8")
    (tmp_path / "c.toml").write_text('[[calendar]]\nname = "Carnival"\ndates = "03-02..03-03"\n', encoding="utf-8")
    assert main(["check", str(tmp_path / "m.csv"), "--config", str(tmp_path / "c.toml"), "--json"]) == 2
    record = json.loads(capsys.readouterr().out)
    (model,), (incident,) = record["models"], record["incidents"]
    assert (model["causes"][0]["cause"] == "calendar effect") is is_explained
    assert (incident["steps"][0] == "Wait for the alert to resolve: it is recovering.") is is_explained
