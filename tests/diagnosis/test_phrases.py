"""Phrases of patterns, forecasts, periods and values."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.core.diagnosis import BeforeAfter, ExpectedVsRealized, Forecast, Pattern, SeriesPattern
from modeltop.core.metrics.phrases import format_values, metric_name
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.core.stats.spacing import period_unit
from modeltop.diagnosis.phrases import (
    describe_followed,
    describe_forecast,
    describe_month,
    describe_pattern,
    sentence_case,
)

STARTED_AT = datetime(2025, 1, 7, tzinfo=UTC)
KEY = SeriesKey("fraud", "accuracy")
METRICS = MetricRegistry()


def series_pattern(**options):
    defaults = {"key": KEY, "pattern": Pattern.DROP, "started_at": STARTED_AT, "size": -0.07, "confidence": 0.98}
    return SeriesPattern(**(defaults | options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({}, "sudden drop since 7 Jan, -0.070", id="a drop"),
        pytest.param(
            {"key": SeriesKey("fraud", "log_loss"), "size": 0.3},
            "sudden rise since 7 Jan, +0.300",
            id="what is better low rises where it gets worse",
        ),
        pytest.param({"pattern": Pattern.STEADY, "started_at": None, "size": None}, "steady", id="no change"),
    ],
)
def test_a_pattern_in_words(options, words):
    pattern = series_pattern(**options)
    assert describe_pattern(pattern, METRICS.get(pattern.key.metric), STARTED_AT) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"limit": 0.8, "at": datetime(2025, 1, 17, tzinfo=UTC)}, "at this pace below 0.80 around 17 Jan"),
        pytest.param(
            {"limit": 0.8, "at": datetime(2026, 1, 17, tzinfo=UTC), "crossed": 0.9},
            "already below 0.90; 0.80 by about 17 Jan 2026",
        ),
        pytest.param({"crossed": 0.9}, "already below 0.90"),
        pytest.param({"crossed": 0.2, "slope": 0.01}, "already above 0.20"),
        pytest.param({}, ""),
    ],
)
def test_a_forecast_in_words(options, words):
    assert (
        describe_forecast(Forecast(**{"slope": -0.01, "low": -0.02, "high": 0.0, "p": 0.001} | options), STARTED_AT)
        == words
    )


@pytest.mark.parametrize(
    ("day", "words"), [(6, "April"), (15, "mid-April"), (28, "late April")], ids=["first", "second", "last"]
)
def test_a_slow_change_is_dated_to_a_third_of_a_month(day, words):
    moment = datetime(2025, 4, day, tzinfo=UTC)
    assert describe_month(moment, STARTED_AT) == words
    assert describe_month(moment, STARTED_AT.replace(year=2026)) == f"{words} 2025"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0.94, 0.84, "fell as much"),
        (0.94, 0.89, "fell half as much"),
        (0.94, 0.87, "fell nearly as much"),
        (0.94, 0.92, "barely moved"),
        (0.94, 0.96, "rose"),
    ],
)
def test_how_far_an_expectation_followed(before, after, words):
    realized = BeforeAfter(KEY, 0.95, 0.85, -0.1, -0.12, -0.08, -20.0, 5)
    delta = after - before
    expected = replace(realized, before=before, after=after, delta=delta, low=delta - 0.01, high=delta + 0.01)
    assert describe_followed(ExpectedVsRealized(expected, realized)) == words
    held = replace(expected, low=-0.5, high=0.5)
    assert describe_followed(ExpectedVsRealized(held, realized)) == "did not move"


@pytest.mark.parametrize(("hours", "unit"), [(1, "hour"), (24, "day"), (168, "week"), (720, "month"), (36, "period")])
def test_a_period_has_the_unit_of_the_data(make_series, hours, unit):
    series = make_series("accuracy", [0.9] * 9)
    spaced = replace(series, times=series.times[0] + hours * (series.times - series.times[0]) // 24)
    assert period_unit(spaced) == unit


def test_values_of_one_sentence_have_the_same_digits():
    assert format_values(METRICS.get("accuracy"), 0.72, 0.4721) == ["0.720", "0.472"]
    assert format_values(METRICS.get("accuracy"), 0.96, 0.87) == ["0.96", "0.87"]


def test_names_of_metrics_are_those_of_the_field_and_foreign_ones_are_made_safe():
    assert [metric_name(name) for name in ("f1_score", "avg_confidence", "a\x1bb")] == ["F1", "confidence", r"a\x1bb"]
    assert [sentence_case(text) for text in ("accuracy fell", "log_loss rose", "F1 fell")] == [
        "Accuracy fell",
        "log_loss rose",
        "F1 fell",
    ]
