from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.core.diagnosis import Cause, Certainty, SegmentShare
from modeltop.core.incident import Note, SharedStart
from modeltop.core.series import Condition
from modeltop.diagnosis.causes.base import EvidenceItem, combine_evidence

FELL = {"accuracy": (0.95, 0.85)}


def paced(series, days):
    """Return the same values, so many days apart."""
    return replace(series, times=series.times[0] + days * (series.times - series.times[0]))


STILL = {"age": (0.03, 0.001), "income": (0.03, 0.001), "plan": (0.03, 0.001), "city": (0.03, 0.001)}


@pytest.mark.parametrize(
    ("levels", "columns", "cause", "text"),
    [
        pytest.param(
            FELL | {"avg_confidence": (0.95, 0.86)},
            {},
            Cause.DATA_DRIFT,
            "confidence fell as much, 0.95→0.86",
            id="confidence fell with accuracy",
        ),
        pytest.param(
            FELL | {"estimated_accuracy": (0.95, 0.85)},
            STILL | dict.fromkeys(("age", "income", "plan"), (0.3, 0.001)),
            Cause.DATA_DRIFT,
            "3 of 4 features shifted",
            id="many inputs moved and the estimate fell as much",
        ),
        pytest.param(
            FELL | {"estimated_accuracy": (0.95, 0.85)},
            STILL | {"age": (0.2, 0.001)},
            Cause.FEATURE_DRIFT,
            "1 of 4 features shifted: age",
            id="one input moved, its values are valid",
        ),
        pytest.param(
            FELL | {"avg_confidence": (0.95, 0.95), "estimated_accuracy": (0.95, 0.95)},
            STILL,
            Cause.CONCEPT_DRIFT,
            "none of 4 features shifted",
            id="accuracy fell, neither estimate nor confidence nor inputs did",
        ),
        pytest.param(
            FELL | {"estimated_accuracy": (0.95, 0.93)},
            STILL | {"income": (0.2, 0.34)},
            Cause.UPSTREAM,
            "income missing 0.1 %→34 %",
            id="a column lost a third of its values",
        ),
        pytest.param(
            {"precision": (0.9, 0.8), "recall": (0.85, 0.85), "specificity": (0.95, 0.95), "label_rate": (0.4, 0.25)},
            {},
            Cause.LABEL_SHIFT,
            "the share of positives fell 0.40→0.25",
            id="the base rate moved, each class is recognised as well",
        ),
        pytest.param(
            {"recall": (0.8, 0.6), "precision": (0.8, 0.9), "accuracy": (0.95, 0.95)},
            {},
            Cause.THRESHOLD,
            "precision rose 0.80→0.90",
            id="precision rose as recall fell",
        ),
        pytest.param(
            {"expected_calibration_error": (0.02, 0.12), "log_loss": (0.2, 0.35), "roc_auc": (0.9, 0.9)},
            {},
            Cause.CALIBRATION,
            "roc_auc is as before, 0.90",
            id="scores are off, their order holds",
        ),
        pytest.param(
            {"mae": (0.2, 0.3)},
            STILL,
            Cause.CONCEPT_DRIFT,
            "none of 4 features shifted",
            id="the error of a regression rose, its inputs are as before",
        ),
        pytest.param(
            {"mae": (0.2, 0.3)},
            STILL | dict.fromkeys(("age", "income", "plan"), (0.3, 0.001)),
            Cause.DATA_DRIFT,
            "3 of 4 features shifted",
            id="the error of a regression rose with its inputs",
        ),
        pytest.param(
            FELL, {}, Cause.UNKNOWN, "no features or scores are logged", id="accuracy alone tells nothing of why"
        ),
    ],
)
def test_the_likeliest_cause_follows_from_what_moved(
    make_model, make_features, run_diagnosis, levels, columns, cause, text
):
    diagnosis = run_diagnosis(make_model(**levels) + make_features(**columns))
    assert diagnosis.cause is cause
    assert text in "; ".join(diagnosis.hypotheses[0].evidence_for)


