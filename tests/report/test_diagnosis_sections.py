"""The sections of a diagnosis: none is empty, and every foreign name is escaped."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.core.diagnosis import (
    Action,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Diagnosis,
    ExpectedVsRealized,
    FeatureShift,
    Forecast,
    Pattern,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey, Severity
from modeltop.report.diagnosis_sections import diagnosis_sections

START = datetime(2025, 1, 9, tzinfo=UTC)


def diagnosis(name="accuracy"):
    """Return a diagnosis with all evidence there can be; every foreign string in it is `name`."""
    key = SeriesKey(name, name)
    change = BeforeAfter(key, 0.96, 0.87, -0.09, -0.12, -0.06, -6.0, "fell", 4)
    confidence = BeforeAfter(SeriesKey(name, "avg_confidence"), 0.94, 0.85, -0.09, None, None, -6.0, "fell", 4)
    return Diagnosis(
        name, Severity.CRITICAL, key, "",
        SeriesPattern(key, Pattern.DROP, START, -0.09, 0.98),
        (CauseHypothesis(Cause.DATA_DRIFT, 0.75, (f"{name} moved",), (f"no note of {name}",)),
         CauseHypothesis(Cause.NOISE, 0.1, ("few",))),
        (Action.RETRAIN, Action.TICKET), f"retrain on {name}",
        other_patterns=(SeriesPattern(SeriesKey(name, "recall", name), Pattern.DECLINE, START, -0.1, 0.6),),
        forecast=Forecast(-0.01, -0.02, -0.001, 0.001, limit=0.8, days=6.4, soonest=3.0),
        metric_changes=(
            change, replace(change, key=SeriesKey(name, "rows"), before=1182.5, after=2197.2, direction="rose"),
        ),
        feature_shifts=(FeatureShift(name, 0.31, 0.02, missing=(0.0, 0.34), unseen=(0.0, 0.1)),),
        segments=(SegmentContribution(name, (0.3, 0.4), (0.9, 0.7), -0.08, -0.01),),
        expectations=(ExpectedVsRealized(confidence, change),), labels_since_change=12_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        (
            "How it went",
            (
                "accuracy: sudden drop since 2025-01-09, -0.090, 98 % sure",
                "at this pace, -0.01 a day, below 0.80 in about 6 days (3 to never)",
                "recall [accuracy]: gradual decline since 2025-01-09, -0.100, 60 % sure",
            ),
        ),
        (
            "Causes",
            (
                "likely (0.75), data drift: accuracy moved",
                "against it: no note of accuracy",
                "unlikely (0.10), sample noise: few",
            ),
        ),
        ("What to do", ("retrain on accuracy", "open a ticket", "12,000 labelled rows since it began")),
        (
            "Before and after",
            ("accuracy 0.960 -> 0.870, -0.090 (95 % -0.120 to -0.060): fell", "rows a period 1,182 -> 2,197: rose"),
        ),
        ("Expected and realised", ("avg_confidence 0.940 -> 0.850 beside accuracy 0.960 -> 0.870",)),
        (
            "Features that moved",
            (
                (
                    "accuracy: js_distance 0.02 -> 0.31, missing 0.0 % -> 34.0 %, "
                    "values the reference never had 0.0 % -> 10.0 %"
                ),
            ),
        ),
        ("Segments by contribution", ("accuracy: adds -0.090; 0.900 -> 0.700, 30 % -> 40 % of the cases",)),
    ],
)
def test_each_question_has_its_section(title, lines):
    sections = diagnosis_sections(diagnosis(), MetricRegistry())
    assert sections[title] == lines


def test_there_are_no_other_sections_and_none_that_is_empty():
    assert list(diagnosis_sections(diagnosis(), MetricRegistry())) == [
        "How it went", "Causes", "What to do", "Before and after", "Expected and realised", "Features that moved",
        "Segments by contribution",
    ]  # fmt: skip
    assert diagnosis_sections(Diagnosis("m", Severity.OK, None, "", None, (), (), ""), MetricRegistry()) == {}


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZWNobw==\x07", "\u202egpj", "a\r\nb", "\ud800", "W" * 9999])
def test_names_are_escaped_and_cut(evil):
    lines = [line for section in diagnosis_sections(diagnosis(evil), MetricRegistry()).values() for line in section]
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 800 for line in lines)
