"""Phrases of patterns, forecasts and advice."""

from datetime import UTC, datetime

import pytest

from modeltop.core.diagnosis import Action, Diagnosis, Forecast, Pattern, SeriesPattern
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey, Severity
from modeltop.diagnosis.phrases import advice_lines, certainty_word, describe_forecast, describe_pattern

STARTED_AT = datetime(2025, 1, 7, tzinfo=UTC)
KEY = SeriesKey("fraud", "accuracy")


def series_pattern(**options):
    defaults = {"key": KEY, "pattern": Pattern.DROP, "started_at": STARTED_AT, "size": -0.07, "confidence": 0.98}
    return SeriesPattern(**(defaults | options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({}, "sudden drop since 2025-01-07, -0.070, 98 % sure", id="a drop"),
        pytest.param(
            {"key": SeriesKey("fraud", "log_loss"), "size": 0.3},
            "sudden rise since 2025-01-07, +0.300, 98 % sure",
            id="what is better low rises where it gets worse",
        ),
        pytest.param(
            {"pattern": Pattern.STEADY, "started_at": None, "size": None}, "steady, 98 % sure", id="no change"
        ),
    ],
)
def test_a_pattern_in_words(options, words):
    pattern = series_pattern(**options)
    assert describe_pattern(pattern, MetricRegistry().get(pattern.key.metric)) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"limit": 0.9, "days": 6.2, "soonest": 3.1, "latest": 12.0},
            "at this pace, -0.0012 a day, below 0.90 in about 6 days (3 to 12)",
        ),
        (
            {"limit": 0.9, "days": 1.0, "soonest": 0.4, "latest": None},
            "at this pace, -0.0012 a day, below 0.90 in about 1 day (0 to never)",
        ),
        ({}, "at this pace, -0.0012 a day, no limit lies ahead"),
    ],
)
def test_a_forecast_in_words(options, words):
    assert describe_forecast(Forecast(slope=-0.0012, low=-0.002, high=-0.001, p=0.001, **options)) == words


@pytest.mark.parametrize(
    ("weight", "word"), [(0.9, "likely"), (0.7, "likely"), (0.69, "possible"), (0.4, "possible"), (0.39, "unlikely")]
)
def test_a_weight_is_a_word(weight, word):
    assert certainty_word(weight) == word


@pytest.mark.parametrize(
    ("advice", "actions", "labels", "lines"),
    [
        pytest.param("", (), None, [], id="nothing"),
        pytest.param("", (Action.WAIT, Action.TICKET), None, ["wait, then open a ticket"], id="actions alone"),
        pytest.param("retrain soon", (Action.RETRAIN,), None, ["retrain soon"], id="an action that the advice names"),
        pytest.param("wait", (Action.WAIT,), 1, ["wait", "1 labelled row since it began"], id="labels"),
        pytest.param("retrain on 4,414 labels", (), 4414, ["retrain on 4,414 labels"], id="that the advice counts"),
        pytest.param("a\x1bb", (), None, ["a\\x1bb"], id="made safe"),
    ],
)
def test_no_action_is_named_twice(advice, actions, labels, lines):
    diagnosis = Diagnosis("m", Severity.OK, KEY, "s", None, (), actions, advice, labels_since_change=labels)
    assert list(advice_lines(diagnosis)) == lines