def test_a_new_version_the_day_before_is_the_likely_cause_and_what_to_roll_back(make_model, run_diagnosis, changed_at):
    note = Note("m", "version v2", "", changed_at - timedelta(days=1), is_release=True)
    diagnosis = run_diagnosis(make_model(**FELL), notes=[note])
    assert (diagnosis.cause, diagnosis.hypotheses[0].certainty) == (Cause.MODEL_CHANGE, Certainty.LIKELY)
    assert "version v2 since" in diagnosis.verdict.why
    assert diagnosis.verdict.do.startswith("Roll back version v2")


def test_where_a_version_is_new_every_few_days_one_near_the_change_proves_nothing(
    make_model, run_diagnosis, changed_at
):
    notes = [
        Note("m", f"version {number}", "", changed_at - timedelta(days=1 + 5 * number), is_release=True)
        for number in reversed(range(10))
    ]
    diagnosis = run_diagnosis(make_model(**FELL), notes=notes)
    assert diagnosis.hypotheses[0].certainty is not Certainty.LIKELY
    assert "Roll back" not in diagnosis.verdict.do


def test_a_note_of_that_day_is_a_change_of_business_and_a_later_one_is_not(make_model, run_diagnosis, changed_at):
    note = Note("*", "new price list", "ann", changed_at)
    diagnosis = run_diagnosis(make_model(**FELL), notes=[note])
    assert (diagnosis.cause, "new price list" in diagnosis.verdict.why) == (Cause.BUSINESS, True)
    later_note = Note("*", "new price list", "ann", changed_at.replace(month=changed_at.month + 1))
    assert run_diagnosis(make_model(**FELL), notes=[later_note]).cause is Cause.UNKNOWN


def test_rows_that_fell_below_half_are_an_outage(make_step, run_diagnosis):
    rows = [1000.0] * 30 + [990.0] * 30 + [200.0] * 10
    diagnosis = run_diagnosis([make_step("accuracy", 0.95, 0.85, rows=rows)])
    assert diagnosis.cause is Cause.OUTAGE
    assert "rows fell 995→200 a day" in diagnosis.hypotheses[0].evidence_for


@pytest.fixture
def lost_segment(make_step, make_series):
    """Return the series of a model of which one segment lost nearly all rows; the other has `others` times as many."""

    def make(others):
        counts = {"country=DE": (1000.0, 80.0), "country=FR": (2000.0, 2000.0 * others)}
        rows = {name: [before] * 30 + [before - 2] * 30 + [after] * 10 for name, (before, after) in counts.items()}
        total = [sum(pair) for pair in zip(*rows.values(), strict=True)]
        volume = make_series("rows", rows["country=DE"], segment="country=DE", rows=rows["country=DE"])
        return [make_step("accuracy", 0.95, 0.94, rows=total), volume]

    return make


@pytest.mark.parametrize(
    ("others", "evidence"),
    [
        pytest.param(1.0, 2, id="others as before"),
        pytest.param(0.75, 1, id="others fell as well, by less"),
    ],
)
def test_a_segment_that_lost_its_rows_is_an_outage_of_its_feed(
    lost_segment, run_diagnosis, make_alert, others, evidence
):
    alert = make_alert("rows", segment="country=DE")
    diagnosis = run_diagnosis(lost_segment(others), alerts=[alert])
    assert diagnosis.verdict.what == "Rows of country=DE dropped overnight on 2 Mar, 999→80."
    assert diagnosis.verdict.why == "Likely data outage: rows of country=DE fell 999→80 a day."
    assert diagnosis.verdict.do == "Check the feed of country=DE since 2 Mar."
    texts = ("rows of country=DE fell 999→80 a day", "other segments have as many rows as before")
    assert diagnosis.hypotheses[0].evidence_for == texts[:evidence]


def test_rows_that_all_segments_lost_alike_are_no_fault_of_one_feed(lost_segment, run_diagnosis, make_alert):
    diagnosis = run_diagnosis(lost_segment(0.08), alerts=[make_alert("rows"), make_alert("rows", segment="country=DE")])
    assert diagnosis.verdict.why == "Likely data outage: rows fell 2,998→240 a day."
    assert diagnosis.verdict.do == "Check the feed since 2 Mar."


