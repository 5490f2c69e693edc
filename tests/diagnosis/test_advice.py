"""The next step: what is done first, and what has to be there before a model is trained anew."""

import numpy as np
import pytest

from modeltop.core.diagnosis import Action, Cause, Certainty
from modeltop.core.incident import Note
from modeltop.core.series import Condition, Severity

DRIFT = {"accuracy": (0.95, 0.85), "avg_confidence": (0.95, 0.85)}


def drifted(make_step, days, rows):
    return [make_step(name, *pair, n=(60, days), rows=rows, support=rows) for name, pair in DRIFT.items()]


CONCEPT = {"accuracy": (0.95, 0.85), "avg_confidence": (0.95, 0.95), "estimated_accuracy": (0.95, 0.95)}


@pytest.mark.parametrize(("days", "rows"), [(10, 1000), (3, 5000), (9, 100)])
def test_an_overnight_concept_drift_is_not_retrained_for_before_its_reason_is_known(
    make_step, run_diagnosis, days, rows
):
    series = [
        make_step(name, *pair, n=(60, days), rows=float(rows), support=float(rows)) for name, pair in CONCEPT.items()
    ]
    diagnosis = run_diagnosis(series, severity=Severity.CRITICAL)
    assert (diagnosis.actions, diagnosis.labels_since_change) == ((Action.INVESTIGATE,), days * rows)
    assert diagnosis.verdict.do == "Check what shipped on 2 Mar; do not retrain yet."


@pytest.mark.parametrize(
    ("labeled", "action", "step"),
    [
        pytest.param(1.0, Action.RETRAIN, "Retrain: ", id="enough labels"),
        pytest.param(0.02, Action.WAIT, "Do not retrain yet: needs 1,000 new labels, has ", id="few labels"),
    ],
)
def test_a_gradual_concept_drift_that_lasts_is_retrained_for(make_series, run_diagnosis, labeled, action, step):
    fall = np.clip(np.arange(90) - 59, 0, None) * 0.004
    noise = np.random.default_rng(1).normal(0, 0.004, 90)
    levels = {"accuracy": 0.95 - fall, "avg_confidence": np.full(90, 0.95), "estimated_accuracy": np.full(90, 0.95)}
    series = [make_series(name, level + noise, support=1000.0) for name, level in levels.items()]
    series.append(make_series("label_coverage", np.full(90, labeled)))
    diagnosis = run_diagnosis(series, severity=Severity.CRITICAL)
    assert diagnosis.actions == (action,)
    assert diagnosis.verdict.do.startswith(step)


@pytest.mark.parametrize(
    ("levels", "cause", "step"),
    [
        pytest.param(
            {"accuracy": (0.9, 0.1), "roc_auc": (0.95, 0.06), "label_rate": (0.16, 0.16)},
            Cause.INVERTED_SCORES,
            "Check the sign and the class order of the scores since 2 Mar.",
            id="inverted scores",
        ),
        pytest.param(
            {"accuracy": (0.9, 0.1), "roc_auc": (0.95, 0.06), "label_rate": (0.49, 0.51)},
            Cause.INVERTED_SCORES,
            "Check the sign of the scores and the coding of the labels since 2 Mar.",
            id="inverted scores, or labels of classes alike",
        ),
        pytest.param(
            {"accuracy": (0.9, 0.1), "roc_auc": (0.95, 0.06), "label_rate": (0.16, 0.84)},
            Cause.MISJOINED_LABELS,
            "Check the labels and their join since 2 Mar; do not retrain on them.",
            id="inverted labels",
        ),
        pytest.param(
            {"accuracy": (0.9, 0.6), "roc_auc": (0.95, 0.5)},
            Cause.MISJOINED_LABELS,
            "Check the labels and their join since 2 Mar; do not retrain on them.",
            id="misjoined labels",
        ),
        pytest.param(
            {"mae": (10.0, 30.0), "r2": (0.8, -0.7)},
            Cause.MISJOINED_LABELS,
            "Check the labels and their join since 2 Mar; do not retrain on them.",
            id="misjoined labels of a regression",
        ),
    ],
)
def test_what_has_lost_all_skill_overnight_is_never_trained_on(
    make_model, make_features, run_diagnosis, levels, cause, step
):
    series = make_model(**levels) + make_features(age=(0.03, 0.001), plan=(0.03, 0.001), score=(0.03, 0.001))
    diagnosis = run_diagnosis(series, severity=Severity.CRITICAL)
    assert (diagnosis.cause, diagnosis.verdict.do) == (cause, step)
    assert not {Action.RETRAIN, Action.WAIT} & set(diagnosis.actions)


@pytest.mark.parametrize(
    ("before", "after", "certainty"),
    [
        pytest.param(0.16, 0.84, Certainty.CERTAIN, id="only the labels were reversed"),
        pytest.param(0.16, 0.16, Certainty.CERTAIN, id="only the scores were reversed"),
        pytest.param(0.49, 0.51, Certainty.LIKELY, id="either looks alike"),
    ],
)
def test_what_is_reversed_is_certain_only_where_the_classes_tell_scores_from_labels(
    make_model, make_features, run_diagnosis, before, after, certainty
):
    levels = {"accuracy": (0.9, 0.1), "roc_auc": (0.95, 0.06), "label_rate": (before, after)}
    levels |= {"recall": (0.9, 0.1), "specificity": (0.9, 0.1)}
    assert run_diagnosis(make_model(**levels) + make_features(age=STILL, score=STILL)).certainty is certainty


