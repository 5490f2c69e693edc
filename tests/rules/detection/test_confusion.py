"""Counting what was taken for what, by hand and against statsmodels."""

from statsmodels.stats.proportion import proportion_confint

from tests.benchmarks.detection.confusion import Answer, note, spoken, wrong

ANSWERS = [
    Answer("spike", "spike", 0, (("rows", "50"), ("SE", "4"))),
    Answer("spike", "steady", 1, (("rows", "200"), ("SE", "4"))),
    Answer("spike", "steady", 2, (("rows", "200"), ("SE", "8"))),
    Answer("spike", "spike", 3, (("rows", "200"), ("SE", "8"))),
]


def test_what_is_wrong_is_counted():
    assert wrong(ANSWERS) == 50
    assert wrong(ANSWERS[:1]) == 0


def test_it_is_said_what_was_taken_for_what_and_where_it_went_wrong():
    said = "spike 50%, steady 50%; wrong by rows 200: 2/3; wrong by SE 4: 1/2, 8: 1/2; wrong are 1, 2"
    assert spoken(ANSWERS) == said
    assert spoken(ANSWERS[:1]) == "spike 100%"


def test_the_interval_is_that_of_wilson():
    low, high = proportion_confint(2, 4, method="wilson")
    assert note(ANSWERS, "courses") == f"of 4 courses, all kinds alike; 95 % {100 * low:.1f} to {100 * high:.1f}"
