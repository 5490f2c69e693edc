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
    FeatureShift,
    Pattern,
    Question,
    SegmentContribution,
    SegmentShare,
    SeriesPattern,
    Verdict,
)
from modeltop.core.distribution import Distributions, Histogram, ReliabilityCurve
from modeltop.core.series import SeriesKey, Severity
from modeltop.core.text import display_width
from modeltop_tui.view.diagnosis import evidence_rows
from modeltop_tui.view.rows import open_by_room
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.view.styled_text import plain_text, to_ascii

STARTED_AT = datetime(2025, 1, 7, tzinfo=UTC)
KEY = SeriesKey("fraud", "accuracy")
VERDICT = Verdict("Accuracy dropped.", "Likely data drift.", "Wait.")
QUESTIONS = (
    Question("Declining?", "yes", "accuracy dropped on 7 Jan"),
    Question("Retrain?", "not yet", "find the cause first"),
)


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
def rows(make):
    """The rows about a diagnosis."""

    def evidence(diagnosis, *, width=78, distributions=None, series=(), timeline=()):
        state = make.state(*make.ten_days(), *series, selection=Selection("fraud", KEY))
        snapshot = replace(state.snapshot, distributions={"fraud": distributions} if distributions else {})
        return evidence_rows(ScreenState(snapshot, state.selection, diagnosis=diagnosis), width, timeline)

    return evidence


def text(cells):
    return plain_text(cells).rstrip()


def find(rows, name):
    """The only row whose line has a text."""
    (row,) = [row for row in rows if name in plain_text(row.line)]
    return row


def unfolded(rows, name):
    """The lines of an open row."""
    return [text(line) for line in find(rows, name).unfold()]


def test_the_rows_come_in_the_order_of_the_questions(rows):
    hypotheses = (CauseHypothesis(Cause.UPSTREAM, 0.8, ("overnight",), certainty=Certainty.LIKELY),)
    diagnosis = make_diagnosis(hypotheses=hypotheses, metric_changes=(change(),))
    assert [text(row.line) for row in rows(diagnosis)] == [
        "▲ CRITICAL: f1_score 0.845 < 0.85 for 1 day, since 10 Jan",
        "What  Accuracy dropped.",
        "Why   likely    broken input     + overnight",
        "Do    Wait.",
        "Declining?       yes: accuracy dropped on 7 Jan",
        "Retrain?         not yet: find the cause first",
        "  metric    before  after  change              95 %  10 days",
        "▲ accuracy   0.950  0.890  -0.060  -0.080 to -0.040  ██▇▆▆▅▄▃▃▁",
        "not logged: features, segments, scores, counts, notifications",
    ]


def test_the_first_row_opens_to_all_alerts_of_the_model(rows):
    assert unfolded(rows(make_diagnosis()), "CRITICAL")[1:] == [
        "  ▲ critical f1_score 0.845 < 0.85, for 1 day, since 10 Jan",
        "  ▲ critical accuracy 0.870 < 0.90, for 2 days, since 9 Jan",
    ]


def test_until_something_is_known_the_alerts_are_shown_alone(make):
    state = make.state(*make.ten_days())
    first, last = evidence_rows(state, 78)
    assert "f1_score 0.845 < 0.85" in text(first.line)
    assert text(last.line) == "analyzing..."


def test_a_healthy_model_is_calm(make):
    quiet = make_diagnosis(
        model="ranker", severity=Severity.OK, verdict=Verdict(""), series_pattern=None, key=None, questions=()
    )
    state = replace(make.state(make.healthy("ranker")), diagnosis=quiet)
    assert [text(row.line) for row in evidence_rows(state, 78)][:4] == [
        "● accuracy 0.950: ok, not below 0.90", "What  no metric changed", "Why   no change", "Do    Nothing.",
    ]  # fmt: skip


def test_a_long_text_is_one_line_until_it_is_opened(rows):
    listed = rows(make_diagnosis(verdict=Verdict("word " * 30)), width=78)
    assert text(find(listed, "What").line).endswith("word w…")
    assert len(unfolded(listed, "What")) == 3
    assert not find(listed, "What").wrapped


