"""Any history has a diagnosis: short, constant, with gaps, without counts, or with strange ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.diagnosis import MAX_SENTENCE
from modeltop.core.series import Severity
from modeltop.core.text import display_width

METRICS = (
    "accuracy",
    "recall",
    "precision",
    "label_rate",
    "avg_confidence",
    "estimated_accuracy",
    "brier_score",
    "mae",
)
SEGMENTS = ("all", "all", "country=AT", "country=CH", "feature=age", "feature=score")
COLUMN = ("js_distance", "missing_rate", "psi")
VALUES = st.sampled_from([0.0, 1.0, 0.5, 0.95, 0.2, -3.0, 1e-12, 1e9])
COUNTS = st.sampled_from([None, 0.0, 1.0, 1000.0, float("nan")])


@st.composite
def histories(draw, make_series):
    """Draw some series of one model, each with a step."""
    series = {}
    for _ in range(draw(st.integers(1, 6))):
        segment = draw(st.sampled_from(SEGMENTS))
        metric = draw(st.sampled_from(COLUMN if segment.startswith("feature=") else METRICS))
        n, at = draw(st.integers(1, 90)), draw(st.integers(0, 90))
        level, other, spread = draw(VALUES), draw(VALUES), draw(st.sampled_from([0.0, 0.01]))
        noise = spread * np.random.default_rng(n).standard_normal(n)
        values = np.where(np.arange(n) < at, level, other) + noise
        counts = draw(COUNTS)
        rows = np.nan if counts is None else counts
        first = draw(st.integers(0, 30))
        series[metric, segment] = make_series(metric, values, segment=segment, rows=rows, support=counts, first=first)
    return list(series.values())


@pytest.mark.parametrize("alerting", [False, True], ids=["healthy", "alerting"])
@given(data=st.data())
@settings(max_examples=150)
def test_any_history_has_a_verdict_and_five_answers(make_series, run_diagnosis, make_alert, data, alerting):
    series = data.draw(histories(make_series))
    key, since = series[0].key, data.draw(st.sampled_from(sorted({single.newest for single in series})))
    alerts = [make_alert(key.metric, segment=key.segment, since=since)] if alerting else []
    diagnosis = run_diagnosis(series, alerts=alerts, severity=Severity.WARNING)
    sentences = [text for text in (diagnosis.verdict.what, diagnosis.verdict.why, diagnosis.verdict.do) if text]
    reasons = [question.reason for question in diagnosis.questions]
    assert all(text.isprintable() and "nan" not in text for text in (*sentences, *reasons))
    assert sentences
    assert all(display_width(sentence) <= MAX_SENTENCE for sentence in sentences)
    assert all(len(question.answer.split()) <= 2 for question in diagnosis.questions)
    assert all(0 <= hypothesis.weight <= 1 for hypothesis in diagnosis.hypotheses)
    assert diagnosis.hypotheses or not alerting


def test_a_metric_that_rests_on_no_case_has_no_evaluated_period(make_series, run_diagnosis, make_alert):
    series = make_series("accuracy", [0.5, 0.4], support=0.0, rows=0.0)
    diagnosis = run_diagnosis([series], alerts=[make_alert(since=series.newest)], severity=Severity.WARNING)
    assert diagnosis.verdict.what == "Accuracy has no evaluated periods."
