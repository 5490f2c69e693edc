"""The format of a column of numbers: decided by all of its cells, or refused with what to write."""

import itertools
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SHARES = [0.9552, 0.9558, 0.95, 0.9469, 0.9456, 0.9501]
COUNTS = [980, 1234, 1235, 1236, 1_234_567, 999]
DOTS = ["1.234", "1.235", "1.236", "1.237", "1.238"]
COMMAS = ["1,234", "1,235", "1,236", "1,237", "1,238"]
THREE_DECIMALS, WHOLE = [1.234, 1.235, 1.236, 1.237, 1.238], [1234, 1235, 1236, 1237, 1238]
MILLISECONDS = [1234.5, 1235.25, 99.5, 1236.75, 12345.5, 1237.5]


def comma(value):
    return str(value).replace(".", ",")


def grouped(value, mark, decimal="."):
    whole, point, rest = f"{value:,}".partition(".")
    return whole.replace(",", mark) + (decimal + rest if point else "")


def percent(value, digits=2):
    return f"{value * 100:.{digits}f}"


READ = {
    # metric, cells, other cells of the row by column, values
    "decimal points": ("accuracy", SHARES, {}, SHARES),
    "decimal commas": ("accuracy", map(comma, SHARES), {}, SHARES),
    "no digit before the mark": ("accuracy", [",95", ",9", ",91", ",92", ",93"], {}, [0.95, 0.9, 0.91, 0.92, 0.93]),
    "plus signs": ("accuracy", [f"+{value}" for value in SHARES], {}, SHARES),
    "scientific": ("log_loss", [f"{value:e}" for value in SHARES], {}, SHARES),
    "blanks around": ("accuracy", [f" {value} " for value in SHARES], {}, SHARES),
    "empty cells between": ("accuracy", ["0,9", "", "n/a", "-", "0,8"], {}, [0.9, 0.8]),
    "German thousands and decimals": ("latency_ms", [grouped(v, ".", ",") for v in MILLISECONDS], {}, MILLISECONDS),
    "English thousands and decimals": ("latency_ms", [grouped(v, ",") for v in MILLISECONDS], {}, MILLISECONDS),
    "Swiss thousands": ("latency_ms", [grouped(v, "'") for v in MILLISECONDS], {}, MILLISECONDS),
    "Swiss thousands, typographic": ("latency_ms", [grouped(v, "\u2019") for v in MILLISECONDS], {}, MILLISECONDS),
    "blanks as thousands": ("latency_ms", [grouped(v, " ") for v in MILLISECONDS], {}, MILLISECONDS),
    "French": ("latency_ms", [grouped(v, "\u202f", ",") for v in MILLISECONDS], {}, MILLISECONDS),
    "no-break blanks": ("latency_ms", [grouped(v, "\u00a0", ",") for v in MILLISECONDS], {}, MILLISECONDS),
    "dots are thousands where decimals are commas": (
        "latency_ms", DOTS, {"accuracy": "0,95"}, WHOLE,
    ),
    "dots are decimals where decimals are dots": (
        "latency_ms", DOTS, {"accuracy": "0.95"}, THREE_DECIMALS,
    ),
    "commas are thousands where decimals are dots": (
        "latency_ms", COMMAS, {"accuracy": "0.95"}, WHOLE,
    ),
    "commas are decimals where decimals are commas": (
        "latency_ms", COMMAS, {"accuracy": "0,95"}, THREE_DECIMALS,
    ),
    "percent signs": ("accuracy", [f"{percent(v)}%" for v in SHARES], {}, SHARES),
    "percent signs behind a blank": ("accuracy", [f"{percent(v)} %" for v in SHARES], {}, SHARES),
    "percent signs and decimal commas": ("accuracy", [f"{comma(percent(v))} %" for v in SHARES], {}, SHARES),
    "percent signs of whole numbers": ("accuracy", ["95%", "100%", "0%"], {}, [0.95, 1.0, 0.0]),
    "percent signs of small numbers": ("error_rate", ["0.5%", "0.25%", "1%"], {}, [0.005, 0.0025, 0.01]),
    "percent signs of any metric": ("kpi", ["12%", "120%"], {}, [0.12, 1.2]),
    "a single percent sign": ("accuracy", ["95.5%"], {}, [0.955]),
    "0 to 100": ("accuracy", map(percent, SHARES), {}, SHARES),
    "0 to 100, whole": ("accuracy", [95, 96, 94, 100, 93], {}, [0.95, 0.96, 0.94, 1.0, 0.93]),
    "0 to 100 with decimal commas": ("accuracy", [comma(percent(v)) for v in SHARES], {}, SHARES),
    "0 to 100 with zeros": ("f1_score", [0, 92, 0, 93.5, 91], {}, [0.0, 0.92, 0.0, 0.935, 0.91]),
    "low numbers of 0 to 100": ("error_rate", [5.0, 5.0, 5.0, 5.0, 20.0], {}, [0.05, 0.05, 0.05, 0.05, 0.2]),
    "0 to 100 of a metric from -1": ("mcc", [45.5, 46, -3, 44, 43], {}, [0.455, 0.46, -0.03, 0.44, 0.43]),
    "0 to 100 of a metric without bounds": ("latency_ms", [95.5, 96, 94, 95, 93], {}, [95.5, 96, 94, 95, 93]),
    "one slip among fractions": ("accuracy", [*SHARES, 95], {}, SHARES),
    "one slip among percent": ("accuracy", [*map(percent, SHARES), 0.95], {}, SHARES),
    "one slip without a percent sign": ("accuracy", [*(f"{percent(v)}%" for v in SHARES), 0.95], {}, SHARES),
    "one percent sign": ("accuracy", [*SHARES, "95%"], {}, SHARES),
    "infinity": ("reward", ["1.797e308", "-1.7976931348623157e+308", "1e301", "1e300", "9e999"], {},
        [math.inf, -math.inf, math.inf, 1e300, math.inf]),
    "infinity with a decimal comma": ("log_loss", ["1,797e308", "0,5", "0,6", "0,7"], {}, [math.inf, 0.5, 0.6, 0.7]),
}  # fmt: skip
COUNTED = {
    "plain": COUNTS,
    "as floats": [f"{count}.0" for count in COUNTS],
    "English": [grouped(count, ",") for count in COUNTS],
    "German": [grouped(count, ".") for count in COUNTS],
    "Swiss": [grouped(count, "'") for count in COUNTS],
    "French": [grouped(count, "\u202f") for count in COUNTS],
    "German with decimals": [f"{grouped(count, '.')},0" for count in COUNTS],
    "English with decimals": [f"{grouped(count, ',')}.00" for count in COUNTS],
}
REFUSED = {
    "two scales": ("accuracy", [*SHARES, *map(percent, SHARES)], "holds fractions, such as 0.9552, and percent"),
    "a scale that changes": ("accuracy", [0.95] * 20 + [95.0] * 3, "0.95, and percent, such as 95.0"),
    "signs on half of the cells": ("accuracy", ["95%", "96%", "97%", 0.95, 0.96, 0.97], "a percent sign, such as 95%"),
    "one of two marks": ("latency_ms", ["1,234", "1,235", "1,236"], "could be 1234 or 1.234: use `--decimal .` or"),
}  # fmt: skip
LOST = {
    "per mille": ("accuracy", [round(value * 1000, 1) for value in SHARES], "is not between 0 and 1"),
    "text": ("accuracy", ["high"] * 6, "is not a number"),
    "remarks": ("accuracy", [f"{value} (n=5)" for value in SHARES], "is not a number"),
    "two points": ("accuracy", [f"0.9.{digit}" for digit in range(6)], "is not a number"),
    "too few percent": ("accuracy", [95, 96], "write a fraction"),
    "around 1": ("accuracy", [1.01, 1.02, 1.3, 2.5, 1.04, 1.05], "is not between 0 and 1"),
    "hardly more than 1": ("accuracy", [1.01, 1.02, 1.03, 1.04, 1.05], "is not between 0 and 1"),
    "groups of two": ("latency_ms", ["1,23,456", "1,23,457", "2,34,567"], "is not a number"),
}


