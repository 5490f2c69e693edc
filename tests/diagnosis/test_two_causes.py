"""Two causes at once: both are named where neither explains the other, and only there."""

import pytest

from modeltop.core.diagnosis import MAX_SENTENCE, Action, Cause, Certainty
from modeltop.core.series import Severity
from modeltop.core.text import display_width

FELL = {"accuracy": (0.95, 0.75), "avg_confidence": (0.95, 0.93)}
STILL = {"age": (0.03, 0.001), "plan": (0.03, 0.001), "city": (0.03, 0.001), "unit": (0.03, 0.001)}
LOST = STILL | {"unit": (0.03, 0.34)}
BASE_RATE = {"label_rate": (0.2, 0.4), "recall": (0.9, 0.7), "specificity": (0.95, 0.8)}


@pytest.fixture
def diagnose(make_model, make_features, run_diagnosis):
    """Return a function that diagnoses a critical model by its metrics, features, and more series."""

    def run(levels, features, more=()):
        series = make_model(**levels) + make_features(**features)
        return run_diagnosis([*series, *more], severity=Severity.CRITICAL)

    return run


def likely(diagnosis):
    return [each.cause for each in diagnosis.hypotheses if each.certainty in (Certainty.CERTAIN, Certainty.LIKELY)]


@pytest.mark.parametrize(
    ("levels", "features", "second", "why", "do"),
    [
        pytest.param(
            FELL,
            LOST | {"age": (0.3, 0.001)},
            Cause.FEATURE_DRIFT,
            "Likely broken input: unit missing 0.1 %→34 %; also feature drift.",
            "Fix unit in the input pipeline, then compare age with training.",
            id="another feature shifted",
        ),
        pytest.param(
            FELL,
            LOST | dict.fromkeys(("age", "plan", "city"), (0.3, 0.001)),
            Cause.DATA_DRIFT,
            "Likely broken input: unit missing 0.1 %→34 %; also data drift.",
            "Fix unit in the input pipeline, then compare the other inputs.",
            id="all others shifted",
        ),
        pytest.param(
            FELL | BASE_RATE,
            LOST,
            Cause.LABEL_SHIFT,
            "Likely broken input: unit missing 0.1 %→34 %; also label shift.",
            "Fix unit in the input pipeline, then recalibrate the scores.",
            id="more labels are positive",
        ),
        pytest.param(
            FELL | BASE_RATE,
            LOST | {"age": (0.12, 0.001)},
            Cause.LABEL_SHIFT,
            "Likely broken input: unit missing 0.1 %→34 %; also label shift.",
            "Fix unit in the input pipeline, then recalibrate the scores.",
            id="a feature follows the labels",
        ),
    ],
)
def test_a_broken_input_does_not_explain_what_its_column_cannot(diagnose, levels, features, second, why, do):
    diagnosis = diagnose(levels, features)
    assert likely(diagnosis) == [Cause.UPSTREAM, second]
    assert (diagnosis.verdict.why, diagnosis.verdict.do) == (why, do)
    assert diagnosis.actions[0] is Action.FIX_PIPELINE


@pytest.mark.parametrize(
    ("levels", "features", "causes"),
    [
        pytest.param(FELL, LOST, [Cause.UPSTREAM], id="a broken input alone"),
        pytest.param(FELL, STILL | {"age": (0.3, 0.001)}, [], id="a shifted feature alone, or its jump"),
        pytest.param(FELL, LOST | {"unit": (0.3, 0.34)}, [Cause.UPSTREAM], id="the broken input shifted as well"),
        pytest.param(FELL | BASE_RATE | {"label_rate": (0.2, 0.21)}, LOST, [Cause.UPSTREAM], id="labels as before"),
    ],
)
def test_a_single_fault_has_no_second_cause(diagnose, levels, features, causes):
    diagnosis = diagnose(levels, features)
    assert likely(diagnosis)[1:] == causes[1:]
    assert "also" not in diagnosis.verdict.why


def test_a_segment_that_fell_most_is_no_second_cause_beside_a_fault_of_all_rows(diagnose, make_step):
    shares = {"country=AT": (0.95, 0.95, 700.0), "country=CH": (0.95, 0.35, 300.0)}
    segments = [make_step("accuracy", *pair, segment=name, rows=rows) for name, (*pair, rows) in shares.items()]
    assert likely(diagnose({"accuracy": (0.95, 0.77)}, LOST, segments)) == [Cause.UPSTREAM]


def test_scores_that_are_off_because_of_a_broken_input_need_no_recalibration(diagnose):
    off = {"brier_score": (0.05, 0.15), "log_loss": (0.2, 0.5), "roc_auc": (0.95, 0.95)}
    assert likely(diagnose(off, LOST)) == [Cause.UPSTREAM]


def test_both_causes_fit_a_sentence_whatever_the_names_are(diagnose):
    features = {"a_" * 30 + name: levels for name, levels in (LOST | {"age": (0.3, 0.001)}).items()}
    verdict = diagnose(FELL, features).verdict
    assert "also feature drift" in verdict.why
    assert "then compare the other inputs" in verdict.do
    assert all(display_width(text) <= MAX_SENTENCE for text in (verdict.what, verdict.why, verdict.do))
