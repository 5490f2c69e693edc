"""What was found out, in words."""

from datetime import UTC, datetime

import pytest

from modeltop.core.diagnosis import Action, Diagnosis, Fit, Forecast, Pattern, SeriesPattern
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey, Severity
from modeltop.diagnosis.phrases import advice_lines, certainty_word, describe_fits, describe_forecast, describe_pattern

BEGIN = datetime(2025, 1, 7, tzinfo=UTC)
KEY = SeriesKey("fraud", "accuracy")


def course(**options):
    usual = {"key": KEY, "pattern": Pattern.DROP, "started_at": BEGIN, "size": -0.07, "confidence": 0.98}
    return SeriesPattern(**(usual | options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({}, "sudden drop since 2025-01-07, -0.070, 98 % sure", id="a drop"),
        pytest.param(
            {"key": SeriesKey("fraud", "log_loss"), "size": 0.3},
            "sudden rise since 2025-01-07, +0.300, 98 % sure",
            id="what is better low rises where it gets worse",
        ),
        pytest.param({"pattern": Pattern.STEADY, "started_at": None, "size": None}, "steady, 98 % sure", id="no change"),
    ],
)
def test_a_course_in_words(options, words):
    made = course(**options)
    assert describe_pattern(made, MetricRegistry().get(made.key.metric)) == words


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        pytest.param([-20.0], "", id="one alone has no rival"),
        pytest.param(
            [-20.0, -17.0], "fits best: step (BIC -20.0); nearly as well: ramp (BIC -17.0)", id="they compete"
        ),
        pytest.param([-20.0, -3.0], "fits best: step (BIC -20.0); then: ramp (BIC -3.0)", id="a clear winner"),
    ],
)
def test_the_second_best_description_is_shown_beside_the_best(scores, words):
    fits = tuple(Fit(name, 1.0, score) for name, score in zip(("step", "ramp"), scores, strict=False))
    assert describe_fits(course(fits=fits)) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param(
            ["step", "level", "spike", "bend", "ramp"],
            "fits best: step (BIC -20.0); nearly as well: no change (BIC -17.0); then: bend (BIC -11.0)",
            id="a drop beside the best gradual one",
        ),
        pytest.param(
            ["ramp", "bend", "two steps", "step"],
            "fits best: ramp (BIC -20.0); nearly as well: bend (BIC -17.0); nearly as well: two steps (BIC -14.0)",
            id="a decline beside the best sudden one",
        ),
        pytest.param(
            ["step", "ramp", "level"], "fits best: step (BIC -20.0); nearly as well: ramp (BIC -17.0)", id="both"
        ),
    ],
)
def test_of_a_fall_a_sudden_and_a_gradual_description_are_shown(names, words):
    fits = tuple(Fit(name, 1.0, -20.0 + 3 * place) for place, name in enumerate(names))
    assert describe_fits(course(fits=fits)) == words


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
def test_where_a_trend_leads_in_words(options, words):
    assert describe_forecast(Forecast(slope=-0.0012, low=-0.002, high=-0.001, p=0.001, **options)) == words


@pytest.mark.parametrize(
    ("weight", "word"), [(0.9, "likely"), (0.7, "likely"), (0.69, "possible"), (0.4, "possible"), (0.39, "unlikely")]
)
def test_a_weight_is_a_word(weight, word):
    assert certainty_word(weight) == word


@pytest.mark.parametrize(
    ("advice", "steps", "labels", "words"),
    [
        pytest.param("", (), None, [], id="nothing"),
        pytest.param("", (Action.WAIT, Action.TICKET), None, ["wait, then open a ticket"], id="steps alone"),
        pytest.param("retrain soon", (Action.RETRAIN,), None, ["retrain soon"], id="a step that the advice names"),
        pytest.param("wait", (Action.WAIT,), 1, ["wait", "1 labelled row since it began"], id="labels"),
        pytest.param("retrain on 4,414 labels", (), 4414, ["retrain on 4,414 labels"], id="that the advice counts"),
        pytest.param("a\x1bb", (), None, ["a\\x1bb"], id="made safe"),
    ],
)
def test_nothing_that_is_to_be_done_is_said_twice(advice, steps, labels, words):
    made = Diagnosis("m", Severity.OK, KEY, "s", None, (), steps, advice, labels_since_change=labels)
    assert list(advice_lines(made)) == words
