"""What could not be read is an alert of severity unknown: a reason, an alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    DATETIME_DTYPE,
    Condition,
    Direction,
    FaultReason,
    FileSummary,
    History,
    ReadFault,
    ReadProblem,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.rules.defaults import default_rules
from modeltop.rules.input_validation import REASONS, validate_input
from modeltop.rules.rule import limit_rule

NOW = datetime(2025, 6, 1, tzinfo=UTC)
ACCURACY = SeriesKey("churn", "accuracy")
PERCENT = ReadProblem("churn.csv", "column `accuracy`: 95 is not between 0 and 1: write a fraction", 7)
TORN = ReadProblem("churn.csv", "the row has 1 cell, the header 2: write every cell", 9)

LOCATED_PERCENT = f"{PERCENT.message} (churn.csv:7)"
LOCATED_TORN = f"{TORN.message} (churn.csv:9)"


def at(day):
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)


def days(*numbers):
    return np.array([at(day).replace(tzinfo=None) for day in numbers], dtype=DATETIME_DTYPE)


def series(*numbers, key=ACCURACY, value=0.95):
    return Series(key, Direction.HIGHER, days(*numbers), np.full(len(numbers), value))


def file(read=100, lost=0, *, newest_lost=False, faults=(), models=("churn",), span=(1, 100)):
    """Summarize a file of a hundred days."""
    return FileSummary(
        "churn.csv",
        models,
        read,
        lost,
        newest_lost,
        faults,
        (at(span[0]), at(span[1])) if read else None,
        TORN if lost else None,
        {"accuracy": PERCENT},
    )


def history(*all_series, refused=(), files=(), periods=range(1, 101)):
    return History(
        {each.key: each for each in all_series},
        {"churn": days(*periods)} if periods else {},
        refused={ACCURACY: days(*refused)} if refused else {},
        files=files or (file(),),
    )


def validate(data, rules=(), **options):
    return validate_input(data, [*default_rules(), *rules], MetricRegistry(), now=NOW, **options)


HEALTHY = series(*range(1, 101))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(history(HEALTHY), id="all is read"),
        pytest.param(history(series(*range(1, 50), *range(51, 101)), refused=[50]), id="one cell in the middle"),
        pytest.param(history(HEALTHY, refused=range(10, 15)), id="one in twenty cells"),
        pytest.param(history(series(1, 3), refused=[2], periods=(1, 2, 3)), id="one cell of three"),
        pytest.param(history(HEALTHY, files=[file(95, 5)]), id="one in twenty rows"),
        pytest.param(history(HEALTHY, files=[file(2, 1)]), id="one row of three"),
        pytest.param(
            history(HEALTHY, files=[file(50, 1, newest_lost=True, span=(1, 50))]), id="the end of an old file"
        ),
        pytest.param(history(files=[file(0, models=())], periods=()), id="a header alone"),
    ],
)
def test_a_slip_is_no_alert(data):
    assert validate(data) == []


COLUMN = ReadFault(FaultReason.COLUMN_REFUSED, "column `Accuracy Score` has two scales", "Accuracy Score", 2)
DATES = ReadFault(FaultReason.COLUMN_REFUSED, "column `date`: day or month first", "date", 2)
COLLISION = ReadFault(FaultReason.ROWS_COLLIDE, "rows differ in column `shard`: name it segment", None, None)
SECOND = ReadFault(FaultReason.PERIODS_OF_TWO_LENGTHS, "hourly and daily rows", models=("fraud",))


@pytest.mark.parametrize(
    ("data", "key", "message", "since"),
    [
        pytest.param(
            history(refused=range(1, 101)),
            ACCURACY,
            f"no value can be read: {LOCATED_PERCENT}",
            at(1),
            id="an entire column",
        ),
        pytest.param(
            history(series(*range(1, 98)), refused=[50, 98, 99, 100]),
            ACCURACY,
            f"newest 3 values cannot be read: {LOCATED_PERCENT}",
            at(98),
            id="the newest values of a series",
        ),
        pytest.param(
            history(series(*range(1, 100)), refused=[100]),
            ACCURACY,
            f"newest value cannot be read: {LOCATED_PERCENT}",
            at(100),
            id="the newest value alone",
        ),
        pytest.param(
            history(series(*range(1, 40), *range(46, 101)), refused=range(40, 46)),
            ACCURACY,
            f"6 of 100 values cannot be read: {LOCATED_PERCENT}",
            at(40),
            id="more than one in twenty values",
        ),
        pytest.param(
            history(HEALTHY, files=[file(94, 6)]),
            SeriesKey("churn", "*"),
            f"6 of 100 rows cannot be read: {LOCATED_TORN}",
            at(1),
            id="more than one in twenty rows",
        ),
        pytest.param(
            history(HEALTHY, files=[file(100, 1, newest_lost=True)]),
            SeriesKey("churn", "*"),
            f"newest rows cannot be read: {LOCATED_TORN}",
            at(100),
            id="the newest rows",
        ),
        pytest.param(
            history(HEALTHY, files=[file(100, 1, newest_lost=True, models=("churn", "fraud"))]),
            SeriesKey("churn.csv", "*"),
            f"newest rows cannot be read: {LOCATED_TORN}",
            at(100),
            id="the newest rows of a file with several models",
        ),
        pytest.param(
            history(files=[file(0, 3, newest_lost=True, models=())], periods=()),
            SeriesKey("churn.csv", "*"),
            f"no row can be read: {LOCATED_TORN}",
            NOW,
            id="no row at all",
        ),
        pytest.param(
            history(files=[file(1)]),
            SeriesKey("churn", "*"),
            "100 periods and no value of any metric: check the columns of churn.csv",
            at(1),
            id="rows without any value",
        ),
        pytest.param(
            history(series(1, key=SeriesKey("churn", "accuracy")), files=[file(faults=(COLUMN,))]),
            ACCURACY,
            "column `Accuracy Score` has two scales (churn.csv:2)",
            at(1),
            id="a column of two scales, by its metric",
        ),
        pytest.param(
            history(files=[file(0, 9, faults=(DATES,), models=())], periods=()),
            SeriesKey("churn.csv", "*"),
            "column `date`: day or month first (churn.csv:2)",
            NOW,
            id="a column of dates",
        ),
        pytest.param(
            history(HEALTHY, files=[file(faults=(COLLISION,))]),
            SeriesKey("churn", "*"),
            "rows differ in column `shard`: name it segment (churn.csv)",
            at(1),
            id="rows that cannot be told apart",
        ),
        pytest.param(
            history(HEALTHY, files=[file(faults=(SECOND,), models=("churn", "fraud"))]),
            SeriesKey("fraud", "*"),
            "hourly and daily rows (churn.csv)",
            at(1),
            id="a fault of one of the models",
        ),
    ],
)
def test_data_that_could_not_be_read_is_an_alert(data, key, message, since):
    (alert,) = validate(data)
    assert (alert.key, alert.breach.message, alert.since) == (key, message, since)
    assert (alert.rule, alert.condition, alert.state) == ("unreadable", Condition.UNREADABLE, State.FIRING)
    assert alert.severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param(limit_rule("recall", below=0.9), "the metrics are accuracy", id="a metric"),
        pytest.param(
            limit_rule("accuracy", below=0.9, segment="country=DE"),
            "segment country=DE is not among all",
            id="a segment",
        ),
    ],
)
def test_a_rule_without_a_value_is_an_alert_of_its_only_model(rule, message):
    (alert,) = validate(history(HEALTHY), [rule])
    assert alert.key == SeriesKey("churn", rule.metric, rule.segment)
    assert alert.breach.message == f"no value for rule {rule.name}: {message}"


@pytest.mark.parametrize(
    ("infinite", "message"), [([100], "newest value is"), ([50, 99, 100], "newest 2 values are"), ([50], None)]
)
def test_newest_values_that_are_infinite_are_unknown(infinite, message):
    values = np.where(np.isin(np.arange(1, 101), infinite), np.inf, 0.9)
    alerts = validate(history(replace(HEALTHY, values=values)), [limit_rule("accuracy", below=0.9)])
    assert [alert.breach.message.partition(" infinite")[0] for alert in alerts] == ([message] if message else [])
    assert all(alert.since == at(infinite[-1] if len(infinite) == 1 else 99) for alert in alerts)


def test_a_rule_on_several_models_without_a_value_is_an_alert_of_its_own():
    other = series(1, key=SeriesKey("fraud", "accuracy"))
    data = history(HEALTHY, other)
    data = History(data.series, {**data.periods, "fraud": days(1)}, files=data.files)
    (alert,) = validate(data, [limit_rule("recall", below=0.9)])
    assert alert.key == SeriesKey("limit-recall", "recall")
    (alert,) = validate(data, [limit_rule("recall", below=0.9), limit_rule("accuracy", below=0.9)])
    assert alert.key.metric == "recall"


def test_a_model_without_a_value_is_unknown_though_its_file_has_values_of_another():
    data = history(HEALTHY, files=[file(models=("churn", "fraud"))])
    (alert,) = validate(History(data.series, {**data.periods, "fraud": days(3)}, files=data.files))
    assert (alert.key, alert.since) == (SeriesKey("fraud", "*"), at(3))


def test_a_rule_on_a_column_of_which_nothing_was_read_adds_no_second_alert():
    (alert,) = validate(history(refused=range(1, 101)), [limit_rule("accuracy", below=0.9)])
    assert alert.breach.message.startswith("no value can be read")


def test_a_column_of_text_that_no_metric_is_known_by_is_no_alert():
    data = history(HEALTHY)
    text = {SeriesKey("churn", "remark"): days(*range(1, 101))}
    assert validate(History(data.series, data.periods, refused=text, files=data.files)) == []


def test_the_name_of_an_alert_stays_as_its_file_grows():
    before, after = (
        validate(history(series(*range(1, 50)), refused=range(50, last), periods=range(1, last)))[0]
        for last in (51, 52)
    )
    assert before.id == after.id
    rows = [history(files=[file(0, lost, newest_lost=True, models=())], periods=()) for lost in (3, 4)]
    first, second = (validate(data, first_seen={SeriesKey("churn.csv", "*"): at(1)})[0] for data in rows)
    assert (first.id, first.since) == (second.id, at(1))


def test_every_reason_has_a_description():
    assert len(REASONS) == len({reason.__doc__ for reason in REASONS})
