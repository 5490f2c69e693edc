"""The five questions: each has an answer of one or two words and the reason, whatever is known."""

import numpy as np
import pytest

from modeltop.core.series import Concern, ConcernKind, Condition, Severity
from modeltop.rules.detectors.limit import Limit

QUESTIONS = ["Declining?", "Less reliable?", "Less confident?", "Data changed?", "Retrain?"]
TEN_DAYS = {
    "accuracy": [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87],
    "precision": [0.95, 0.95, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.87, 0.85],
    "recall": [0.94, 0.93, 0.93, 0.92, 0.91, 0.90, 0.88, 0.87, 0.86, 0.84],
    "f1_score": [0.945, 0.94, 0.935, 0.925, 0.915, 0.905, 0.89, 0.88, 0.865, 0.845],
    "avg_confidence": [0.94, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.88, 0.86, 0.84],
}


def answers(diagnosis):
    assert [question.question for question in diagnosis.questions] == QUESTIONS
    return {question.question: f"{question.answer}: {question.reason}" for question in diagnosis.questions}


@pytest.fixture
def ten_days(make_series):
    return [make_series(metric, values) for metric, values in TEN_DAYS.items()]


@pytest.mark.parametrize(
    ("limits", "forecast"),
    [
        pytest.param([Limit(below=0.80)], "at this pace below 0.80 around 17 Jan", id="a limit ahead"),
        pytest.param([Limit(below=0.90)], "already below 0.90; 0.80 by about 17 Jan", id="a limit that is crossed"),
    ],
)
def test_the_ten_day_table(ten_days, run_diagnosis, make_alert, limits, forecast):
    alerts = [make_alert(since=ten_days[0].newest)]
    diagnosis = run_diagnosis(ten_days, alerts=alerts, severity=Severity.CRITICAL, limits=lambda _: limits)
    assert answers(diagnosis) == {
        "Declining?": f"yes: accuracy about 1 point a day for 10 days; {forecast}",
        "Less reliable?": "yes: F1 0.945→0.845; precision and recall fell alike",
        "Less confident?": "yes: 0.94→0.84, as much as accuracy",
        "Data changed?": "likely: falling confidence points to it; no features are logged",
        "Retrain?": "not yet: compare the inputs with the training data first",
    }


@pytest.mark.parametrize(
    ("levels", "columns", "expected"),
    [
        pytest.param(
            {"accuracy": (0.95, 0.85), "avg_confidence": (0.95, 0.935)},
            {},
            {
                "Declining?": "yes: accuracy dropped overnight on 2 Mar, 0.95→0.85",
                "Less confident?": "slightly: 0.950→0.935, while accuracy fell 0.95→0.85",
                "Data changed?": "unknown: no features are logged",
                "Retrain?": "not yet: find the cause first",
            },
            id="an overnight drop that confidence hardly saw",
        ),
        pytest.param(
            {"accuracy": (0.95, 0.85), "avg_confidence": (0.95, 0.95)},
            {"age": (0.03, 0.001), "plan": (0.03, 0.001)},
            {
                "Less confident?": "no: 0.95→0.95",
                "Data changed?": "no: none of 2 features shifted",
                "Retrain?": "not yet: the drop was overnight: find its reason",
            },
            id="concept drift",
        ),
        pytest.param(
            {"accuracy": (0.95, 0.85)},
            {"age": (0.2, 0.001), "plan": (0.03, 0.001), "city": (0.03, 0.001)},
            {
                "Less confident?": "unknown: no confidence is logged",
                "Data changed?": "yes: 1 of 3 features shifted: age",
                "Retrain?": "not yet: compare the inputs with the training data first",
            },
            id="feature drift",
        ),
        pytest.param(
            {"recall": (0.8, 0.6), "precision": (0.8, 0.9), "accuracy": (0.95, 0.95)},
            {},
            {
                "Less reliable?": "yes: recall 0.80→0.60; recall fell 0.80→0.60",
                "Retrain?": "no: review the decision threshold instead",
            },
            id="threshold effect",
        ),
        pytest.param(
            {"mae": (20.0, 30.0)},
            {},
            {"Declining?": "yes: MAE jumped overnight on 2 Mar, 20.00→30.00", "Less reliable?": "yes: MAE 20.00→30.00"},
            id="an error that rose",
        ),
        pytest.param(
            {"accuracy": (0.95, 0.95), "f1_score": (0.9, 0.9)},
            {},
            {
                "Declining?": "no: accuracy is 0.942, no sustained change",
                "Less reliable?": "no: no sustained change",
                "Retrain?": "no: nothing got worse",
            },
            id="healthy",
        ),
    ],
)
def test_answers_follow_from_what_changed(make_model, make_features, run_diagnosis, levels, columns, expected):
    found = answers(run_diagnosis(make_model(**levels) + make_features(**columns)))
    assert {question: found[question] for question in expected} == expected


