"""Error rates by hand, and their interval compared with statsmodels."""

from statsmodels.stats.proportion import proportion_confint

from tests.benchmarks.detection.confusion import Prediction, error_percent, format_interval, format_predictions

PREDICTIONS = [
    Prediction("spike", "spike", 0, (("rows", "50"), ("SE", "4"))),
    Prediction("spike", "steady", 1, (("rows", "200"), ("SE", "4"))),
    Prediction("spike", "steady", 2, (("rows", "200"), ("SE", "8"))),
    Prediction("spike", "spike", 3, (("rows", "200"), ("SE", "8"))),
]


def test_wrong_predictions_are_counted():
    assert error_percent(PREDICTIONS) == 50
    assert error_percent(PREDICTIONS[:1]) == 0


def test_predictions_are_formatted_with_the_conditions_of_the_wrong_ones():
    expected = "spike 50%, steady 50%; wrong by rows 200: 2/3; wrong by SE 4: 1/2, 8: 1/2; wrong are 1, 2"
    assert format_predictions(PREDICTIONS) == expected
    assert format_predictions(PREDICTIONS[:1]) == "spike 100%"


def test_the_interval_is_that_of_wilson():
    low, high = proportion_confint(2, 4, method="wilson")
    expected = f"of 4 courses, all kinds alike; 95 % {100 * low:.1f} to {100 * high:.1f}"
    assert format_interval(PREDICTIONS, "courses") == expected
