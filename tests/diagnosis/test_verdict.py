"""Three sentences: what, why, what to do; none too long, and nothing in them that does not print."""

import re
from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.diagnosis import MAX_SENTENCE, Action, Cause, Certainty, Verdict, certainty_of
from modeltop.core.incident import Note
from modeltop.core.series import Condition, Severity
from modeltop.core.text import display_width

HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["\x1b]52;c;Zg==\x07", "[@click=app.quit]x[/]", "\u202egpj.exe", "W" * 900, "宽" * 200, "a=b=c"]),
)


def sentences(diagnosis):
    return diagnosis.verdict.what, diagnosis.verdict.why, diagnosis.verdict.do


def test_a_complete_verdict(make_model, make_features, run_diagnosis):
    series = make_model(accuracy=(0.957, 0.846)) + make_features(unit=(0.03, 0.34), age=(0.03, 0.001))
    diagnosis = run_diagnosis(series, severity=Severity.CRITICAL)
    assert re.fullmatch(r"Accuracy dropped overnight on 2 Mar, 0.957→0.846; 0.8\d\d now.", diagnosis.verdict.what)
    assert sentences(diagnosis)[1:] == (
        "Likely broken input: unit missing 0.1 %→34 %.",
        "Fix unit in the input pipeline; do not retrain on it.",
    )


@pytest.mark.parametrize(
    ("weight", "rival", "certainty"),
    [
        pytest.param(0.96, 0.1, Certainty.CERTAIN, id="certain"),
        pytest.param(0.96, 0.5, Certainty.LIKELY, id="another is possible"),
        pytest.param(0.6, 0.4, Certainty.LIKELY, id="likely"),
        pytest.param(0.7, 0.55, Certainty.POSSIBLE, id="another is near"),
        pytest.param(0.45, 0.0, Certainty.POSSIBLE, id="possible"),
        pytest.param(0.9, 0.88, Certainty.UNCLEAR, id="another is as likely"),
        pytest.param(0.3, 0.0, Certainty.UNCLEAR, id="hardly more than nothing"),
    ],
)
def test_certainty_has_one_scale(weight, rival, certainty):
    assert certainty_of(weight, rival) is certainty


@pytest.mark.parametrize(
    ("after", "why", "do"),
    [
        pytest.param(0.86, "Likely data drift: confidence fell as much", "Compare the inputs", id="likely: an order"),
        pytest.param(0.89, "Cause unclear: ", "Check ", id="unclear: what to check"),
        pytest.param(0.95, "Possible concept drift: confidence did not", "Check labels and inputs", id="possible"),
    ],
)
def test_an_order_needs_a_cause_that_is_likely(make_model, run_diagnosis, after, why, do):
    diagnosis = run_diagnosis(make_model(accuracy=(0.95, 0.85), avg_confidence=(0.95, after)))
    assert diagnosis.verdict.why.startswith(why)
    assert diagnosis.verdict.do.startswith(do)


def test_a_gradual_change_started_about_that_day(make_series, run_diagnosis):
    values = 0.95 - 0.004 * np.clip(np.arange(90) - 69, 0, None) + np.random.default_rng(1).normal(0, 0.003, 90)
    what = run_diagnosis([make_series("f1_score", values)]).verdict.what
    assert re.match(r"F1 has slid since about \d+ Mar, 0.95\d→0.8\d\d", what)


def test_a_gradual_change_of_long_ago_is_dated_to_a_part_of_a_month(make_series, run_diagnosis):
    values = 0.95 - 0.001 * np.clip(np.arange(120) - 49, 0, None) + np.random.default_rng(1).normal(0, 0.003, 120)
    assert re.match(
        r"F1 has slid since (mid-|late )?(Feb|March)", run_diagnosis([make_series("f1_score", values)]).verdict.what
    )


def test_a_steady_fall_from_the_first_day_on_is_told_from_its_first_value_to_its_newest(
    make_series, run_diagnosis, make_alert
):
    values = [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87]
    series = make_series("accuracy", values)
    alert = replace(make_alert(since=series.newest), periods=2)
    diagnosis = run_diagnosis([series], alerts=[alert], severity=Severity.CRITICAL)
    assert diagnosis.verdict.what == "Accuracy fell steadily, 0.96→0.87 in 10 days; below 0.90 for 2."


@given(name=HOSTILE, metric=HOSTILE, note=HOSTILE)
def test_foreign_names_are_made_safe_and_the_sentences_stay_short(
    make_step, run_diagnosis, make_alert, changed_at, name, metric, note
):
    named = f"x{metric}"  # no other name of a metric that is known
    series = [
        make_step(named, 0.95, 0.7, spread=0.004),
        make_step("missing_rate", 0.0, 0.4, spread=0.001, segment=f"feature={name}"),
        make_step(named, 0.95, 0.6, spread=0.004, segment=f"city={name}", support=500.0),
    ]
    diagnosis = run_diagnosis(series, alerts=[make_alert(named)], notes=[Note("*", note, "ann", changed_at)])
    clauses = [clause for cause in diagnosis.hypotheses for clause in (*cause.evidence_for, *cause.evidence_against)]
    answers = [text for question in diagnosis.questions for text in question]
    assert all(text.isprintable() for text in (*sentences(diagnosis), *clauses, *answers))
    assert all(0 < display_width(sentence) <= MAX_SENTENCE for sentence in sentences(diagnosis))
    assert diagnosis.cause is Cause.UPSTREAM