def test_a_segment_without_any_rows_is_explained_before_its_missing_metrics(
    lost_segment, run_diagnosis, make_alert, changed_at
):
    missing = make_alert("accuracy", segment="country=DE", condition=Condition.NO_DATA, since=changed_at)
    unexplained = run_diagnosis(lost_segment(1.0), alerts=[missing])
    assert unexplained.verdict.do == "Check why accuracy of country=DE is no longer reported."
    explained = run_diagnosis(lost_segment(1.0), alerts=[missing, make_alert("rows", segment="country=DE")])
    assert explained.cause is Cause.OUTAGE
    assert explained.verdict.do == "Check the feed of country=DE since 2 Mar."


def test_a_model_without_rows_is_an_outage_whatever_its_metrics_did(make_model, run_diagnosis, make_alert, changed_at):
    silent = make_alert("*", condition=Condition.NO_DATA, since=changed_at)
    diagnosis = run_diagnosis(make_model(accuracy=(0.95, 0.95)), alerts=[silent])
    assert (diagnosis.cause, diagnosis.key) == (Cause.OUTAGE, None)
    assert diagnosis.verdict.what == "No data since 11 Mar; usually daily."


def test_one_segment_that_makes_the_fall_is_named(make_step, run_diagnosis):
    shares = {"country=AT": (0.95, 0.95, 500.0), "country=CH": (0.95, 0.75, 300.0), "country=DE": (0.95, 0.95, 200.0)}
    segments = [
        make_step("accuracy", before, after, segment=name, rows=rows, seed=seed)
        for seed, (name, (before, after, rows)) in enumerate(shares.items())
    ]
    diagnosis = run_diagnosis([make_step("accuracy", 0.95, 0.89), *segments])
    assert diagnosis.cause is Cause.SEGMENT
    assert diagnosis.questions[-1][1:] == ("not yet", "check the segment first")
    assert diagnosis.verdict.why == "Likely one segment: country=CH 0.95→0.75, 100 % of the change."
    assert diagnosis.verdict.do == "Check what changed for country=CH around 2 Mar."
    assert diagnosis.segments[0].segment == "country=CH"
    assert diagnosis.dominant_segment == SegmentShare("country=CH", 1.0, pytest.approx(-0.06, abs=0.002))


def test_a_segment_that_alerts_by_itself_is_the_cause_as_well(make_step, run_diagnosis, make_alert):
    levels = {"country=AT": (0.95, 0.95), "country=CH": (0.95, 0.75), "country=DE": (0.95, 0.95)}
    segments = [make_step("accuracy", *pair, segment=name, rows=400.0) for name, pair in levels.items()]
    series = [make_step("accuracy", 0.95, 0.89), *segments]
    assert run_diagnosis(series, alerts=[make_alert(segment="country=CH")]).cause is Cause.SEGMENT


def test_segments_that_fell_alike_are_no_cause(make_step, run_diagnosis):
    segments = [make_step("accuracy", 0.95, 0.85, segment=f"country={name}", rows=300.0) for name in ("AT", "CH", "DE")]
    diagnosis = run_diagnosis([make_step("accuracy", 0.95, 0.85), *segments])
    assert Cause.SEGMENT not in [hypothesis.cause for hypothesis in diagnosis.hypotheses]
    assert diagnosis.dominant_segment is None


def test_an_error_of_calibration_is_not_taken_apart_by_segments(make_step, run_diagnosis):
    # It is no mean over rows: of fewer rows it is larger, in every segment and whatever happened.
    name = "expected_calibration_error"
    cut = [make_step(name, 0.02, after, segment=f"plan={n}", rows=500.0) for n, after in (("a", 0.1), ("b", 0.02))]
    assert run_diagnosis([make_step(name, 0.02, 0.06), *cut]).segments == ()