def table(header, rows):
    """A file, every cell quoted."""
    lines = (",".join(f'"{cell}"' for cell in row) for row in rows)
    return f"date,{header}\n" + "".join(f"{2000 + year}-01-01,{line}\n" for year, line in enumerate(lines))


def values_of_metric(history, metric):
    return next((series.values.tolist() for key, series in history.series.items() if key.metric == metric), [])


@pytest.mark.parametrize("case", READ)
def test_a_column_in_one_format_is_read(history_folder, case):
    metric, cells, others, values = READ[case]
    data = table(",".join([metric, *others]), ([cell, *others.values()] for cell in list(cells)))
    history = history_folder.read(data)
    assert values_of_metric(history, metric) == values
    assert not history.files[0].faults


@pytest.mark.parametrize("case", COUNTED)
def test_a_count_is_a_whole_number_however_its_thousands_are_written(history_folder, case):
    (series,) = history_folder.read(table("accuracy,count", ((0.9, count) for count in COUNTED[case]))).series.values()
    assert series.rows.tolist() == COUNTS


@pytest.mark.parametrize("mark", [".", ",", "'", " "])
def test_a_support_of_thousands_is_a_whole_number(history_folder, mark):
    rows = ((0.9, grouped(count, mark)) for count in COUNTS)
    (series,) = history_folder.read(table("recall,recall_count", rows)).series.values()
    assert series.support.tolist() == COUNTS