def test_a_healthy_model_is_ok(make_model, run_diagnosis):
    healthy = make_model(accuracy=(0.95, 0.95), avg_confidence=(0.95, 0.95))
    diagnosis = run_diagnosis(healthy, evaluated=2)
    assert sentences(diagnosis) == ("ok: all 2 metrics within limits and baseline.", "", "")
    assert (diagnosis.hypotheses, diagnosis.key, diagnosis.actions) == ((), None, (Action.NOTHING,))


def test_a_change_inside_the_limits_is_ok_but(make_model, run_diagnosis):
    diagnosis = run_diagnosis(make_model(accuracy=(0.95, 0.93)), evaluated=1)
    assert diagnosis.verdict.what.startswith("ok, but accuracy dropped overnight on 2 Mar, 0.950→0.930")


def test_a_spike_that_is_past_and_a_season_ask_for_nothing(make_series, run_diagnosis):
    spike = 0.95 + np.random.default_rng(1).normal(0, 0.004, 80)
    spike[60] = 0.6
    week = np.where(np.arange(120) % 7 >= 5, 0.42, 0.48) + np.random.default_rng(1).normal(0, 0.004, 120)
    found = [
        run_diagnosis([make_series(name, values)], evaluated=1).verdict
        for name, values in (("f1_score", spike), ("click_through_rate", week))
    ]
    assert found[0] == Verdict("ok: its metric is within limits and baseline."), "a past fall explains nothing"
    assert found[1].what == found[0].what
    assert found[1].why == "click_through_rate goes up and down with the week: normal for a Wednesday."


def test_confidence_that_falls_alone_is_called_so(make_model, run_diagnosis, make_alert):
    series = make_model(accuracy=(0.95, 0.95), avg_confidence=(0.94, 0.82))
    diagnosis = run_diagnosis(series, alerts=[make_alert("avg_confidence")], severity=Severity.WARNING)
    assert diagnosis.verdict.what == "Less confident since 2 Mar, 0.94→0.82; accuracy holds so far."


@pytest.mark.parametrize("severity", list(Severity))
def test_a_diagnosis_never_changes_how_bad_it_is(make_model, run_diagnosis, severity):
    assert run_diagnosis(make_model(accuracy=(0.95, 0.5)), severity=severity).severity is severity


def test_a_source_that_cannot_be_read_is_no_outage(make_model, run_diagnosis, make_alert):
    broken = make_alert("*", condition=Condition.ERROR, message="no such file")
    diagnosis = run_diagnosis(make_model(accuracy=(0.95, 0.95)), alerts=[broken], severity=Severity.UNKNOWN)
    assert (diagnosis.hypotheses, diagnosis.actions) == ((), (Action.CORRECT_INPUT,))


def test_the_focus_comes_first_then_the_most_significant_changes(make_model, run_diagnosis):
    diagnosis = run_diagnosis(make_model(accuracy=(0.95, 0.85), avg_confidence=(0.95, 0.95), recall=(0.9, 0.5)))
    rows = [change.key.metric for change in diagnosis.metric_changes]
    assert rows[0] == diagnosis.key.metric
    assert rows[-2:] == ["avg_confidence", "rows"]
    accuracy = next(change for change in diagnosis.metric_changes if change.key.metric == "accuracy")
    assert (accuracy.direction, round(accuracy.delta, 3)) == ("fell", -0.1)
    assert accuracy.low < -0.1 < accuracy.high


def test_the_limit_of_missing_data_is_no_limit_of_the_metric(make_series, make_alert, run_diagnosis):
    values = [*(0.84 + np.random.default_rng(1).normal(0, 0.004, 60)), *[0.4] * 10]
    silent = make_alert("accuracy", condition=Condition.NO_DATA, message="no rows for 5 days")
    silent = replace(silent, breach=replace(silent.breach, value=432_000.0, limit=216_000.0))
    collapse = make_alert("accuracy", message="0.400, baseline 0.840")
    alerts = [replace(collapse, breach=replace(collapse.breach, is_baseline=True)), silent]
    diagnosis = run_diagnosis([make_series("accuracy", values)], alerts=alerts, severity=Severity.CRITICAL)
    assert "216" not in str(diagnosis.verdict)


def test_an_earlier_incident_is_no_baseline_and_makes_no_noise_of_a_certain_fall(
    make_series, make_alert, run_diagnosis
):
    values = np.concatenate([np.full(30, 0.87), np.full(6, 0.50), np.full(24, 0.87), np.full(10, 0.75)])
    series = make_series("roc_auc", values + np.random.default_rng(1).normal(0, 0.005, len(values)))
    day = [moment.item().replace(tzinfo=UTC) for moment in series.times]
    earlier = replace(make_alert("roc_auc", since=day[30]), resolved=day[36])
    alerts = [make_alert("roc_auc", since=day[60]), earlier]
    diagnosis = run_diagnosis([series], alerts=alerts, severity=Severity.CRITICAL)
    assert diagnosis.cause is not Cause.NOISE
    (change,) = (change for change in diagnosis.metric_changes if change.key.metric == "roc_auc")
    assert (change.direction, round(change.before, 2)) == ("fell", 0.87)


def test_a_sentence_is_never_cut_inside_a_number(make_series, make_alert, run_diagnosis):
    values = np.concatenate([np.full(60, 998116579663.0), np.full(9, 3000311058202.0), [3006204207818.0]])
    values *= 1 + np.random.default_rng(1).normal(0, 0.002, len(values))
    diagnosis = run_diagnosis([make_series("rmse", values)], alerts=[make_alert("rmse")], severity=Severity.CRITICAL)
    numbers = re.findall(r"\d+", diagnosis.verdict.what.partition("Mar,")[2])
    assert [len(number) for number in numbers] == [12, 13]
    assert "…" not in diagnosis.verdict.what