def test_without_data_there_is_no_answer_and_nothing_to_learn_from(make_model, run_diagnosis, make_alert):
    silent = make_alert("*", condition=Condition.NO_DATA)
    found = answers(run_diagnosis(make_model(accuracy=(0.95, 0.85)), alerts=[silent]))
    assert set(list(found.values())[:4]) == {"unknown: no new data"}
    assert found["Retrain?"] == "no: no new data to learn from"


def test_a_trend_that_is_no_decline_from_the_first_day_has_its_own_length(make_series, run_diagnosis):
    values = 0.95 - 0.004 * np.clip(np.arange(90) - 69, 0, None) + np.random.default_rng(1).normal(0, 0.003, 90)
    found = answers(run_diagnosis([make_series("f1_score", values)]))["Declining?"]
    assert found.startswith("yes: F1 about 0.4 points a day for ")


def test_where_confidence_alone_fell_the_model_is_not_less_reliable(make_model, run_diagnosis, make_alert):
    series = make_model(accuracy=(0.93, 0.93), avg_confidence=(0.94, 0.82))
    alerts = [make_alert("avg_confidence", message="0.820, baseline 0.940")]
    found = answers(run_diagnosis(series, alerts=alerts, severity=Severity.WARNING))
    assert found["Declining?"] == "no: accuracy 0.93→0.93"
    assert found["Less reliable?"] == "no: accuracy 0.93→0.93"
    assert found["Less confident?"].startswith("yes: 0.94→0.82")


def test_the_pace_of_a_decline_is_that_of_its_values_and_not_of_the_healthy_days_before(make_series, run_diagnosis):
    healthy = 0.96 + np.random.default_rng(1).normal(0, 0.002, 20)
    falling = 0.96 - 0.01 * np.arange(1, 11)
    series = [make_series("accuracy", [*healthy, *falling])]
    found = answers(run_diagnosis(series, severity=Severity.CRITICAL, limits=lambda _: [Limit(below=0.80)]))
    assert "about 1 point a day for 1" in found["Declining?"]
    assert "at this pace below 0.80 around " in found["Declining?"]


def test_a_decline_that_the_rules_find_is_no_noise_and_has_one_size_everywhere(make_series, run_diagnosis, changed_at):
    values = 0.80 + np.random.default_rng(3).normal(0, 0.02, 70)
    series = make_series("f1_score", values, rows=300)
    concern = Concern(ConcernKind.DECLINING, series.key, changed_at, 10, 0.81, 0.78)
    diagnosis = run_diagnosis([series], concerns=[concern], severity=Severity.OK, evaluated=1)
    assert diagnosis.verdict.what == "ok, but declining: F1 -0.03 in 10 days."
    assert diagnosis.verdict.why.startswith("Cause unclear")
    answers = {question.question: (question.answer, question.reason) for question in diagnosis.questions}
    assert answers["Declining?"] == ("yes", "F1 -0.03 in 10 days")


@pytest.mark.parametrize(
    ("distance", "answer"),
    [
        pytest.param(0.03, "no: none of 2 features shifted", id="the newest inputs as before"),
        pytest.param(0.30, "yes: 1 of 2 features shifted: age", id="one of them shifted"),
    ],
)
def test_the_features_of_a_model_without_any_change_are_looked_at(
    make_model, make_features, run_diagnosis, distance, answer
):
    steady = make_model(accuracy=(0.95, 0.95)) + make_features(age=(distance, 0.001), income=(0.03, 0.001))
    assert answers(run_diagnosis(steady))["Data changed?"] == answer


@pytest.mark.parametrize(("distance", "is_told"), [(0.03, False), (0.30, True)])
def test_a_share_of_drifted_features_denies_no_feature(
    make_model, make_features, make_step, run_diagnosis, distance, is_told
):
    share = make_step("drifted_share", 0.0, 0.7, spread=0.01)
    fell = [*make_model(accuracy=(0.95, 0.85)), share, *make_features(age=(distance, 0.001))]
    told = run_diagnosis(fell).metric_changes
    assert any(change.key.metric == "drifted_share" for change in told) is is_told
