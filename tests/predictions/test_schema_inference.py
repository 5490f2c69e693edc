"""The columns, task and classes that are inferred from a log, and where the user is options instead."""

import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec, Task


@pytest.fixture
def read(written, engine):
    def resolve_rows(header, *rows, **options):
        path = written(rows, header=("timestamp", *header))
        return resolve(LogSpec(sources=(str(path),), **options), engine)

    return resolve_rows


def stamped(*rows):
    return [("2025-01-01", *row) for row in rows]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        pytest.param(["0", "1"], Task.BINARY, ("0", "1"), id="0 and 1"),
        pytest.param(["1.0", "0.0"], Task.BINARY, ("0", "1"), id="0.0 and 1.0"),
        pytest.param(["no", "yes"], Task.BINARY, ("no", "yes"), id="no and yes"),
        pytest.param(["False", "True"], Task.BINARY, ("false", "true"), id="false and true"),
        pytest.param(["-1", "1"], Task.BINARY, ("-1", "1"), id="-1 and 1"),
        pytest.param(["a10", "a2", "b"], Task.MULTICLASS, ("a2", "a10", "b"), id="three names, in natural order"),
        pytest.param(["1.5", "2.25", "3"], Task.REGRESSION, (), id="amounts"),
    ],
)
def test_the_task_is_inferred_from_the_values(read, values, task, classes):
    log = read(("prediction", "label"), *stamped(*((value, value) for value in values)))
    assert (log.task, log.classes) == (task, classes)
    assert f"the task is {task.value}" in log.notes


@pytest.mark.parametrize(
    ("header", "rows", "options", "message"),
    [
        pytest.param(("prediction", "label"), [("cat", "dog")], {}, "--positive", id="which of two is positive"),
        pytest.param(("prediction", "label"), [("3", "4"), ("5", "5")], {}, "--task", id="classes or amounts"),
        pytest.param(("prediction", "label"), [("a", "b")], {"positive": "c"}, "not among the values:", id="not there"),
        pytest.param(("prediction", "label"), [("0.2", "0"), ("0.9", "1")], {}, "--score", id="scores"),
        pytest.param(("label",), [("1",)], {}, "neither a prediction nor a score", id="nothing was predicted"),
        pytest.param(("prediction", "lable"), [("1", "1")], {"label": "label"}, "did you mean lable", id="misspelt"),
        pytest.param(
            ("prediction", "label"), [("x", "y")], {"task": Task.REGRESSION}, "holds text, and", id="text for numbers"
        ),
        pytest.param(("prediction", "score"), [("1", "high")], {"scores": ("score",)}, "holds text", id="no number"),
        pytest.param(
            ("label", "score"), [("1", "0.1"), ("1", "a lot")], {}, "such as a lot", id="one that is not a number"
        ),
        pytest.param(
            ("label", "score"), [("1", "0.1")], {"threshold": 2.0}, "beyond all scores", id="too high a threshold"
        ),
        pytest.param(
            ("label", "score"),
            [("no", ".1"), ("yes", ".2"), ("1", ".3")],
            {},
            "name the positive one",
            id="two values for positive",
        ),
        pytest.param(("prediction", "label"), [], {}, "the log has no rows", id="a header alone"),
        pytest.param(("prediction", "score"), [("1", "-0.1")], {}, "lies within 0 and 1", id="no probability"),
        pytest.param(("prediction",), [("1",)], {"start": "2025-01-01"}, "go together", id="start without every"),
    ],
)
def test_what_cannot_be_inferred_is_asked_for_in_one_line(read, header, rows, options, message):
    with pytest.raises(SourceError, match=message) as caught:
        read(header, *stamped(*rows), **options)
    assert "\n" not in str(caught.value)


def test_a_value_that_is_no_date_is_shown_and_not_one_that_is(written, engine):
    path = written([("2025-01-01", 1), ("yesterday", 0)], header=("timestamp", "prediction"))
    with pytest.raises(SourceError, match="holds yesterday, which is not an ISO date"):
        resolve(LogSpec(sources=(str(path),)), engine)


def test_columns_are_taken_by_their_usual_names_with_a_note(read):
    log = read(("y_pred_proba", "y_pred", "y_true"), *stamped(("0.7", "1", "0"), ("0.2", "0", "0")))
    assert (log.prediction, log.label, dict(log.scores)) == ("y_pred", "y_true", {"1": "y_pred_proba"})
    assert "y_pred_proba is used as the score" in log.notes


def test_without_predictions_the_score_decides_from_the_threshold_on(read):
    rows = stamped(("0.5", "1"), ("0.49", "0"))
    assert "score of 0.5 or more is positive" in " ".join(read(("score", "label"), *rows).notes)
    log = read(("prediction", "score", "label"), *[(day, "1", *rest) for day, *rest in rows], threshold=0.4)
    assert (log.prediction, log.threshold) == (None, 0.4)


def test_rows_that_cannot_be_used_are_counted_in_a_note(read):
    rows = [("2025-01-01", "1", "1"), ("2025-01-01", "1", "0.5"), ("", "0", "0"), ("2025-01-02", "", "0")]
    notes = read(("prediction", "label", "score"), *((*row, "0.5") for row in rows), positive="1").notes
    assert "1 row with a label that is neither value count as unlabeled, such as ties" in notes
    assert "1 row without a prediction that can be read are skipped" in notes
    assert "1 row without a time are skipped" in notes


def test_a_file_stem_is_the_model_where_no_column_is(read):
    assert read(("prediction", "label"), *stamped(("1", "1"))).model_name == "log"
    assert read(("prediction", "label"), *stamped(("1", "1")), model="churn").model_name == "churn"