def test_on_a_narrow_screen_no_sentence_is_cut(rows, make):
    reason = "accuracy fell far below its baseline, and nothing that is logged explains it"
    listed = rows(
        make_diagnosis(verdict=Verdict("word " * 30), questions=(("Declining?", "yes", reason),)),
        width=38,
        timeline=("1 Jan fired: " + reason,),
    )
    lines = [text(line) for row in listed for line in row.wrapped or [row.line]]
    assert not [line for line in lines if "…" in line and "metric" not in line]
    assert reason in " ".join(line.strip() for line in lines).partition("Timeline")[0]
    assert reason in " ".join(line.strip() for line in lines).partition("Timeline")[2]
    assert max(map(display_width, lines)) <= 38
    assert find(listed, "What").unfold is None, "all of it is shown"


def test_what_happened_opens_to_the_patterns_of_other_metrics(rows):
    segment = series_pattern(key=SeriesKey("fraud", "accuracy", "country=DE"))
    diagnosis = make_diagnosis(other_patterns=(segment,))
    assert unfolded(rows(diagnosis), "What")[1:] == ["  accuracy [country=DE]: sudden drop since 7 Jan, -0.070"]
    sized = replace(diagnosis, metric_changes=(replace(change(), key=segment.key, delta=-0.06),))
    assert unfolded(rows(sized), "What")[1].endswith("-0.060"), "as in the table below"


def test_a_cause_opens_to_the_evidence_for_and_against_it(rows):
    hypotheses = (
        CauseHypothesis(
            Cause.UPSTREAM, 0.8, ("unit missing 0 %→34 %",), ("the volume is as before",), Certainty.LIKELY
        ),
        CauseHypothesis(Cause.CONCEPT_DRIFT, 0.2, ()),
    )
    listed = rows(make_diagnosis(hypotheses=hypotheses))
    assert text(find(listed, "broken").line).endswith("+ unit missing 0 %→34 %")
    assert unfolded(listed, "broken") == [
        "Why   likely    broken input",
        "          + unit missing 0 %→34 %",
        "          − the volume is as before",
    ]
    assert not find(listed, "unclear   concept drift").opens


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"verdict": Verdict("", "", "Retrain: 2,000 new labels."), "labels_since_change": 2000},
         ["Do    Retrain: 2,000 new labels."]),
        ({"actions": (Action.WAIT, Action.TICKET)}, ["Do    Wait.", "      Open a ticket."]),
        ({"labels_since_change": 1}, ["Do    Wait.", "      1 labeled row since the change."]),
        (
            {"labels_since_change": 9, "key": SeriesKey("fraud", "accuracy", "DE")},
            ["Do    Wait.", "      9 labeled rows of all segments since the change."],
        ),
        ({"verdict": Verdict("ok"), "actions": (Action.NOTHING,), "labels_since_change": 1}, ["Do    Nothing."]),
    ],
)  # fmt: skip
def test_what_to_do_is_said_once(rows, options, lines):
    texts = [text(row.line) for row in rows(make_diagnosis(questions=(), **options))]
    assert texts[3:-1] == lines


def test_the_metrics_are_a_table_whose_rows_open_to_their_periods(rows, make):
    support = make.series([0.9] * 10, metric="recall", support=[100] * 10)
    recall = change("recall", 0.9, 0.9, low=None, high=None, cases=400.0)
    changes = (change(), recall, change("rows", 4076.5, 4232.2, low=5, high=9))
    listed = rows(make_diagnosis(metric_changes=changes), series=[support])
    assert [text(row.line)[:57].rstrip() for row in listed[-5:-1]] == [
        "  metric    before  after  change              95 %    n",
        "▲ accuracy   0.950  0.890  -0.060  -0.080 to -0.040    ?",
        "  recall     0.900  0.900   0.000                 ?  400",
        "  rows        4076   4232    +156          +5 to +9    ?",
    ]
    assert [row.key for row in listed[-4:-1]] == [KEY, SeriesKey("fraud", "recall"), None]


def test_a_wide_table_has_a_cell_of_the_spark_per_period(rows, make):
    long = make.series(list(np.linspace(0.9, 0.8, 40)), metric="recall")
    diagnosis = make_diagnosis(metric_changes=(change("recall"),))
    spark = [text(find(rows(diagnosis, width=width, series=[long]), "0.890").line).split()[-1] for width in (78, 118)]
    assert [len(blocks) for blocks in spark] == [12, 28]


def test_where_it_is_narrow_the_last_columns_go(rows):
    listed = rows(make_diagnosis(metric_changes=(change("a_metric_with_a_long_name"),)), width=58)
    assert text(find(listed, "before").line).split() == ["metric", "before", "after", "change", "95", "%"]