STILL = (0.03, 0.001)


@pytest.fixture
def make_rollout(make_series, make_features):
    """Return a maker of a model whose metrics change over ten days and stay; its features and scores do not move."""

    def make(**levels):
        course = np.clip((np.arange(80) - 59) / 10, 0, 1)
        noise = np.random.default_rng(1).normal(0, 0.004, (len(levels), 80))
        pairs = zip(levels.items(), noise, strict=True)
        series = [make_series(name, old + course * (new - old) + error) for (name, (old, new)), error in pairs]
        return series + make_features(age=STILL, plan=STILL, score=STILL)

    return make


EXPECTED = {"accuracy": (0.9, 0.5), "avg_confidence": (0.9, 0.9), "estimated_accuracy": (0.9, 0.9)}


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        (0.06, Cause.INVERTED_SCORES),
        (0.5, Cause.MISJOINED_LABELS),
        pytest.param(0.65, Cause.CONCEPT_DRIFT, id="skill is left"),
    ],
)
def test_skill_that_is_lost_in_a_rollout_is_never_trained_on(make_rollout, run_diagnosis, after, cause):
    diagnosis = run_diagnosis(make_rollout(**EXPECTED, roc_auc=(0.9, after)), severity=Severity.CRITICAL)
    assert diagnosis.cause is cause
    assert (Action.RETRAIN in diagnosis.actions) == (cause is Cause.CONCEPT_DRIFT)


def test_a_share_of_positives_that_moved_far_and_alone_is_checked_before_a_retraining(make_rollout, run_diagnosis):
    levels = EXPECTED | {"roc_auc": (0.9, 0.74), "recall": (0.9, 0.8), "specificity": (0.9, 0.7)}
    still = run_diagnosis(make_rollout(**levels, label_rate=(0.48, 0.47)), severity=Severity.CRITICAL)
    moved = run_diagnosis(make_rollout(**levels, label_rate=(0.48, 0.2)), severity=Severity.CRITICAL)
    assert Action.RETRAIN in still.actions
    assert Action.RETRAIN not in moved.actions
    assert moved.verdict.do.startswith("Check labels and inputs since ")


def test_an_r2_far_below_that_of_shuffled_labels_is_no_wrong_join(make_model, make_features, run_diagnosis):
    series = make_model(mae=(10.0, 90.0), r2=(0.7, -29.0)) + make_features(age=STILL, score=STILL)
    diagnosis = run_diagnosis(series, severity=Severity.CRITICAL)
    assert Cause.MISJOINED_LABELS not in [each.cause for each in diagnosis.hypotheses]


def test_scores_that_moved_overnight_while_features_did_not_are_another_model(make_model, make_features, run_diagnosis):
    levels = {"accuracy": (0.9, 0.8), "roc_auc": (0.95, 0.85)}
    same = make_model(**levels) + make_features(age=(0.03, 0.001), score=(0.4, 0.001))
    diagnosis = run_diagnosis(same, severity=Severity.CRITICAL)
    assert diagnosis.cause is Cause.MODEL_CHANGE
    assert diagnosis.verdict.do == "Check which model version is served since 2 Mar; roll back if it changed."
    moved = make_model(**levels) + make_features(age=(0.3, 0.001), score=(0.4, 0.001))
    assert run_diagnosis(moved, severity=Severity.CRITICAL).cause is not Cause.MODEL_CHANGE
    held = make_model(**(levels | {"roc_auc": (0.95, 0.95)})) + make_features(age=(0.03, 0.001), score=(0.4, 0.001))
    assert run_diagnosis(held, severity=Severity.CRITICAL).cause is not Cause.MODEL_CHANGE


def test_a_data_drift_is_compared_before_anything_is_trained(make_step, run_diagnosis):
    diagnosis = run_diagnosis(drifted(make_step, 10, 1000.0), severity=Severity.CRITICAL)
    assert diagnosis.actions == (Action.COMPARE_INPUTS,)
    assert diagnosis.verdict.do == "Compare the inputs with the training data, then decide on retraining."


def test_labels_are_counted_by_their_coverage_where_there_is_one(make_step, make_series, run_diagnosis):
    coverage = make_series("label_coverage", [1.0] * 60 + [0.5] * 10)
    assert run_diagnosis([*drifted(make_step, 10, 1000.0), coverage]).labels_since_change == 5000


def test_a_fault_upstream_is_never_trained_on(make_model, make_features, run_diagnosis):
    series = make_model(**DRIFT) + make_features(income=(0.2, 0.3), age=(0.03, 0.001))
    diagnosis = run_diagnosis(series, severity=Severity.CRITICAL)
    assert diagnosis.actions == (Action.FIX_PIPELINE,)
    assert diagnosis.verdict.do == "Fix income in the input pipeline; do not retrain on it."