def test_counts_with_fractions_are_weights(history_folder):
    (series,) = history_folder.read(table("accuracy,count", ((0.9, count) for count in (512.25, 7.5)))).series.values()
    assert series.rows.tolist() == [512.25, 7.5]


def test_one_count_with_a_fraction_among_plain_ones_is_read_as_it_is_written(history_folder):
    history = history_folder.read(table("accuracy,count", ((0.9, count) for count in ["100"] * 59 + ["100.5"])))
    (series,) = history.series.values()
    assert (series.rows[-1], history.problems) == (100.5, ())


@pytest.mark.parametrize("case", REFUSED)
def test_a_column_with_two_readings_is_refused_once(history_folder, case):
    metric, cells, message = REFUSED[case]
    history = history_folder.read(table(f"{metric},psi", ((cell, 1) for cell in cells)))
    assert values_of_metric(history, metric) == []
    assert len(values_of_metric(history, "psi")) == len(cells)
    (fault,) = history.files[0].faults
    assert (fault.column, fault.line) == (metric, 1)
    assert message in fault.message
    assert re.search("write|use `--decimal", fault.message)
    assert [problem.message for problem in history.problems] == [fault.message]
    assert {key.metric: len(times) for key, times in history.refused.items()} == {metric: len(cells)}


@pytest.mark.parametrize("case", LOST)
def test_what_is_no_number_in_any_format_is_refused_by_line(history_folder, case):
    metric, cells, message = LOST[case]
    history = history_folder.read(table(metric, ([cell] for cell in cells)))
    assert values_of_metric(history, metric) == []
    assert any(message in problem.message for problem in history.problems)
    assert {key.metric: len(times) for key, times in history.refused.items()} == {metric: len(cells)}


@pytest.mark.parametrize(("cell", "note"), [("95.52", "95.52 is 0.9552"), ("95,5 %", "95,5 % is 0.955")])
def test_a_column_of_percent_is_reported_in_one_line(history_folder, cell, note):
    (problem,) = history_folder.read(table("accuracy", [[cell]] * 6)).problems
    assert problem.message == f"`accuracy` is read as percent: {note}"