def test_the_timeline_shows_its_newest_entry_and_opens_to_all(rows):
    lines = ("1a2b3c4d  CRIT fraud", "  2025-01-09 00:03 UTC  fired", "  2025-01-09 00:04 UTC  notified ops")
    listed = rows(make_diagnosis(), timeline=lines)
    assert text(find(listed, "Timeline").line) == "Timeline  2025-01-09 00:04 UTC  notified ops"
    assert unfolded(listed, "Timeline") == [
        "Timeline", "  1a2b3c4d CRIT fraud", "  2025-01-09 00:03 UTC fired", "  2025-01-09 00:04 UTC notified ops",
    ]  # fmt: skip
    assert "notifications" not in text(listed[-1].line)


def test_a_feature_that_moved_has_its_histogram_then_and_now(rows):
    histogram = numeric([10, 10, 10, 10], [0, 0, 10, 30], [(-np.inf, 1), (1, 2), (2, 3), (3, np.inf)])
    shifts = (FeatureShift("plan", 0.2, 0.0), FeatureShift("tenure", 0.56, 0.09, missing=(0.0, 0.34)))
    assert unfolded(
        rows(make_diagnosis(feature_shifts=shifts), distributions=Distributions({"tenure": histogram})), "Features"
    )[1:] == [
        "  tenure  JS distance 0.56, before 0.09, missing 0→34 %",
        "    reference ▃▃▃▃  1 to 3",
        "    now         ▃█  over 3: 25→75 %",
        "  plan  JS distance 0.20, before 0.00",
    ]


def test_categories_are_drawn_one_by_one_and_named(rows):
    counts = np.array([[10.0, 30.0, 0.0, 0.0]])
    histogram = Histogram(
        "plan", ("basic", "pro", "other", "missing"), None, np.array([30.0, 10, 0, 0]), (STARTED_AT,), counts
    )
    diagnosis = make_diagnosis(feature_shifts=(FeatureShift("plan", 0.4, 0.0),))
    lines = unfolded(rows(diagnosis, distributions=Distributions({"plan": histogram})), "Features")[1:]
    assert lines[1:] == ["    reference █▃  basic pro", "    now       ▃█  basic: 75→25 %"]


def test_only_periods_since_the_begin_are_now(rows):
    before = datetime(2025, 1, 2, tzinfo=UTC)
    counts = np.array([[40.0, 0, 0, 0], [0.0, 40, 0, 0]])
    histogram = Histogram(
        "plan", ("a", "b", "other", "missing"), None, np.array([20.0, 20, 0, 0]), (before, STARTED_AT), counts
    )
    diagnosis = make_diagnosis(feature_shifts=(FeatureShift("plan", 0.4, 0.0),))
    lines = unfolded(rows(diagnosis, distributions=Distributions({"plan": histogram})), "Features")[1:]
    assert lines[2].startswith("    now        █ ")


def contributions(count):
    return tuple(SegmentContribution(f"s={n}", (0.3, 0.4), (0.95, 0.70), -0.07, -0.01) for n in range(count))


def test_the_segments_that_contribute_most_are_rows_that_open_their_series(rows, make):
    series = [make.series([0.9] * 10, segment="s=1")]
    listed = rows(make_diagnosis(segments=contributions(5)), series=series)
    at = listed.index(find(listed, "Segments"))
    assert [text(row.line) for row in listed[at : at + 4]] == [
        "Segments  s=0 adds -0.080, 0.950→0.700",
        "          s=1 adds -0.080, 0.950→0.700",
        "          s=2 adds -0.080, 0.950→0.700",
        "          and 2 more segments",
    ]
    assert [row.key for row in listed[at : at + 3]] == [None, SeriesKey("fraud", "accuracy", "s=1"), None]
    assert [text(line) for line in listed[at + 3].unfold()][1:] == [
        "  segment    adds  before  after  share before  after",
        "  s=3      -0.080   0.950  0.700          30 %   40 %",
        "  s=4      -0.080   0.950  0.700          30 %   40 %",
    ]


def test_the_guilty_segment_stands_alone_with_its_part_of_the_drop(rows):
    diagnosis = make_diagnosis(segments=contributions(5), dominant_segment=SegmentShare("s=2", 0.97, -0.08))
    listed = rows(diagnosis)
    at = listed.index(find(listed, "Segments"))
    assert [text(row.line) for row in listed[at : at + 2]] == [
        "Segments  s=2 accounts for 97 % of the drop, 0.950→0.700",
        "          and 4 more segments",
    ]