def test_a_sudden_fall_on_the_day_of_a_marked_release_is_rolled_back(make_model, run_diagnosis, changed_at):
    note = Note("m", "autumn line", "ann", changed_at, is_release=True)
    diagnosis = run_diagnosis(make_model(**DRIFT), notes=[note])
    assert diagnosis.verdict.why == "Likely model change: noted: autumn line."
    assert diagnosis.actions[0] is Action.ROLL_BACK
    assert diagnosis.verdict.do == "Roll back the release of 2 Mar, then check what it changed."


@pytest.mark.parametrize(
    ("text", "is_release"),
    [
        ("release 2.3 to production", True),
        ("deployed new model", True),
        ("code freeze: no deployments this week", False),
        ("competitor released a cheaper plan", False),
        ("supplier V8 engine recall", False),
        ("new price list, version 2", False),
    ],
)
def test_a_note_of_text_alone_is_a_release_only_if_it_cannot_be_else_and_is_checked(
    make_model, run_diagnosis, changed_at, text, is_release
):
    diagnosis = run_diagnosis(make_model(**DRIFT), notes=[Note("m", text, "ann", changed_at)])
    clause = f"noted: {text}"
    releases = [each for each in diagnosis.hypotheses if each.cause is Cause.MODEL_CHANGE]
    assert any(clause in each.evidence_for for each in releases) == is_release
    assert Action.ROLL_BACK not in diagnosis.actions
    assert diagnosis.verdict.do.startswith("Check ")
    first = diagnosis.hypotheses[0].cause
    assert first not in (Cause.MODEL_CHANGE, Cause.BUSINESS) or clause in diagnosis.verdict.why


def test_a_release_is_no_reason_in_the_world_to_retrain_for(make_model, make_features, run_diagnosis, changed_at):
    series = make_model(**CONCEPT) + make_features(age=STILL, score=STILL)
    note = Note("m", "release 2.3", "ann", changed_at)
    assert Action.RETRAIN not in run_diagnosis(series, severity=Severity.CRITICAL, notes=[note]).actions


def test_what_is_not_critical_is_a_ticket_as_well(make_model, run_diagnosis):
    levels = {"recall": (0.8, 0.6), "precision": (0.8, 0.9)}
    assert run_diagnosis(make_model(**levels), severity=Severity.WARNING).actions == (
        Action.MOVE_THRESHOLD,
        Action.TICKET,
    )
    assert run_diagnosis(make_model(**levels), severity=Severity.CRITICAL).actions == (Action.MOVE_THRESHOLD,)


@pytest.mark.parametrize(
    ("levels", "missing"),
    [
        ({"accuracy": (0.95, 0.85)}, "no features or scores are logged"),
        ({"accuracy": (0.95, 0.85), "avg_confidence": (0.95, 0.89)}, "no features are logged"),
    ],
)
def test_without_a_cause_what_to_check_is_named_and_of_which_day(make_model, run_diagnosis, levels, missing):
    diagnosis = run_diagnosis(make_model(**levels))
    assert diagnosis.actions[0] is Action.INVESTIGATE
    assert diagnosis.hypotheses[0].evidence_for == (missing,)
    assert diagnosis.verdict.why == f"Cause unclear: {missing}."
    assert diagnosis.verdict.do == "Check what shipped on 2 Mar; do not retrain yet."


def test_what_was_never_better_has_no_baseline(make_series, run_diagnosis, make_alert):
    first = make_series("accuracy", [0.8] * 20)
    diagnosis = run_diagnosis([first], alerts=[make_alert(since=first.newest.replace(month=1, day=1))])
    assert diagnosis.verdict.why == "Cause unclear: no stable baseline: it starts at the first period."
    assert diagnosis.verdict.do == "Check deployments and data changes around 1 Jan."


@pytest.mark.parametrize(
    ("condition", "action", "text"),
    [
        pytest.param(Condition.UNREADABLE, Action.CORRECT_INPUT, "Correct the input.", id="unreadable"),
        pytest.param(
            Condition.NO_DATA, Action.CORRECT_INPUT, "Check why accuracy is no longer reported.", id="no data of it"
        ),
    ],
)
def test_input_that_is_missing_is_corrected_first_and_explained_by_nothing(
    make_step, make_alert, run_diagnosis, condition, action, text
):
    series = [make_step("accuracy", 0.95, 0.85), make_step("recall", 0.9, 0.6)]
    diagnosis = run_diagnosis(
        series, alerts=[make_alert(condition=condition)], severity=Severity.UNKNOWN, status_sentence="not read"
    )
    assert (diagnosis.actions, diagnosis.hypotheses, diagnosis.verdict.do) == ((action,), (), text)


def test_a_worse_alert_is_explained_beside_input_that_is_missing(make_step, make_alert, run_diagnosis):
    alerts = [make_alert(), make_alert("recall", condition=Condition.UNREADABLE)]
    diagnosis = run_diagnosis([make_step("accuracy", 0.95, 0.85)], alerts=alerts, severity=Severity.CRITICAL)
    assert Action.CORRECT_INPUT not in diagnosis.actions
