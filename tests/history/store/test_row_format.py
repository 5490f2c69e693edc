"""What stands in a file is what was recorded, to the last bit, for readers we did not write."""

import csv
import io
import math
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.errors import StoreError
from modeltop.history.store.row_format import (
    LEADING_COLUMNS,
    TRAILING_COLUMN,
    PeriodRow,
    encode_csv_line,
    encode_row,
    extend_columns,
    format_iso,
    parse_header,
    validate,
)

DAY = datetime(2025, 1, 10, tzinfo=UTC)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@given(model=NAMES, segment=NAMES, value=st.floats(allow_nan=False), count=st.floats(0, 1e15))
def test_the_csv_module_reads_every_cell_back(model, segment, value, count):
    record = PeriodRow(model, DAY, {"kpi": value}, count, segment)
    columns = extend_columns([record], None)
    text = (encode_csv_line(columns) + encode_row(record, columns)).decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    assert (row["model"], row["segment"], float(row["kpi"]), float(row["count"])) == (model, segment, value, count)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_no_shorter_text_gives_the_same_number(value):
    record = PeriodRow("m", DAY, {"kpi": value})
    text = encode_row(record, extend_columns([record], None)).decode().split(",")[4]
    assert math.copysign(1, float(text)) == math.copysign(1, value)
    assert text == repr(value).removesuffix(".0")


@given(moment=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_pandas_reads_every_date_back(moment):
    assert pd.Timestamp(format_iso(moment)).tz_localize(None) == pd.Timestamp(moment).tz_localize(None)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (DAY, "2025-01-10"),
        (DAY + timedelta(hours=2), "2025-01-10T02:00:00Z"),
        (DAY + timedelta(microseconds=1), "2025-01-10T00:00:00.000001Z"),
        (datetime(2025, 1, 10, tzinfo=timezone(timedelta(hours=2))), "2025-01-09T22:00:00Z"),
        (datetime(2025, 1, 10, 2, tzinfo=timezone(timedelta(hours=2))), "2025-01-10"),
    ],
)
def test_a_date_is_as_short_as_it_can_be_exact(moment, text):
    assert format_iso(moment) == text


def test_a_name_with_any_delimiter_is_quoted_so_that_guessing_readers_guess_right():
    line = encode_row(PeriodRow("a;b;c", DAY, {"x|y": 0.5}), (*LEADING_COLUMNS, "x|y", TRAILING_COLUMN))
    assert line == b'2025-01-10,"a;b;c",all,,0.5,\n'
    assert (
        encode_csv_line((*LEADING_COLUMNS, "x|y", TRAILING_COLUMN)) == b'date,model,segment,count,"x|y",provisional\n'
    )


def test_new_columns_come_behind_the_known_ones_each_with_its_companions():
    record = PeriodRow(
        "m", DAY, {"recall": 0.9, "auc": 0.8}, supports={"recall": 7}, lows={"recall": 0.8}, highs={"recall": 1}
    )
    columns = extend_columns([record], (*LEADING_COLUMNS, "auc", "f1", TRAILING_COLUMN))
    assert columns[4:] == ("auc", "f1", "recall", "recall_count", "recall_low", "recall_high", "provisional")


def test_only_a_header_that_the_store_made_is_understood(hostile):
    columns = (*LEADING_COLUMNS, hostile, TRAILING_COLUMN)
    assert parse_header(encode_csv_line(columns) + b"2025-01-10,") == columns
    for other in (
        b"",
        encode_csv_line(columns)[:-1],
        b"\xef\xbb\xbf" + encode_csv_line(columns),
        encode_csv_line(columns).replace(b",", b";"),
    ):
        assert parse_header(other) is None
    assert parse_header(b"date,model,accuracy\n") is None
    assert parse_header(encode_csv_line((*LEADING_COLUMNS, hostile, hostile, TRAILING_COLUMN))) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": " "}, "a model without a name"),
        ({"model": "churn "}, "starts or ends with a space"),
        ({"model": "\ud800"}, "is not valid text"),
        ({"model": 10_001 * "W"}, "is too long"),
        ({"segment": 9 * "\n" + "x" + 9 * "\n" + "x"}, "starts or ends"),
        ({"segment": "x" + 9 * "\nx"}, "too many line breaks"),
        ({"segment": ""}, "a segment without a name"),
        ({"date": datetime(2025, 1, 10)}, "has no zone"),  # noqa: DTZ001
        ({"date": datetime(25, 1, 10, tzinfo=UTC)}, "outside 1970 to 2200"),
        ({"date": datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=5)))}, "outside 1970 to 2200"),
        ({"values": {}}, "at least one metric"),
        ({"values": {"accuracy": math.nan}}, "is not a number"),
        ({"values": {"Time": 1.0}}, "is the name of another column"),
        ({"values": {"metric": 1.0}}, "is the name of another column"),
        ({"values": {"a\nb": 1.0}}, "too many line breaks"),
        ({"count": -1}, "the count of `rows` is -1"),
        ({"count": math.inf}, "the count of `rows` is inf"),
        ({"supports": {"accuracy": -5}}, "the count of `accuracy` is -5"),
        ({"supports": {"recall": 5}}, "goes with a value"),
        ({"lows": {"accuracy": math.nan}}, "goes with a value"),
    ],
)
def test_what_a_reader_would_not_find_again_is_refused(fields, message):
    record = PeriodRow(**({"model": "churn", "date": DAY, "values": {"accuracy": 0.9}} | fields))
    with pytest.raises(StoreError, match=message):
        validate(record)


@pytest.mark.parametrize(
    ("existing", "metrics"),
    [
        pytest.param(None, ["recall", "recall_count"], id="beside each other"),
        pytest.param(("recall",), ["recall_count"], id="the count later"),
        pytest.param(("recall_count",), ["recall"], id="the metric later"),
        pytest.param(("recall", "recall_count"), ["recall_count"], id="where a support stands already"),
        pytest.param(("accuracy",), ["ACCURACY_LOW"], id="whatever its case"),
    ],
)
def test_a_metric_that_would_be_read_as_the_support_of_another_is_refused(existing, metrics):
    columns = (*LEADING_COLUMNS, *existing, TRAILING_COLUMN) if existing else None
    with pytest.raises(StoreError, match="is read as its support or interval"):
        extend_columns([PeriodRow("m", DAY, dict.fromkeys(metrics, 1.0))], columns)


def test_a_metric_that_merely_ends_like_a_support_is_kept():
    assert extend_columns([PeriodRow("m", DAY, {"row_count": 5.0})], None) == (
        *LEADING_COLUMNS,
        "row_count",
        TRAILING_COLUMN,
    )


def test_more_columns_than_a_reader_takes_are_refused():
    with pytest.raises(StoreError, match="too many metrics"):
        extend_columns([PeriodRow("m", DAY, {f"k{n}": 1.0 for n in range(1000)})], None)