def test_an_interval_has_the_scale_of_its_value(history_folder):
    rows = [[percent(value), percent(value - 0.01), percent(value + 0.01), 500] for value in SHARES]
    (series,) = history_folder.read(table("accuracy,accuracy_low,accuracy_high,accuracy_count", rows)).series.values()
    assert series.low.tolist() == pytest.approx([value - 0.01 for value in SHARES])
    assert series.high.tolist() == pytest.approx([value + 0.01 for value in SHARES])
    assert series.support.tolist() == [500] * 6


def test_each_metric_of_the_long_shape_has_its_own_scale(history_folder):
    rows = [row for value in SHARES for row in (["accuracy", percent(value)], ["latency_ms", 95], ["recall", value])]
    history = history_folder.read(table("metric,value", rows))
    assert values_of_metric(history, "accuracy") == SHARES
    assert values_of_metric(history, "recall") == SHARES
    assert values_of_metric(history, "latency_ms") == [95] * 6


def test_two_metrics_of_the_long_shape_in_one_unusual_format_are_both_read(history_folder):
    history = history_folder.read(
        table("metric,value", [[name, f"{v:%}"] for v in SHARES for name in ("accuracy", "recall")])
    )
    assert values_of_metric(history, "accuracy") == values_of_metric(history, "recall") == SHARES


def test_a_metric_of_the_long_shape_with_two_scales_is_refused_by_itself(history_folder):
    rows = [row for value in SHARES for row in (["f1", value], ["f1", percent(value)], ["latency_ms", 95])]
    history = history_folder.read(table("metric,value", rows))
    assert {key.metric for key in history.series} == {"latency_ms"}
    assert "`f1` holds fractions" in history.files[0].faults[0].message


def test_the_stores_own_files_are_read_as_written(history_folder):
    header = "date,model,segment,count,accuracy,provisional\n"
    history = history_folder.read(header + "".join(f"2025-01-{day:02},m,all,5,{day + 90},\n" for day in range(1, 9)))
    assert values_of_metric(history, "accuracy") == []
    assert any("write a fraction" in problem.message for problem in history.problems)


def write(value, form):
    decimals = f"{value:.4f}"
    return {
        "plain": decimals, "comma": comma(decimals), "sign": f"{percent(value, 6)}%", "percent": percent(value, 6),
        "comma and sign": f"{comma(percent(value, 6))} %",
    }[form]  # fmt: skip


shares = st.integers(0, 10_000).map(lambda number: number / 10_000)


@settings(max_examples=150, deadline=None)
@given(st.lists(shares, min_size=1, max_size=30), st.sampled_from(["comma", "sign", "percent", "comma and sign"]))
def test_no_format_reads_another_number_than_the_plain_one(make_history_folder, values, form):
    history = make_history_folder().read(table("accuracy", ([write(value, form)] for value in values)))
    read = values_of_metric(history, "accuracy")
    if form == "percent":  # where numbers of at most 1 stand beside others the column or the cell is refused
        assert set(read) <= set(values) | {float(write(value, form)) for value in values if value <= 0.01}
        assert len(read) == len(values) or len(history.problems) > 0
    else:
        assert read == values


cells = st.one_of(
    shares.map(str), shares.map(percent), st.sampled_from(["95%", "0,95", "1.234", "1,234", "", "x", "7"])
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=16), st.lists(st.integers(0, 16), max_size=3))
def test_columns_that_grow_are_read_as_at_once(make_history_folder, as_plain_data, rows, cuts):
    history_folder = make_history_folder()
    header, *lines = table("accuracy,count", rows).splitlines(keepends=True)
    path = history_folder.write(header)
    followed = history_folder.reader(path)
    for start, end in itertools.pairwise([0, *sorted(cuts), len(lines)]):
        history_folder.append(path, "".join(lines[start:end]).encode())
        assert as_plain_data(followed.read()) == as_plain_data(history_folder.reader(path).read())