def test_scores_that_are_off_because_fewer_are_positive_are_a_shift_of_labels(make_model, run_diagnosis):
    off = {"expected_calibration_error": (0.02, 0.08), "brier_score": (0.05, 0.07), "roc_auc": (0.97, 0.97)}
    shifted = {"label_rate": (0.5, 0.3), "recall": (0.9, 0.9), "specificity": (0.95, 0.95)}
    assert run_diagnosis(make_model(**off)).cause is Cause.CALIBRATION
    assert run_diagnosis(make_model(**off, **shifted)).cause is Cause.LABEL_SHIFT


@pytest.mark.parametrize(
    ("days", "cause"),
    [pytest.param(1, Cause.UPSTREAM, id="daily"), pytest.param(30, Cause.CONCEPT_DRIFT, id="monthly")],
)
def test_a_fall_from_one_month_to_the_next_is_not_overnight(make_model, run_diagnosis, days, cause):
    series = [paced(series, days) for series in make_model(**FELL, avg_confidence=(0.95, 0.92))]
    assert run_diagnosis(series).cause is cause


def test_a_segment_that_was_not_there_before_and_brings_the_fall_is_a_change_of_business(
    make_series, make_step, run_diagnosis
):
    old = make_step("accuracy", 0.95, 0.95, segment="country=AT", rows=700.0)
    new = make_series("accuracy", [0.7] * 10, segment="country=BR", rows=300.0, first=60)
    diagnosis = run_diagnosis([make_step("accuracy", 0.95, 0.875), old, new])
    assert diagnosis.cause is Cause.BUSINESS
    assert "country=BR is new, 100 % of the change" in diagnosis.hypotheses[0].evidence_for[0]


def test_an_alert_within_chance_is_called_noise_until_it_has_lasted(make_step, run_diagnosis, make_alert, changed_at):
    series = make_step("accuracy", 0.91, 0.905, rows=80.0, n=(60, 1))
    new, lasting = (replace(make_alert(since=changed_at), periods=periods) for periods in (1, 2))
    assert run_diagnosis([series], alerts=[new]).cause is Cause.NOISE
    assert run_diagnosis([series], alerts=[lasting]).cause is Cause.UNKNOWN  # critical for two periods


def test_many_models_that_fell_on_one_day_have_a_cause_that_is_in_none_of_them(make_model, run_diagnosis, changed_at):
    levels = FELL | {"avg_confidence": (0.95, 0.95)}
    alone = run_diagnosis(make_model(**levels))
    shared = run_diagnosis(
        make_model(**levels), other_failures_since={"a": changed_at, "b": changed_at, "c": changed_at.replace(month=1)}
    )
    assert (alone.cause, shared.cause) == (Cause.CONCEPT_DRIFT, Cause.UPSTREAM)
    assert "2 other models dropped within a day of it" in shared.hypotheses[0].evidence_for


def test_models_that_got_worse_together_have_a_cause_in_common(make_model, run_diagnosis, changed_at):
    shared = SharedStart(Condition.THRESHOLD, tuple("abcdefghm"), changed_at, "9 models got worse on 2 Mar")
    diagnosis = run_diagnosis(make_model(**FELL), shared_start=shared)
    assert (diagnosis.cause, diagnosis.hypotheses[0].evidence_for[0]) == (Cause.SHARED, "9 models got worse on 2 Mar")
    silent = replace(shared, condition=Condition.NO_DATA)
    assert run_diagnosis(make_model(**FELL), shared_start=silent).cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    ("pro", "contra", "weight"),
    [
        ([], [], None),
        ([0.6], [], 0.6),
        ([0.5, 0.5], [], 0.75),
        ([0.5, 0.5], [0.2], 0.6),
        ([1.0, 0.3], [1.0], 0.0),
    ],
)
def test_clauses_leave_their_share_of_doubt(pro, contra, weight):
    diagnosis = combine_evidence(
        Cause.NOISE, [EvidenceItem(s, f"{s}") for s in pro], [None, *(EvidenceItem(s, "but") for s in contra)]
    )
    assert (None if diagnosis is None else diagnosis.weight) == weight
    if diagnosis is not None:
        assert diagnosis.evidence_for == tuple(str(s) for s in sorted(pro, reverse=True))


