"""What the screen of evidence says, section by section."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.diagnosis import (
    Action,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Certainty,
    Diagnosis,
    ExpectedVsRealized,
    FeatureShift,
    Pattern,
    Question,
    SegmentContribution,
    SeriesPattern,
    Verdict,
)
from modeltop.core.distribution import Distributions, Histogram, ReliabilityCurve
from modeltop.core.series import SeriesKey, Severity
from modeltop.core.text import display_width
from modeltop_tui.view.diagnosis import diagnosis_lines, heading_lines
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.view.styled_text import plain_text, to_ascii

STARTED_AT = datetime(2025, 1, 7, tzinfo=UTC)
KEY = SeriesKey("fraud", "accuracy")
VERDICT = Verdict("Accuracy dropped.", "Likely data drift.", "Wait.")
QUESTIONS = (
    Question("Declining?", "yes", "accuracy dropped on 7 Jan"),
    Question("Retrain?", "not yet", "find the cause first"),
)
SECTIONS = [
    "Five questions",
    "Causes",
    "What to do",
    "Patterns",
    "Evidence before and since 7 Jan",
    "Features that shifted",
    "Segments by contribution",
    "Confidence vs accuracy",
    "Reliability",
]


def series_pattern(**options):
    usual = {"key": KEY, "pattern": Pattern.DROP, "started_at": STARTED_AT, "size": -0.07, "confidence": 0.98}
    return SeriesPattern(**(usual | options))


def change(metric="accuracy", before=0.95, after=0.89, **options):
    usual = {"delta": after - before, "low": -0.08, "high": -0.04, "z": -9.0, "periods": 4}
    return BeforeAfter(SeriesKey("fraud", metric), before, after, **(usual | options))


def make_diagnosis(**options):
    usual = {
        "model": "fraud", "severity": Severity.CRITICAL, "key": KEY, "verdict": VERDICT,
        "series_pattern": series_pattern(), "hypotheses": (), "actions": (), "questions": QUESTIONS,
    }  # fmt: skip
    return Diagnosis(**(usual | options))


def curve(**options):
    nan = float("nan")
    usual = {
        "name": "score", "periods": (None, STARTED_AT), "rows": np.array([[50.0, 50.0], [0.0, 40.0]]),
        "score": np.array([[0.2, 0.8], [nan, 0.75]]), "rate": np.array([[0.2, 0.8], [nan, 0.25]]),
    }  # fmt: skip
    return ReliabilityCurve(**(usual | options))


def numeric(reference, now, edges):
    slots = (*map(str, range(len(edges))), "other", "missing")
    counts = np.array([[*now, 0, 0]], float)
    return Histogram("tenure", slots, tuple(edges), np.array([*reference, 0, 0], float), (STARTED_AT,), counts)


@pytest.fixture
def section_lines(make):
    """The lines of a diagnosis, or those of one section of it."""

    def lines(diagnosis, section=None, *, width=78, distributions=None, series=()):
        state = make.state(*make.ten_days(), *series, selection=Selection("fraud", KEY))
        snapshot = replace(state.snapshot, distributions={"fraud": distributions} if distributions else {})
        state = ScreenState(snapshot, state.selection, diagnosis=diagnosis)
        out = [plain_text(line).rstrip() for line in diagnosis_lines(state, width)]
        if section is None:
            return out
        rest = out[out.index(section) + 1 :]
        return rest[: rest.index("")] if "" in rest else rest

    return lines


def test_the_sections_stand_in_the_order_of_the_questions(section_lines):
    assert [line for line in section_lines(make_diagnosis()) if line and not line.startswith(" ")] == SECTIONS


def test_until_something_is_known_what_is_wrong_stands_there_alone(make):
    state = make.state(*make.ten_days())
    assert [plain_text(line) for line in diagnosis_lines(state, 78)] == ["analyzing..."]
    assert "f1_score 0.845 < 0.85" in plain_text(heading_lines(state, 78)[0])


def test_a_model_with_nothing_to_say_is_calm(make):
    state = replace(
        make.state(make.healthy("ranker")),
        diagnosis=make_diagnosis(model="ranker", verdict=Verdict(""), series_pattern=None, key=None),
    )
    assert plain_text(heading_lines(state, 78)[0]) == "no metric changed"
    assert "  no change point found" in [plain_text(line) for line in diagnosis_lines(state, 78)]


def test_the_verdict_stands_above_and_the_first_sentence_has_the_colour_of_the_severity(make):
    state = replace(make.state(*make.ten_days()), diagnosis=make_diagnosis(verdict=Verdict("a " * 60, "why", "do")))
    lines = heading_lines(state, 40)
    assert all(display_width(plain_text(line)) <= 40 for line in lines)
    assert {role for line in lines[:-2] for _, role in line} == {"critical"}
    assert lines[-2:] == [(("why", ""),), (("do", "strong"),)]


def test_the_five_questions_come_first(section_lines):
    assert section_lines(make_diagnosis(), "Five questions") == [
        "  Declining?       yes: accuracy dropped on 7 Jan",
        "  Retrain?         not yet: find the cause first",
    ]


def test_a_pattern_stands_behind_the_name_of_its_series(section_lines):
    segment = series_pattern(key=SeriesKey("fraud", "accuracy", "country=DE"))
    lines = section_lines(make_diagnosis(other_patterns=(segment,)), "Patterns")
    assert lines[:2] == [
        "  accuracy: sudden drop since 7 Jan, -0.070",
        "  accuracy [country=DE]: sudden drop since 7 Jan, -0.070",
    ]


def test_causes_stand_with_what_speaks_for_and_against_them(section_lines):
    diagnosis = (
        CauseHypothesis(
            Cause.UPSTREAM, 0.8, ("unit missing 0 %→34 %",), ("the volume is as before",), Certainty.LIKELY
        ),
        CauseHypothesis(Cause.CONCEPT_DRIFT, 0.2, ()),
    )
    assert section_lines(make_diagnosis(hypotheses=diagnosis), "Causes") == [
        "  likely    broken input",
        "    + unit missing 0 %→34 %",
        "    − the volume is as before",
        "  unclear   concept drift",
    ]


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (
            {"verdict": Verdict("", "", "Retrain: 2,000 new labels."), "labels_since_change": 2000},
            ["  Retrain: 2,000 new labels."],
        ),
        ({"actions": (Action.WAIT, Action.TICKET)}, ["  Wait.", "  Open a ticket."]),
        ({"labels_since_change": 1}, ["  Wait.", "  1 labeled row since the change."]),
        ({"verdict": Verdict("ok"), "actions": (Action.NOTHING,), "labels_since_change": 1}, ["  nothing"]),
    ],
)
def test_what_to_do_is_said_once(section_lines, options, lines):
    assert section_lines(make_diagnosis(**options), "What to do") == lines


def test_the_evidence_is_a_table_of_before_and_after(section_lines, make):
    support = make.series([0.9] * 10, metric="recall", support=[100] * 10)
    diagnosis = make_diagnosis(metric_changes=(change(), change("recall", 0.9, 0.9, low=None, high=None)))
    assert section_lines(diagnosis, SECTIONS[4], series=[support]) == [
        "  metric    before  after  change              95 %    n",
        "  accuracy   0.950  0.890  -0.060  [-0.080, -0.040]    ?",
        "  recall     0.900  0.900   0.000                 ?  400",
    ]


def test_rows_are_counted_without_decimals(section_lines):
    rows = change("rows", 4076.5, 4232.2, low=53.97, high=257.43)
    (_, line) = section_lines(make_diagnosis(metric_changes=(rows,)), SECTIONS[4])
    assert line.split() == ["rows", "4076", "4232", "+156", "[+54,", "+257]", "?"]


def test_where_it_is_narrow_the_last_columns_go(section_lines):
    lines = section_lines(make_diagnosis(metric_changes=(change("a_metric_with_a_long_name"),)), SECTIONS[4], width=58)
    assert lines[0].split() == ["metric", "before", "after", "change", "95", "%"]
    assert all(display_width(line) <= 58 for line in lines)


def test_a_feature_that_moved_has_its_histogram_then_and_now(section_lines):
    histogram = numeric([10, 10, 10, 10], [0, 0, 10, 30], [(-np.inf, 1), (1, 2), (2, 3), (3, np.inf)])
    shifts = (FeatureShift("plan", 0.2, 0.0), FeatureShift("tenure", 0.56, 0.09, missing=(0.0, 0.34)))
    assert section_lines(
        make_diagnosis(feature_shifts=shifts),
        "Features that shifted",
        distributions=Distributions({"tenure": histogram}),
    ) == [
        "  tenure  JS distance 0.56, before 0.09, missing 0→34 %",
        "    ref ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃  1 to 3",
        "    now         ▃▃▃▃████  over 3: 25→75 %",
        "  plan  JS distance 0.20, before 0.00",
    ]


def test_categories_are_drawn_one_by_one_and_named(section_lines):
    counts = np.array([[10.0, 30.0, 0.0, 0.0]])
    histogram = Histogram(
        "plan", ("basic", "pro", "other", "missing"), None, np.array([30.0, 10, 0, 0]), (STARTED_AT,), counts
    )
    lines = section_lines(
        make_diagnosis(feature_shifts=(FeatureShift("plan", 0.4, 0.0),)),
        "Features that shifted",
        distributions=Distributions({"plan": histogram}),
    )
    assert lines[1:] == ["    ref ████▃▃▃▃  basic pro", "    now ▃▃▃▃████  basic: 75→25 %"]


def test_only_periods_since_the_begin_are_now(section_lines):
    before = datetime(2025, 1, 2, tzinfo=UTC)
    counts = np.array([[40.0, 0, 0, 0], [0.0, 40, 0, 0]])
    histogram = Histogram(
        "plan", ("a", "b", "other", "missing"), None, np.array([20.0, 20, 0, 0]), (before, STARTED_AT), counts
    )
    lines = section_lines(
        make_diagnosis(feature_shifts=(FeatureShift("plan", 0.4, 0.0),)),
        "Features that shifted",
        distributions=Distributions({"plan": histogram}),
    )
    assert lines[2].startswith("    now     ████ ")


def test_bins_are_drawn_at_equal_width_though_the_reference_filled_them_equally(section_lines):
    histogram = numeric([10, 10, 10], [10, 10, 10], [(0.0, 1.0), (1.0, 2.0), (2.0, 12.0)])
    lines = section_lines(
        make_diagnosis(feature_shifts=(FeatureShift("tenure", 0.2, 0.0),)),
        "Features that shifted",
        distributions=Distributions({"tenure": histogram}),
    )
    assert lines[1] == "    ref ████▂▂▂▂▂▂▂▂  0 to 12"
    assert lines[2].startswith("    now ████▂▂▂▂▂▂▂▂")


def test_segments_say_what_they_add(section_lines):
    contribution = SegmentContribution("country=DE", (0.3, 0.4), (0.95, 0.70), -0.07, -0.01)
    assert section_lines(make_diagnosis(segments=(contribution,)), "Segments by contribution") == [
        "  segment       adds  before  after  share before  after",
        "  country=DE  -0.080   0.950  0.700          30 %   40 %",
    ]


def test_confidence_stands_beside_accuracy_on_one_scale(section_lines):
    pair = ExpectedVsRealized(change("avg_confidence", 0.94, 0.87), change())
    lines = section_lines(make_diagnosis(expectations=(pair,)), SECTIONS[7])
    assert [line.split()[:3] for line in lines] == [
        ["avg_confidence", "0.940→0.870", "-0.070"],
        ["accuracy", "0.950→0.890", "-0.060"],
    ]
    assert all(set(line[-10:]) <= set("▁▂▃▄▅▆▇█") for line in lines)
    assert lines[0][-1] == "▁"
    assert lines[1][-10] == "█"


def test_the_reliability_of_scores_is_that_since_the_change_began(section_lines):
    lines = section_lines(make_diagnosis(), "Reliability", distributions=Distributions(reliability=curve()))
    assert lines[0].split() == ["score", "mean", "came", "true", "rows", "0", "1"]
    assert lines[1] == "  0.50-1.00     0.750      0.250        40  ··×·····│··"
    assert len([line for line in lines if line.startswith("  0.")]) == 1


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("Features that shifted", "no features are logged: `modeltop compute --feature all`"),
        ("Segments by contribution", "no segments are logged: `modeltop compute --segment COLUMN`"),
        ("Confidence vs accuracy", "`modeltop compute --score COLUMN`"),
        ("Reliability", "no scores are logged: `modeltop compute --score COLUMN`"),
        ("Evidence before and since 7 Jan", "no change point found"),
        ("Causes", "no metric changed"),
    ],
)
def test_what_is_missing_is_said_and_what_would_bring_it(section_lines, section, words):
    assert words in " ".join(section_lines(make_diagnosis(), section))


def test_features_and_segments_that_are_there_and_did_nothing_are_told_from_none_at_all(section_lines, make):
    series = [
        make.series([0.01] * 10, metric="js_distance", segment="feature=age"),
        make.series([0.01] * 10, metric="js_distance", segment="feature=score"),
        make.series([0.9] * 10, segment="country=DE"),
    ]
    assert section_lines(make_diagnosis(), "Features that shifted", series=series) == ["  none of 1 shifted"]
    assert section_lines(make_diagnosis(), "Segments by contribution", series=series) == [
        "  no segment contributes to a change"
    ]


def test_a_curve_without_labels_says_so(section_lines):
    unlabelled = curve(rows=np.zeros((2, 2)))
    assert section_lines(make_diagnosis(), "Reliability", distributions=Distributions(reliability=unlabelled)) == [
        "  no labeled rows in the newest periods"
    ]


@pytest.mark.parametrize("width", [20, 38, 58, 78, 118])
def test_nothing_is_wider_than_the_screen_and_all_of_it_has_an_ascii_form(section_lines, make, width):
    histogram = numeric([10, 10, 10, 10], [0, 0, 10, 30], [(-np.inf, 1), (1, 2), (2, 3), (3, np.inf)])
    diagnosis = make_diagnosis(
        hypotheses=(CauseHypothesis(Cause.UPSTREAM, 0.8, ("a clause of some length that has to be wrapped",) * 2),),
        verdict=Verdict("a long sentence " * 9, "", "a long step " * 9),
        metric_changes=(change(),),
        feature_shifts=(FeatureShift("tenure", 0.56, 0.09),),
        segments=(SegmentContribution("country=DE", (0.3, 0.4), (0.95, 0.70), -0.07, -0.01),),
        expectations=(ExpectedVsRealized(change("avg_confidence"), change()),),
    )
    lines = section_lines(diagnosis, width=width, distributions=Distributions({"tenure": histogram}, curve()))
    assert max(map(display_width, lines)) <= width
    assert not any("?" in to_ascii(line.replace("?", "")) for line in lines)


def test_the_same_diagnosis_is_laid_out_once(make):
    state = replace(make.state(*make.ten_days()), diagnosis=make_diagnosis())
    assert diagnosis_lines(state, 78) is diagnosis_lines(replace(state, paused=True), 78)


def test_many_metrics_features_and_segments_are_counted_not_listed(section_lines):
    diagnosis = make_diagnosis(
        metric_changes=tuple(change(f"m{n}") for n in range(40)),
        feature_shifts=tuple(FeatureShift(f"f{n}", 0.5, 0.1) for n in range(40)),
        segments=tuple(SegmentContribution(f"s={n}", (0.1, 0.1), (0.9, 0.8), -0.01, 0.0) for n in range(13)),
    )
    text = "\n".join(section_lines(diagnosis))
    assert "and 28 more metrics" in text
    assert "and 28 more\n" in text
    assert "and 1 more segment\n" in text
