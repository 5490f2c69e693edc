"""One sentence: what, since when, how much, why, what now; never too long, never anything that does not print."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.diagnosis import Action, Cause, CauseHypothesis, Pattern
from modeltop.core.incident import Note
from modeltop.core.series import Condition, Severity
from modeltop.core.text import display_width
from modeltop.diagnosis.summary import MAX_CELLS, describe_cause

HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["\x1b]52;c;Zg==\x07", "[@click=app.quit]x[/]", "\u202egpj.exe", "W" * 900, "宽" * 200, "a=b=c"]),
)


def test_a_complete_sentence(make_model, make_features, run_diagnosis):
    series = make_model(accuracy=(0.957, 0.846)) + make_features(unit=(0.03, 0.34), age=(0.03, 0.001))
    begun = "accuracy fell suddenly from 0.957 to 0.846 on 2025-03-02: broken upstream (unit missing 0.1 % -> 34 %)"
    assert run_diagnosis(series, severity=Severity.CRITICAL).sentence == f"{begun}; fix the pipeline first"
    assert run_diagnosis(series, severity=Severity.WARNING).sentence == f"{begun}; ticket: fix the pipeline first"


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        pytest.param([0.9, 0.3], "data drift", id="sure"),
        pytest.param([0.7, 0.3], "likely data drift", id="likely"),
        pytest.param([0.45], "perhaps data drift", id="hardly more than nothing"),
        pytest.param([0.9, 0.88], "perhaps data drift", id="another is as likely"),
    ],
)
def test_a_cause_is_qualified_by_its_weight(weights, text):
    causes = (Cause.DATA_DRIFT, Cause.CONCEPT_DRIFT)
    assert (
        describe_cause([CauseHypothesis(cause, weight, ("",)) for cause, weight in zip(causes, weights, strict=False)])
        == text
    )
    assert describe_cause([CauseHypothesis(Cause.DATA_DRIFT, 0.9, ("",))], doubted=True) == "perhaps data drift"


@pytest.mark.parametrize(
    ("days", "rows", "text"),
    [
        pytest.param(10, 1000.0, "; ticket: retrain on 10,000 new labels", id="how many labels there are"),
        pytest.param(3, 5000.0, "; wait: too early to retrain", id="that it is too early"),
        pytest.param(9, 100.0, "; wait: not enough new labels to retrain", id="that labels are missing"),
    ],
)
def test_the_sentence_ends_with_whether_to_retrain(make_step, run_diagnosis, days, rows, text):
    levels = {"accuracy": (0.95, 0.85), "avg_confidence": (0.95, 0.85)}
    series = [make_step(name, *pair, n=(60, days), rows=rows, support=rows) for name, pair in levels.items()]
    assert run_diagnosis(series, severity=Severity.WARNING).sentence.endswith(text)


def test_a_gradual_change_started_about_that_day(make_series, run_diagnosis):
    values = 0.95 - 0.004 * np.clip(np.arange(90) - 59, 0, None) + np.random.default_rng(1).normal(0, 0.003, 90)
    assert " fell gradually from 0.95 " in (sentence := run_diagnosis([make_series("f1_score", values)]).sentence)
    assert " since about 2025-03-" in sentence


@given(name=HOSTILE, metric=HOSTILE, note=HOSTILE)
def test_foreign_names_are_made_safe_and_the_sentence_stays_short(
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
    assert all(text.isprintable() for text in (diagnosis.sentence, diagnosis.advice, *clauses))
    assert display_width(diagnosis.sentence) <= MAX_CELLS
    assert diagnosis.cause is Cause.UPSTREAM


def test_the_sentence_of_a_healthy_model_is_its_status(make_model, run_diagnosis):
    diagnosis = run_diagnosis(
        make_model(accuracy=(0.95, 0.95), avg_confidence=(0.95, 0.95)), status_sentence="accuracy 0.95: healthy"
    )
    assert (diagnosis.sentence, diagnosis.hypotheses, diagnosis.key) == ("accuracy 0.95: healthy", (), None)
    assert diagnosis.advice == "nothing to do"


def test_a_spike_that_is_past_asks_for_nothing(make_series, run_diagnosis):
    values = 0.95 + np.random.default_rng(1).normal(0, 0.004, 80)
    values[60] = 0.6
    diagnosis = run_diagnosis([make_series("f1_score", values)])
    assert diagnosis.series_pattern.pattern is Pattern.SPIKE
    assert diagnosis.sentence == "f1_score fell to 0.60 for a short time on 2025-03-02, which is over; nothing to do"


def test_a_season_asks_for_nothing(make_series, run_diagnosis):
    days = np.arange(120)
    values = np.where(days % 7 >= 5, 0.42, 0.48) + np.random.default_rng(1).normal(0, 0.004, 120)
    diagnosis = run_diagnosis([make_series("click_through_rate", values)])
    assert (diagnosis.cause, diagnosis.sentence) == (
        Cause.SEASON,
        "click_through_rate goes up and down with the week; nothing to do",
    )


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
    assert [(pair.expected.direction, pair.realized.direction) for pair in diagnosis.expectations] == [
        ("as before", "fell")
    ]