def test_causes_are_listed_heaviest_first_and_unknown_comes_first_of_all(make_model, make_features, run_diagnosis):
    diagnosis = run_diagnosis(make_model(**FELL, avg_confidence=(0.95, 0.95)) + make_features(**STILL))
    weights = [hypothesis.weight for hypothesis in diagnosis.hypotheses]
    assert weights == sorted(weights, reverse=True)
    unknown = run_diagnosis(make_model(**FELL))
    assert unknown.hypotheses[0].cause is Cause.UNKNOWN
    assert unknown.hypotheses[0].weight == 0


COLLAPSED = {"accuracy": (0.9, 0.5), "cohen_kappa": (0.8, 0.05)}


@pytest.mark.parametrize(
    ("levels", "columns", "cause", "why"),
    [
        pytest.param(
            COLLAPSED | {"avg_confidence": (0.9, 0.6)},
            STILL | {"prediction": (0.03, 0.001)},
            Cause.MODEL_CHANGE,
            "confidence fell 0.90→0.60, features as before",
            id="confidence fell",
        ),
        pytest.param(
            {"accuracy": (0.9, 0.7), "avg_confidence": (0.9, 0.9)},
            STILL | {"prediction": (0.08, 0.001)},
            Cause.MODEL_CHANGE,
            "prediction drift 0.08, features as before",
            id="predictions shifted a little, features less",
        ),
        pytest.param(
            COLLAPSED | {"avg_confidence": (0.9, 0.9)},
            STILL | {"prediction": (0.03, 0.001)},
            Cause.MISJOINED_LABELS,
            "scores and predictions are as before",
            id="neither moved",
        ),
        pytest.param(
            {"log_loss": (0.5, 1.2), "accuracy": (0.8, 0.8), "avg_confidence": (0.8, 0.95)},
            STILL | {"prediction": (0.03, 0.001)},
            Cause.CALIBRATION,
            "accuracy is as before, 0.80",
            id="confidence rose, accuracy held",
        ),
    ],
)
def test_of_several_classes_confidence_and_predictions_show_what_changed(
    make_model, make_features, run_diagnosis, levels, columns, cause, why
):
    diagnosis = run_diagnosis(make_model(**levels) + make_features(**columns))
    assert diagnosis.cause is cause
    assert diagnosis.hypotheses[0].certainty.value == "likely"
    assert why in "; ".join(diagnosis.hypotheses[0].evidence_for)
    assert ":" in diagnosis.verdict.why


def test_confidence_that_moved_with_the_features_is_no_other_model(make_model, make_features, run_diagnosis):
    series = make_model(accuracy=(0.9, 0.7), avg_confidence=(0.9, 0.7)) + make_features(**STILL | {"age": (0.3, 0.001)})
    assert run_diagnosis(series).cause is Cause.FEATURE_DRIFT


@pytest.mark.parametrize(
    ("distance", "cause"),
    [
        pytest.param(0.1, Cause.LABEL_SHIFT, id="features moved less than labels"),
        pytest.param(0.35, Cause.DATA_DRIFT, id="features moved further"),
    ],
)
def test_labels_that_moved_less_than_a_feature_only_followed_it(
    make_model, make_features, run_diagnosis, distance, cause
):
    levels = {"precision": (0.9, 0.8), "recall": (0.85, 0.85), "specificity": (0.95, 0.95), "label_rate": (0.4, 0.25)}
    columns = dict.fromkeys(("age", "income", "plan"), (distance, 0.001))
    assert run_diagnosis(make_model(**levels) + make_features(**STILL | columns)).cause is cause


def test_a_feature_that_keeps_half_of_its_values_did_not_jump_to_others(make_model, make_features, run_diagnosis):
    near, far = (
        run_diagnosis(make_model(**FELL) + make_features(**STILL | {"age": (distance, 0.001)}))
        for distance in (0.4, 0.8)
    )
    assert near.cause is Cause.FEATURE_DRIFT
    assert Cause.UPSTREAM not in [each.cause for each in near.hypotheses]
    assert Cause.UPSTREAM in [each.cause for each in far.hypotheses]