def test_the_reliability_of_scores_is_that_since_the_change_began(rows):
    lines = unfolded(rows(make_diagnosis(), distributions=Distributions(reliability=curve())), "Scores")
    assert lines[1].split() == ["score", "mean", "came", "true", "rows", "0", "1"]
    assert lines[2] == "  0.50-1.00     0.750      0.250        40  ··×·····│··"
    assert len([line for line in lines if line.startswith("  0.")]) == 1


def test_a_curve_without_labels_says_so(rows):
    unlabeled = Distributions(reliability=curve(rows=np.zeros((2, 2))))
    assert unfolded(rows(make_diagnosis(), distributions=unlabeled), "Scores")[1:] == [
        "  no labeled rows in the newest periods"
    ]


def test_what_is_not_logged_is_one_line_that_opens_to_the_commands(rows):
    listed = rows(make_diagnosis())
    assert listed[-1].line[-1][1] == "dim"
    lines = " ".join(unfolded(listed, "not logged"))
    for words in (
        "`modeltop compute --feature all`",
        "--segment COLUMN",
        "--score COLUMN",
        "`count`",
        "`modeltop watch`",
    ):
        assert words in lines


def test_features_and_segments_that_are_logged_and_did_nothing_are_not_called_missing(rows, make):
    series = [
        make.series([0.01] * 10, metric="js_distance", segment="feature=age"),
        make.series([0.01] * 10, metric="js_distance", segment="feature=score"),
        make.series([0.9] * 10, segment="country=DE", support=[50] * 10),
    ]
    assert text(rows(make_diagnosis(), series=series)[-1].line) == "not logged: scores, notifications"
    assert "features" in text(rows(make_diagnosis(), series=series[1:])[-1].line)


@pytest.mark.parametrize("width", [38, 58, 78, 118])
def test_nothing_is_wider_than_the_screen_and_all_of_it_has_an_ascii_form(rows, width):
    histogram = numeric([10, 10, 10, 10], [0, 0, 10, 30], [(-np.inf, 1), (1, 2), (2, 3), (3, np.inf)])
    diagnosis = make_diagnosis(
        hypotheses=(CauseHypothesis(Cause.UPSTREAM, 0.8, ("a clause of some length that has to be wrapped",) * 2),),
        verdict=Verdict("a long sentence " * 9, "", "a long step " * 9),
        metric_changes=(change(),),
        feature_shifts=(FeatureShift("tenure", 0.56, 0.09),),
        segments=(SegmentContribution("country=DE", (0.3, 0.4), (0.95, 0.70), -0.07, -0.01),),
    )
    listed = rows(diagnosis, width=width, distributions=Distributions({"tenure": histogram}, curve()))
    lines = [text(line) for row in listed for line in (row.line, *(row.unfold() if row.unfold else ()))]
    assert max(map(display_width, lines)) <= width
    assert not any("?" in to_ascii(line.replace("?", "")) for line in lines)


def test_the_same_diagnosis_is_laid_out_once(make):
    state = replace(make.state(*make.ten_days()), diagnosis=make_diagnosis())
    assert evidence_rows(state, 78) is evidence_rows(replace(state, paused=True), 78)


def test_many_features_and_segments_are_counted_not_listed(rows):
    diagnosis = make_diagnosis(
        feature_shifts=tuple(FeatureShift(f"f{n}", 0.5, 0.1) for n in range(40)),
        segments=contributions(16),
    )
    assert unfolded(rows(diagnosis), "Features")[-1] == "  and 28 more"
    assert unfolded(rows(diagnosis), "and 13 more segments")[-1] == "  and 1 more segment"


def test_rows_are_opened_by_rank_as_far_as_there_is_room(rows):
    hypotheses = (CauseHypothesis(Cause.UPSTREAM, 0.8, ("overnight", "unit missing"), certainty=Certainty.LIKELY),)
    listed = rows(make_diagnosis(hypotheses=hypotheses))
    assert open_by_room(listed, len(listed)) == frozenset()
    assert open_by_room(listed, len(listed) + 2) == {2}
    assert open_by_room(listed, 99) == {number for number, row in enumerate(listed) if row.unfold}
