"""What a reviewer would try next: further members of each kind of ../shared/cases, by the rule of its kind.

Beside each wrong file stand healthy ones that look like it: a tool that answers UNKNOWN to everything fails too.
"""

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from random import Random

import pytest

from tests.cases.app_in_a_terminal import App
from tests.cases.foreign_files import (
    ACCURACY,
    HEALTHY,
    LOSS,
    NEWEST,
    blocks,
    comma,
    days,
    epoch,
    in_turn,
    latency,
    lines,
    local_hours,
    log_of,
    percent,
    put,
    table,
    thirty_days_of,
    thousands,
    two_parts,
    wide,
)
from tests.cases.run_modeltop import (
    CRITICAL,
    OK,
    UNKNOWN,
    WARNING,
    assert_clean,
    assert_critical,
    assert_refused,
    check,
    export,
    moment,
    run,
)


@pytest.fixture
def look(work):
    """`check` of one file with this content."""

    def at(data, *words, name="churn.csv"):
        put({name: data}, work)
        return check(name, *words)

    return at


def newest_first(data):
    header, *rows = data.splitlines(keepends=True)
    return b"".join([header, *reversed(rows)])


def assert_segmented(checked, column, part, value=0.7998):
    """The two parts are separate segments, of which the falling one is critical; or the column is asked about."""
    assert column not in checked.metrics
    if checked.code == UNKNOWN:
        assert_refused(checked, column)
    else:
        assert_critical(checked, value, segment=f"{column}={part}")


def assert_read_or_refused(checked, column, value=0.7998, date=NEWEST):
    """The whole column is read right and the verdict is critical, or it is refused by its name."""
    if checked.code == UNKNOWN:
        assert_refused(checked, column, conditions=("unreadable", "error"))
    else:
        assert_critical(checked, value)
        assert checked.newest("accuracy").date == date


# K1: rows that differ only in a column that modeltop does not know


@pytest.mark.parametrize("name", ["model_name", "name", "experiment", "deployment", "Model Name", "MODEL_NAME"])
def test_a_column_that_is_called_like_a_model_is_the_model(look, name):
    checked = look(two_parts(name, "churn", "fraud", model=None))
    assert_critical(checked, model="churn")
    assert checked.models == {"churn": "critical", "fraud": "ok"}


@pytest.mark.parametrize(
    ("name", "falling", "steady"),
    [
        ("region", "north", "south"),
        ("environment", "prod", "staging"),
        ("dataset", "test", "holdout"),
        ("version", "v2", "v1"),
        ("version", 2, 1),
        ("fold", 1, 0),
    ],
)
def test_a_column_of_few_values_tells_segments_apart(look, name, falling, steady):
    assert_segmented(look(two_parts(name, falling, steady)), name, falling)


@pytest.mark.parametrize("falling_first", [True, False])
def test_which_part_comes_last_in_the_file_does_not_matter(look, falling_first):
    rows = two_parts("country", "DE", "FR").splitlines(keepends=True)
    parts = [b"".join(row for row in rows[1:] if name in row) for name in (b",DE,", b",FR,")]
    assert_segmented(look(rows[0] + b"".join(parts if falling_first else reversed(parts))), "country", "DE")


def test_two_columns_that_only_together_tell_rows_apart_are_both_used_or_named(look):
    groups = [(country, device) for country in ("DE", "FR") for device in ("ios", "web")]
    rows = in_turn(
        *(
            [
                (day, country, device, value if (country, device) == ("DE", "ios") else 0.95)
                for day, value in zip(days(), ACCURACY, strict=True)
            ]
            for country, device in groups
        )
    )
    checked = look(table("date,country,device,accuracy", rows))
    if checked.code == UNKNOWN:
        assert_refused(checked, "country|device")
    else:
        assert checked.code == CRITICAL, checked.shown.text
        assert any("DE" in alert["segment"] and "ios" in alert["segment"] for alert in checked.alerts), checked.alerts


def test_an_id_that_is_different_in_every_row_is_no_segment(look):
    rows = in_turn(
        [(day, f"run-{number:06x}", value) for number, (day, value) in enumerate(zip(days(), ACCURACY, strict=True))],
        [(day, f"run-{number + 4096:06x}", 0.95) for number, day in enumerate(days())],
    )
    assert_refused(look(table("date,run_id,accuracy", rows)), "run_id")


def test_two_values_a_day_that_nothing_tells_apart_are_refused(look):
    rows = in_turn(list(zip(days(), ACCURACY, strict=True)), [(day, 0.95) for day in days()])
    assert_refused(look(table("date,accuracy", rows)), "accuracy|rows", "same date|same day|apart|differ")


def test_an_hour_in_a_column_of_its_own_is_part_of_the_time_or_asked_for(look):
    rows = [
        (day, f"{hour:02}:00", 0.95 if hour == 18 else value)
        for day, value in zip(days(), ACCURACY, strict=True)
        for hour in (0, 6, 12, 18)
    ]
    checked = look(table("date,time,accuracy", rows))
    if checked.code == UNKNOWN:
        assert_refused(checked, "time")
    else:
        assert len(export("churn.csv")) == 35 * 4
        assert checked.code in (WARNING, CRITICAL), checked.shown.text


def test_hours_and_days_of_one_model_in_one_file_do_not_overwrite_each_other(look):
    rows = [row for day in days() for row in ((f"{day}T00:00:00Z", 0.9), (f"{day}T12:00:00Z", 0.95), (f"{day}", 0.95))]
    checked = look(table("date,accuracy", rows))
    assert checked.code in (OK, UNKNOWN)
    assert checked.mentions("hour|daily|day|apart", "accuracy")
    if checked.code == OK:
        midnights = [float(row["accuracy"]) for row in export("churn.csv") if moment(row["date"]).hour == 0]
        assert midnights.count(0.9) == 35


@pytest.mark.parametrize(
    "names", ["key,value", "metric_name,value", "metric,metric_value", "Metric,Value", "name,value"]
)
def test_names_of_the_long_shape(look, names):
    rows = in_turn(
        [(day, "accuracy", value) for day, value in zip(days(), ACCURACY, strict=True)],
        [(day, "latency_ms", value) for day, value in zip(days(), latency(), strict=True)],
    )
    checked = look(table(f"date,{names}", rows))
    assert_critical(checked)
    assert checked.metrics == {"accuracy", "latency_ms"}


def test_parts_of_the_long_shape_are_told_apart_too(look):
    rows = in_turn(
        [(day, "accuracy", "test", value) for day, value in zip(days(), ACCURACY, strict=True)],
        [(day, "accuracy", "holdout", 0.95) for day in days()],
    )
    assert_segmented(look(table("date,metric,dataset,value", rows)), "dataset", "test")


def test_segments_without_a_segment_all_are_evaluated(look):
    checked = look(two_parts("segment", "country=DE", "country=FR"))
    assert checked.code != OK, checked.shown.text
    assert checked.mentions("DE")


def test_a_few_corrected_rows_are_corrections(look):
    again = [(day, value) for day, value in zip(days()[20:22], HEALTHY[20:22], strict=True)]
    wrong = [
        (day, 0.1 if number in (20, 21) else value)
        for number, (day, value) in enumerate(zip(days(), HEALTHY, strict=True))
    ]
    checked = look(table("date,accuracy", [*wrong, *again]))
    assert checked.code == OK, checked.shown.text
    assert checked.newest("accuracy").value == HEALTHY[-1]


def test_rows_that_are_there_twice_are_the_same_rows(look):
    data = wide("date,accuracy", ACCURACY)
    checked = look(data + lines(data, 0))
    assert_critical(checked)
    assert not any(alert["condition"] == "unreadable" for alert in checked.alerts)


def test_a_later_file_still_corrects_an_earlier_one(work):
    put({"a.csv": wide("date,model,accuracy", ["churn"] * 35, HEALTHY)}, work)
    put({"b.csv": wide("date,model,accuracy", ["churn"] * 35, ACCURACY)}, work)
    assert_critical(check("a.csv", "b.csv"), model="churn")
    assert check("b.csv", "a.csv").code == OK


def test_a_text_that_is_the_same_in_every_row_asks_nothing(look):
    checked = look(wide("date,team,accuracy", ["risk"] * 35, HEALTHY))
    assert checked.code == OK, checked.shown.text


def test_a_comment_on_each_row_asks_nothing(look):
    notes = [f"run {number} went well" for number in range(35)]
    checked = look(wide("date,comment,accuracy", notes, HEALTHY))
    assert checked.code == OK, checked.shown.text


# K2: OK and exit 0 although the values were refused


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(["high"] * 35, id="text instead of numbers"),
        pytest.param([*HEALTHY[:30], *["error"] * 5], id="the newest 5 are text"),
        pytest.param([*HEALTHY[:34], "timeout"], id="the newest is text"),
        pytest.param([value if number % 3 else "?" for number, value in enumerate(HEALTHY)], id="a third is text"),
        pytest.param([round(value * 1000, 1) for value in HEALTHY], id="per mille"),
        pytest.param([-value for value in HEALTHY], id="negative shares"),
        pytest.param([*HEALTHY[:20], *[percent(value) for value in HEALTHY[20:]]], id="the unit changes half way"),
        pytest.param([percent(value) if number % 2 else value for number, value in enumerate(HEALTHY)], id="two units"),
        pytest.param([f"{value} (n=500)" for value in HEALTHY], id="a number and a remark"),
        pytest.param([f"0.9.{number}" for number in range(35)], id="two points in a number"),
    ],
)
def test_values_that_are_refused_are_unknown(look, cells):
    assert_refused(look(wide("date,accuracy", cells)), "accuracy")


@pytest.mark.parametrize("header", ["date,accuracy", "date,accuracy,recall"])
def test_a_file_without_a_single_value_is_never_ok(look, header):
    empty = [[""] * 35] * header.count(",")
    checked = look(wide(header, *empty))
    assert checked.code == UNKNOWN, checked.shown.text
    assert checked.mentions("no value of any metric: check the columns of churn.csv")


@pytest.mark.parametrize("cell", ["oops", "", "1999-13-45", "yesterday"])
def test_rows_without_a_date_that_can_be_read_are_unknown_where_they_are_many(look, cell):
    dates = [cell if number % 5 == 4 else day for number, day in enumerate(days())]
    assert_refused(look(wide("date,accuracy", HEALTHY, dates=dates)), "date")


def test_the_newest_rows_without_a_date_that_can_be_read_are_unknown(look):
    dates = [*days()[:30], *["31.2.2025"] * 5]
    assert_refused(look(wide("date,accuracy", HEALTHY, dates=dates)), "date")


@pytest.mark.parametrize("words", [["--below", "recall=0.8"], ["--above", "latency_ms=500"]])
def test_a_limit_of_a_metric_that_no_file_has_is_unknown(look, words):
    checked = look(wide("date,accuracy", HEALTHY), *words)
    assert_refused(checked, words[1].partition("=")[0])


@pytest.mark.parametrize("reference", ["segment = 'country=DE'", "from = 2019-01-01, to = 2019-02-01"])
def test_a_rule_whose_reference_does_not_exist_is_unknown(work, look, reference):
    rule = "[[rules]]\nname = 'r'\nmetric = 'accuracy'\ncheck = 'drop'\ncritical = {absolute = 0.05}\n"
    put({"modeltop.toml": f"{rule}reference = {{{reference}}}\n".encode()}, work)
    checked = look(wide("date,accuracy", HEALTHY), "--config", "modeltop.toml")
    assert checked.code == UNKNOWN
    assert checked.mentions("no value for rule r: its reference")


def test_a_limit_of_a_metric_without_a_value_is_unknown(look):
    data = wide("date,accuracy,recall", HEALTHY, [""] * 35)
    assert look(data).code in (OK, UNKNOWN)
    assert_refused(look(data, "--below", "recall=0.8"), "recall")


def test_one_model_of_two_whose_values_are_refused_is_unknown_and_the_other_ok(look):
    rows = in_turn([(day, "churn", "high") for day in days()], [(day, "fraud", 0.95) for day in days()])
    checked = look(table("date,model,accuracy", rows))
    assert_refused(checked, "churn")
    assert checked.models["fraud"] == "ok"
    assert checked.models.get("churn", "unknown") == "unknown"


def test_critical_and_unknown_is_critical_and_both_are_named(look):
    rows = in_turn(
        [(day, "churn", "high") for day in days()],
        [(day, "fraud", value) for day, value in zip(days(), ACCURACY, strict=True)],
    )
    checked = look(table("date,model,accuracy", rows))
    assert_critical(checked, model="fraud")
    assert re.search("critical", checked.shown.first_line, re.IGNORECASE)
    assert re.search("unknown", checked.shown.first_line, re.IGNORECASE)
    assert any(alert["condition"] == "unreadable" for alert in checked.alerts), checked.alerts


def test_a_file_with_a_header_alone_is_unknown(look):
    assert look(b"date,accuracy\n").code == UNKNOWN


UNDATED = {
    "a training log": "epoch,step,train_loss,val_acc\n0,100,0.3,0.8\n1,200,0.3,0.8\n",
    "a chart of Weights & Biases": "Step,fraud - accuracy,fraud - accuracy__MIN\n1,0.8,0.8\n2,0.8,0.8\n",
    "runs of MLflow": "run_id,params.lr,metrics.val_accuracy\na1,0.1,0.8\nb2,0.1,0.8\n",
    "dates as columns": "metric,2025-03-01,2025-03-02\naccuracy,0.95,0.8\nf1_score,0.93,0.78\n",
    "columns of fixed width": "      date  accuracy\n2025-03-01      0.95\n2025-03-02      0.80\n",
    "two models in text": "model   date        accuracy\nchurn   2025-03-01  0.95\nfraud   2025-03-01  0.80\n",
    "no header": "2025-03-01,0.95\n2025-03-02,0.80\n",
}


@pytest.mark.parametrize("text", UNDATED.values(), ids=UNDATED)
def test_what_looks_like_metrics_beside_good_files_and_cannot_be_read_is_unknown(work, text):
    put({"metrics/churn.csv": wide("date,accuracy", HEALTHY), "metrics/fraud.csv": text.encode()}, work)
    checked = check("metrics")
    assert checked.code == UNKNOWN
    assert checked.mentions("fraud.csv", "move it out of the folder")
    assert checked.models["churn"] == "ok"


@pytest.mark.parametrize("text", ["<!DOCTYPE html><html><title>404</title></html>", '{"error": "not found"}', "", "\n"])
def test_what_a_failed_export_leaves_in_the_place_of_a_table_is_unknown(work, text):
    put({"metrics/churn.csv": wide("date,accuracy", HEALTHY), "metrics/fraud.csv": text.encode()}, work)
    assert check("metrics").code == UNKNOWN


DAMAGED = {
    "other bytes": Random(7).randbytes(3000),
    "other bytes without a zero": Random(7).randbytes(3000).replace(b"\0", b"\1"),
    "cut off to its header": b"date,accuracy\n",
    "cut off within its header": b"date,accur",
    "cut off behind its header": b"date,accuracy",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_table_that_was_damaged_beside_good_files_is_unknown(work, data):
    put({"metrics/churn.csv": wide("date,accuracy", HEALTHY), "metrics/fraud.csv": data}, work)
    checked = check("metrics")
    assert (checked.code, checked.models["churn"]) == (UNKNOWN, "ok")
    assert checked.mentions("fraud.csv")


@pytest.mark.parametrize(
    "text", ["file,description\nchurn.csv,the churn model by day\n", "country,name\nDE,Germany\n", "numpy==2\npandas\n"]
)
def test_a_table_that_names_no_metric_is_left_alone_in_a_folder_and_refused_where_it_is_named(work, text):
    put({"metrics/churn.csv": wide("date,accuracy", HEALTHY), "metrics/README.csv": text.encode()}, work)
    assert check("metrics").code == OK
    assert "README.csv" in run("check", "metrics").err
    assert check("metrics/README.csv").code == UNKNOWN


def test_every_surface_reports_values_that_were_refused(work):
    put({"churn.csv": wide("date,accuracy", ["high"] * 35)}, work)
    for format_of_report in ("text", "markdown", "html"):
        report = run("report", "churn.csv", "--format", format_of_report)
        assert "UNKNOWN" in report.text.upper(), format_of_report
        assert "accuracy" in report.text
    assert "accuracy" in run("alerts", "churn.csv").text
    assert run("churn.csv").first_line.startswith("UNKNOWN")  # the summary, where there is no terminal for the app


@pytest.mark.parametrize("cell", ["high", "95%", "7"])
def test_one_cell_of_a_thousand_is_reported_and_the_rest_evaluated(look, cell):
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    dates = [f"{start + dt.timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}" for hour in range(1000)]
    cells = [0.95 + hour * 7 % 11 / 1000 for hour in range(1000)]
    cells[500] = cell
    checked = look(wide("date,accuracy", cells, dates=dates))
    assert checked.code == OK, checked.shown.text
    assert checked.mentions("502|accuracy")
    assert len(checked.record["errors"]) == 1


@pytest.mark.parametrize("cell", ["", "NaN", "NA", "null", "-"])
def test_a_missing_value_now_and_then_is_ok(look, cell):
    cells = [cell if number in (5, 17, 18) else value for number, value in enumerate(HEALTHY)]
    checked = look(wide("date,accuracy", cells))
    assert (checked.code, checked.record["errors"]) == (OK, []), checked.shown.text


# K3: a header that comes again


def test_the_same_header_between_rows_is_no_row(look):
    data = blocks(wide("date,accuracy", ACCURACY[:20]), wide("date,accuracy", ACCURACY[20:], dates=days()[20:]))
    checked = look(data)
    assert_critical(checked)
    assert len(export("churn.csv")) == 35
    assert not checked.mentions("is not a date|not a date|invalid date")


@pytest.mark.parametrize("second", ["Date,Accuracy", '"date","accuracy"', "date,acc", " date , accuracy "])
def test_a_second_header_may_be_written_another_way(look, second):
    checked = look(blocks(wide("date,accuracy", ACCURACY[:20]), wide(second, ACCURACY[20:], dates=days()[20:])))
    assert_critical(checked)
    assert checked.metrics == {"accuracy"}


def test_a_second_header_with_one_more_column_is_followed(look):
    more = wide("date,precision,accuracy", [0.9] * 15, ACCURACY[20:], dates=days()[20:])
    checked = look(blocks(wide("date,accuracy", ACCURACY[:20]), more))
    assert_critical(checked)
    assert (checked.newest("precision").value, len(export("churn.csv"))) == (0.9, 35)


def test_a_second_header_with_one_column_less_is_followed(look):
    first = wide("date,precision,accuracy", [0.9] * 20, ACCURACY[:20])
    checked = look(blocks(first, wide("date,accuracy", ACCURACY[20:], dates=days()[20:])))
    assert checked.newest("accuracy").value == 0.7998
    assert checked.code == CRITICAL, checked.shown.text
    assert all(float(row["accuracy"]) < 1 for row in export("churn.csv"))


def test_a_header_before_every_row_in_alternating_order_is_followed(look):
    parts = []
    for number, (day, value) in enumerate(zip(days(), HEALTHY, strict=True)):
        columns = {"accuracy": value, "precision": round(value - 0.2, 4)}
        order = sorted(columns, reverse=number % 2 == 1)
        parts.append(wide(",".join(["date", *order]), *([columns[name]] for name in order), dates=[day]))
    checked = look(blocks(*parts))
    assert checked.code == OK, checked.shown.text
    assert all(float(row["accuracy"]) - float(row["precision"]) == pytest.approx(0.2) for row in export("churn.csv"))


def test_a_fall_after_the_columns_were_reordered_is_found_in_the_right_metric(look):
    first = wide("date,precision,accuracy", [0.95] * 20, ACCURACY[:20])
    second = wide("date,accuracy,precision", ACCURACY[20:], [0.95] * 15, dates=days()[20:])
    checked = look(blocks(first, second))
    assert_critical(checked)
    assert {alert["metric"] for alert in checked.alerts} == {"accuracy"}
    assert checked.newest("precision").value == 0.95


def test_a_date_column_in_another_place_is_followed(look):
    first = wide("date,accuracy", ACCURACY[:20])
    rows = zip(ACCURACY[20:], days()[20:], strict=True)
    assert_critical(look(blocks(first, table("accuracy,date", rows))))


def test_rows_that_grow_without_a_header_are_unknown(look):
    first = wide("date,accuracy", HEALTHY[:20])
    grown = wide("x", HEALTHY[20:], ["0.5"] * 15, dates=days()[20:])
    assert_refused(look(first + lines(grown, 0)), "cells|columns|fields")


# K4: dates that are not read


def stamps(shape, count=35):
    return [day.strftime(shape) for day in days(count)]


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(stamps("%d.%m.%Y %H:%M"), id="German, with the time"),
        pytest.param([f"{day.day}.{day.month}.{day.year}" for day in days()], id="German, without zeros"),
        pytest.param(stamps("%d/%m/%Y"), id="day first, with slashes"),
        pytest.param([f"{day.month}/{day.day}/{day.year}" for day in days()], id="month first, without zeros"),
        pytest.param(stamps("%m/%d/%Y %H:%M"), id="month first, with the time"),
        pytest.param(stamps("%m/%d/%Y %I:%M %p"), id="month first, 12 hours"),
        pytest.param([f"{epoch(day)}.0" for day in days()], id="seconds as a float"),
        pytest.param([f"{epoch(day) * 1000}.0" for day in days()], id="milliseconds as a float"),
        pytest.param([f"{epoch(day):.9e}" for day in days()], id="seconds in scientific notation, all digits"),
        pytest.param([f"{epoch(day):.9E}" for day in days()], id="the same with a capital E"),
        pytest.param([(day - dt.date(1899, 12, 30)).days for day in days()], id="days of Excel"),
        pytest.param([f"{(day - dt.date(1899, 12, 30)).days}.0" for day in days()], id="days of Excel as a float"),
    ],
)
def test_daily_dates_of_a_whole_column_are_read(look, dates):
    checked = look(wide("date,accuracy", ACCURACY, dates=dates))
    assert_critical(checked)
    assert checked.newest("accuracy").date == NEWEST
    assert [moment(row["date"]).date() for row in export("churn.csv")] == days()


def mondays(count=35):
    return [dt.date(2024, 12, 30) + dt.timedelta(weeks=number) for number in range(count)]


def months(count=35):
    return [dt.date(2022 + number // 12, number % 12 + 1, 1) for number in range(count)]


def quarters(count=35):
    return [dt.date(2016 + number // 4, number % 4 * 3 + 1, 1) for number in range(count)]


@pytest.mark.parametrize(
    ("dates", "starts"),
    [
        pytest.param([f"{d:%G-W%V-%u}" for d in mondays()], mondays(), id="ISO weeks with the day"),
        pytest.param([f"{d:%GW%V}" for d in mondays()], mondays(), id="ISO weeks, short"),
        pytest.param([f"{d:%Y-%m}" for d in months()], months(), id="months"),
        pytest.param([f"{d.year}-Q{d.month // 3 + 1}" for d in quarters()], quarters(), id="quarters"),
        pytest.param(
            [f"{d.year}Q{d.month // 3 + 1}" for d in quarters()], quarters(), id="quarters, as pandas has them"
        ),
        pytest.param([f"{d:%m/%Y}" for d in months()], months(), id="months with a slash"),
    ],
)
def test_weeks_months_and_quarters_are_read_as_their_first_day(look, dates, starts):
    assert_critical(look(wide("date,accuracy", ACCURACY, dates=dates)))
    assert [moment(row["date"]).date() for row in export("churn.csv")] == starts


@pytest.mark.parametrize(
    "shape",
    ["%Y/%m/%d", "%d-%m-%Y", "%d.%m.%y", "%d %b %Y", "%b %d, %Y", "%a, %d %b %Y %H:%M:%S GMT", "%Y-%j", "%Y.%m.%d"],
)
def test_other_dates_are_read_right_or_refused(look, shape):
    dates = [f'"{stamp}"' for stamp in stamps(shape)]
    assert_read_or_refused(look(wide("date,accuracy", ACCURACY, dates=dates)), "date")


@pytest.mark.parametrize("shape", ["%d/%m/%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M"])
def test_slashes_that_could_be_either_are_refused_with_what_decides(look, shape):
    checked = look(wide("date,accuracy", HEALTHY[:12], dates=stamps(shape, 12)))
    assert_refused(checked, "date", "day|month", conditions=("unreadable", "error"))


def test_slashes_that_contradict_each_other_are_refused(look):
    dates = [f"{day:%d/%m/%Y}" if number % 2 else f"{day:%m/%d/%Y}" for number, day in enumerate(days())]
    assert_refused(look(wide("date,accuracy", HEALTHY, dates=dates)), "date", conditions=("unreadable", "error"))


def test_a_column_that_changes_its_format_is_read_to_its_end_or_refused(look):
    dates = [*days()[:25], *stamps("%d.%m.%Y")[25:]]
    assert_read_or_refused(look(wide("date,accuracy", ACCURACY, dates=dates)), "date")


def test_milliseconds_that_lost_their_digits_are_refused(look):
    dates = [f"{epoch(day) * 1000:.6e}" for day in days()]
    checked = look(wide("timestamp,accuracy", HEALTHY, dates=dates))
    assert_refused(checked, "digits|rounded", conditions=("unreadable", "error"))


def test_seconds_rounded_to_hundreds_that_still_are_midnights_are_read_right_or_refused(look):
    dates = [f"{epoch(day):.7e}" for day in days()]
    assert_read_or_refused(look(wide("timestamp,accuracy", ACCURACY, dates=dates)), "timestamp|digits|rounded")


def test_a_log_whose_dates_could_be_either_is_refused_with_the_setting_to_use(work):
    pytest.importorskip("ibis")
    put({"log.csv": log_of("%d/%m/%Y %H:%M", count=12)}, work)
    outcome = run("compute", "log.csv", "--now", "2025-03-01", "--store", "store")
    assert_clean(outcome, lines=20)
    assert outcome.code == 2
    assert "--timestamp" in outcome.text or "ambiguous" in outcome.text, outcome.text


# K9: thousands separators


def german(counts, more=()):
    columns = [[comma(value) for value in ACCURACY], counts, *([more] if more else [])]
    return wide("date;accuracy;count" + (";latency_ms" if more else ""), *columns, delimiter=";")


@pytest.mark.parametrize(
    ("first", "mark"),
    [(980, "."), (1_234_567, "."), (1234, ""), (1000, ".")],
    ids=["some below 1,000", "millions", "none", "round"],
)
def test_counts_of_a_german_file_are_whole(look, first, mark):
    checked = look(german([thousands(first + number, mark) for number in range(35)]))
    assert_critical(checked)
    assert [float(row["count"]) for row in export("churn.csv")] == [first + number for number in range(35)]


def test_decimals_and_thousands_in_one_german_column(look):
    checked = look(german([1234] * 35, more=[f"{thousands(1234 + number, '.')},5" for number in range(35)]))
    assert_critical(checked)
    assert checked.newest("latency_ms").value == 1268.5
    assert float(export("churn.csv")[0]["latency_ms"]) == 1234.5


@pytest.mark.parametrize("mark", [" ", "\u00a0", "\u202f", "'", "\u2019", "_"])
def test_other_thousands_separators_are_read_or_refused_and_never_a_small_number(look, mark):
    checked = look(wide("date;accuracy;count", ACCURACY, [thousands(1234 + n, mark) for n in range(35)], delimiter=";"))
    assert_critical(checked)
    assert checked.newest("accuracy").count in (None, 1268)
    assert checked.newest("accuracy").count or checked.mentions("count")


def test_a_count_is_never_a_fraction_even_where_a_dot_could_be_either(look):
    checked = look(wide("date;accuracy;count", ACCURACY, [thousands(1234 + n, ".") for n in range(35)], delimiter=";"))
    assert checked.code in (CRITICAL, UNKNOWN)
    assert checked.newest("accuracy").count in (None, 1268)


def test_english_counts_of_which_some_are_below_1000(look):
    counts = [f'"{thousands(980 + number, ",")}"' for number in range(35)]
    checked = look(wide("date,accuracy,count", ACCURACY, counts))
    assert_critical(checked)
    assert checked.newest("accuracy").count in (None, 1014)
    assert checked.newest("accuracy").count or checked.mentions("count")


def test_three_decimals_are_decimals_where_the_file_writes_points(look):
    checked = look(
        wide("date,accuracy,latency_ms", ACCURACY, [f"{12.345 + number / 1000:.3f}" for number in range(35)])
    )
    assert_critical(checked)
    assert checked.newest("latency_ms").value == pytest.approx(12.379)


def test_decimal_commas_in_quotes_are_decimals_or_refused(look):
    assert_read_or_refused(look(wide("date,accuracy", [f'"{comma(value)}"' for value in ACCURACY])), "accuracy")


# K10: rows of the future


@pytest.mark.parametrize("year", [2052, 2099, 2205, 20255, 9999])
@pytest.mark.parametrize("value", [0.95, 0.1])
def test_a_mistyped_year_changes_no_verdict(look, year, value):
    rows = list(zip(days(), HEALTHY, strict=True))
    healthy = look(table("date,accuracy", [*rows, (f"{year}-02-05", value)]))
    assert healthy.code == OK, healthy.shown.text
    assert healthy.mentions(str(year))
    assert healthy.newest("accuracy").date == NEWEST
    falling = list(zip(days(), ACCURACY, strict=True))
    assert_critical(look(table("date,accuracy", [*falling, (f"{year}-02-05", value)])))


def test_several_rows_of_the_future_do_not_outvote_the_present(look):
    ahead = [(day, 0.95) for day in days(12, dt.date(2125, 2, 5))]
    checked = look(table("date,accuracy", [*zip(days(), ACCURACY, strict=True), *ahead]), "--now", "2025-02-04")
    assert_critical(checked)
    assert checked.newest("accuracy").date == NEWEST


def test_one_model_of_the_future_hides_nothing_of_the_others(look):
    rows = in_turn(
        *([(day, f"m{number}", value) for day, value in zip(days(), HEALTHY, strict=True)] for number in range(4)),
        [(day, "churn", value) for day, value in zip(days(), ACCURACY, strict=True)],
    )
    checked = look(table("date,model,accuracy", [*rows, ("2052-02-05", "churn", 0.95)]))
    assert_critical(checked, model="churn")
    assert list(checked.models.values()).count("ok") == 4


def test_now_bounds_the_rows(look):
    data = wide("date,accuracy", ACCURACY)
    checked = look(data, "--now", "2025-01-25")
    assert checked.code == OK, checked.shown.text
    assert checked.newest("accuracy").date <= dt.datetime(2025, 1, 26, 2, tzinfo=dt.UTC)
    assert look(data, "--now", "2025-02-01").code == CRITICAL


def test_a_segment_of_the_future_heals_nothing(look):
    rows = [(day, "all", value) for day, value in zip(days(), ACCURACY, strict=True)]
    checked = look(
        table("date,segment,accuracy", [*rows, ("2052-02-05", "all", 0.95), ("2052-02-05", "country=DE", 0.95)])
    )
    assert_critical(checked)


def test_compute_leaves_rows_of_the_future_out_and_reports_them(work):
    pytest.importorskip("ibis")
    put({"log.csv": log_of("%Y-%m-%d %H:%M") + b"9999,2052-01-05 10:00,0.9,1,1\n"}, work)
    outcome = run("compute", "log.csv", "--now", "2025-03-01", "--store", "store")
    assert_clean(outcome, lines=20)
    assert outcome.code == 0, outcome.text
    assert re.search("2052|future", outcome.text)
    assert {moment(row["date"]).year for row in export("--store", "store")} == {2025}


# K11: a metric or a segment that stops coming


def assert_no_data(checked, metric, segment="all"):
    assert checked.code == UNKNOWN, checked.shown.text
    assert "no-data" in {alert["condition"] for alert in checked.active(metric, segment)}, checked.alerts
    assert metric in checked.shown.out


def test_a_segment_that_stops_while_others_go_on_is_no_data(look):
    rows = in_turn(
        *([(day, segment, 0.95) for day in days(80)] for segment in ("all", "country=FR")),
        [(day, "country=DE", 0.95) for day in days(80)],
    )
    kept = [row for row in rows if row[1] != "country=DE" or row[0] < dt.date(2025, 3, 1)]
    checked = look(table("date,segment,accuracy", kept))
    assert_no_data(checked, "accuracy", "country=DE")
    assert checked.mentions("DE")


def test_a_metric_of_the_long_shape_that_stops_is_no_data(look):
    rows = in_turn([(day, "accuracy", 0.95) for day in days(80)], [(day, "latency_ms", 120) for day in days(80)])
    kept = [row for row in rows if row[1] != "accuracy" or row[0] < dt.date(2025, 3, 1)]
    assert_no_data(look(table("date,metric,value", kept)), "accuracy")


def test_a_column_that_is_missing_in_the_newer_file_is_no_data(work):
    f1 = wide("date,model,f1_score,latency_ms", ["churn"] * 40, [0.92] * 40, [120] * 40)
    rest = wide("date,model,latency_ms", ["churn"] * 40, [120] * 40, dates=days(80)[40:])
    put({"m/2025-01.csv": f1, "m/2025-02.csv": rest}, work)
    assert_no_data(check("m"), "f1_score")


@pytest.mark.parametrize("cell", ["NaN", "null", "None", "-"])
def test_a_metric_that_is_written_as_missing_stops_too(look, cell):
    assert_no_data(look(wide("date,accuracy,precision", [*[0.95] * 35, *[cell] * 60], [0.9] * 95)), "accuracy")


def test_a_metric_that_needs_no_labels_stops_too(look):
    assert_no_data(look(wide("date,accuracy,latency_ms", [0.95] * 95, [*[120] * 35, *[""] * 60])), "latency_ms")


def test_a_model_that_stops_while_others_go_on_is_no_data(look):
    rows = in_turn([(day, "churn", 0.95) for day in days(80)], [(day, "fraud", 0.95) for day in days(80)])
    kept = [row for row in rows if row[1] != "churn" or row[0] < dt.date(2025, 3, 1)]
    checked = look(table("date,model,accuracy", kept))
    assert (checked.code, checked.models["fraud"]) == (UNKNOWN, "ok")
    assert {alert["model"] for alert in checked.alerts if alert["condition"] == "no-data"} == {"churn"}


def test_an_alert_that_fires_when_its_metric_stops_stays_critical_and_no_data_is_named_too(look):
    checked = look(wide("date,accuracy,precision", [*ACCURACY, *[""] * 60], [0.9] * 95))
    assert_critical(checked)
    assert {alert["condition"] for alert in checked.active("accuracy")} == {"threshold", "no-data"}
    assert re.search("unknown|no data", checked.shown.first_line, re.IGNORECASE)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([*[0.95] * 94, ""], id="one period is missing"),
        pytest.param([0.95 if number % 7 == 0 else "" for number in range(92)], id="a metric of Mondays"),
        pytest.param([*[0.95] * 40, *[""] * 20, *[0.95] * 35], id="it came back"),
    ],
)
def test_a_metric_that_is_as_late_as_usual_is_ok(look, cells):
    checked = look(wide("date,accuracy,precision", cells, [0.9] * len(cells)))
    assert checked.code == OK, checked.shown.text


# K14: names of other tools

HIGHER = {
    "Accuracy": "accuracy",
    "acc": "accuracy",
    "val_accuracy": "accuracy",
    "valid_acc": "accuracy",
    "validation_accuracy": "accuracy",
    "test/accuracy": "accuracy",
    "eval/accuracy": "accuracy",
    "metrics.accuracy": "accuracy",
    "accuracy_score": "accuracy",
    "accuracy_value": "accuracy",
    "BinaryAccuracy": "accuracy",
    "test_acc_epoch": None,
    "F1Score": "f1_score",
    "f1": "f1_score",
    "eval_f1": "f1_score",
    "BinaryF1Score": "f1_score",
    "MulticlassF1Score": None,
    "f1_macro": None,
    "precision_score": "precision",
    "BinaryRecall": "recall",
    "test_recall": "recall",
    "balanced_accuracy_score": "balanced_accuracy",
    "roc_auc_score": "roc_auc",
    "BinaryAUROC": "roc_auc",
    "val_auc": "roc_auc",
    "average_precision_score": "average_precision",
    "matthews_corrcoef": "mcc",
    "BinaryMatthewsCorrCoef": "mcc",
    "cohen_kappa_score": None,
    "r2_score": "r2",
    "explained_variance": None,
    "ndcg@10": "ndcg_at_10",
    "top_5_accuracy": None,
    "faithfulness": None,
    "answer_relevancy": None,
    "context_recall": None,
    "exact_match": None,
    "rougeL": None,
    "rouge1": None,
    "bleu": None,
    "pass@1": None,
    "BLEUScore": None,
    "meteor": None,
    "bertscore_f1": None,
    "mAP": None,
    "iou": None,
    "neg_brier_score": None,
}
"""Metrics of which a fall is bad, and where it is plain, the metric that they are folded to."""
LOWER = (
    *("log_loss", "val_loss", "eval_loss", "valid_log_loss", "LogLoss", "brier_score", "rmse", "test_rmse"),
    *("root_mean_squared_error", "MeanAbsoluteError", "mean_absolute_error", "mae", "mape", "eval/mse", "error_rate"),
    *("perplexity", "hallucination_rate", "toxicity", "wer", "cer", "expected_calibration_error", "latency_p95_ms"),
)
"""Metrics of which a rise is bad."""


@pytest.mark.parametrize("name", HIGHER)
def test_a_fall_of_a_metric_by_another_tools_name_is_never_ok(look, name):
    values = [-value for value in LOSS] if name.startswith("neg_") else ACCURACY
    checked = look(wide(f"date,{name}", values))
    assert checked.code in (WARNING, CRITICAL), checked.shown.text
    if HIGHER[name]:
        assert checked.metrics == {HIGHER[name]}
    assert not checked.mentions("no rule evaluates|not evaluated:")


@pytest.mark.parametrize("name", LOWER)
def test_a_rise_of_an_error_by_another_tools_name_is_never_ok(look, name):
    least = 1 if name == "perplexity" else 0
    checked = look(wide(f"date,{name}", [round(least + value, 4) for value in LOSS]))
    assert checked.code in (WARNING, CRITICAL), checked.shown.text
    improved = [*LOSS[:30], 0.01, 0.011, 0.012, 0.01, 0.011]
    better = look(wide(f"date,{name}", [round(least + value, 4) for value in improved]))
    assert better.code == OK, better.shown.text


def test_the_negated_losses_of_scikit_learn_are_turned(look):
    checked = look(wide("date,neg_log_loss", [-value for value in LOSS]))
    assert checked.code in (WARNING, CRITICAL), checked.shown.text
    assert checked.newest("log_loss").value == pytest.approx(LOSS[-1])
    better = look(wide("date,neg_log_loss", [*[-value for value in LOSS[:30]], *[-0.01] * 5]))
    assert better.code == OK, better.shown.text


@pytest.mark.parametrize("training", ["train_accuracy", "train/accuracy", "training_accuracy"])
def test_training_stays_apart_from_validation(look, training):
    checked = look(wide(f"date,val_accuracy,{training}", ACCURACY, [0.99] * 35))
    assert_critical(checked)
    assert 0.99 in [newest.value for key, newest in checked.latest.items() if key[1:] != ("all", "accuracy")]
    overfitted = look(wide(f"date,{training},val_accuracy", [0.99] * 35, ACCURACY), name="again.csv")
    assert_critical(overfitted)


def test_two_columns_of_one_metric_with_different_values_are_not_merged_in_silence(look):
    checked = look(wide("date,accuracy,val_accuracy", ACCURACY, [0.95] * 35))
    assert checked.code in (CRITICAL, UNKNOWN), checked.shown.text
    assert checked.mentions("accuracy", "val_accuracy")


@pytest.mark.parametrize("values", [ACCURACY, [round(2 - value, 4) for value in ACCURACY]], ids=["a fall", "a rise"])
@pytest.mark.parametrize("name", ["zorp", "customer_joy_index", "score_7"])
def test_a_shift_of_an_unknown_metric_is_a_warning_that_says_how_to_name_its_direction(look, name, values):
    checked = look(wide(f"date,{name}", values))
    assert checked.code == WARNING, checked.shown.text
    assert checked.mentions(re.escape(name), "better")


def test_a_steady_unknown_metric_is_ok_and_watched(look):
    checked = look(wide("date,zorp", HEALTHY))
    assert checked.code == OK, checked.shown.text
    assert not checked.mentions("no rule evaluates|not evaluated:")


def test_columns_of_bookkeeping_are_no_metrics(look):
    numbers = list(range(35))
    header = "date,step,epoch,global_step,_step,_runtime,batch_size,seed,accuracy"
    checked = look(wide(header, numbers, numbers, numbers, numbers, numbers, [32] * 35, [42] * 35, HEALTHY))
    assert checked.code == OK, checked.shown.text


# K17: a file that is rewritten with the same size and time

OLD = (1_748_736_000, 1_748_736_000)


def patched(path):
    """Three bytes of each row are changed in place."""
    path.write_bytes(path.read_bytes().replace(b"0.812", b"0.733"))


def one_row_patched(path):
    with path.open("r+b") as stream:
        stream.seek(-6, os.SEEK_END)
        stream.write(b"0.733")


def replaced(path):
    """Another inode, as by rsync -t."""
    new = path.with_suffix(".new")
    new.write_bytes(thirty_days_of(0.733))
    os.utime(new, OLD)
    new.replace(path)


def restored_from_a_backup(path):
    """An older time."""
    path.write_bytes(thirty_days_of(0.733))
    os.utime(path, (OLD[0] - 86_400, OLD[1] - 86_400))


def linked_elsewhere(path):
    """A link that points to another file, as a release does."""
    new = path.with_name("release2.txt")
    new.write_bytes(thirty_days_of(0.733))
    os.utime(new, OLD)
    path.unlink()
    path.symlink_to(new)


CHANGES = [patched, one_row_patched, replaced, restored_from_a_backup, linked_elsewhere]


@pytest.mark.parametrize("change", CHANGES)
def test_a_second_check_reads_what_the_file_holds_now(look, work, change):
    path = work / "churn.csv"
    path.write_bytes(thirty_days_of(0.812))
    os.utime(path, OLD)
    assert check(path).newest("accuracy").value == 0.812
    change(path)
    if change is not restored_from_a_backup:
        os.utime(path, OLD)
    assert check(path).newest("accuracy").value == 0.733


@pytest.mark.parametrize("change", [one_row_patched, replaced])
def test_the_app_shows_what_the_file_holds_now(work, change):
    path = work / "churn.csv"
    path.write_bytes(thirty_days_of(0.812))
    os.utime(path, OLD)
    with App(path, home=work.parent) as app:
        app.wait_for(r"0\.812")
        change(path)
        os.utime(path, OLD)
        app.wait_for(r"0\.733", seconds=12)


def test_the_app_opened_a_second_time_does_not_show_what_it_remembers_of_another_file(work):
    path = work / "churn.csv"
    path.write_bytes(thirty_days_of(0.812))
    os.utime(path, OLD)
    with App(path, home=work.parent) as app:
        app.wait_for(r"0\.812")
    shutil.copy2(path, work / "before.csv")
    path.write_bytes(thirty_days_of(0.733))
    os.utime(path, OLD)
    with App(path, home=work.parent) as app:
        app.wait_for(r"0\.733", seconds=12)


class Watcher:
    """`modeltop watch` on one file of up to today, with a receiver that writes down what it is sent."""

    def __init__(self, work, values):
        self.path = work / "churn.csv"
        self._received = work / "received.txt"
        self._received.touch()
        self.path.write_bytes(self.up_to_today(values))
        os.utime(self.path, OLD)
        receiver = f'[receivers.out]\ntype = "command"\ncommand = ["sh", "-c", "cat >> \'{self._received}\'"]\n'
        put({"modeltop.toml": receiver.encode()}, work)

    @staticmethod
    def up_to_today(values):
        today = dt.datetime.now(dt.UTC).date()
        return wide("date,accuracy", values, dates=days(len(values), today - dt.timedelta(days=len(values) - 1)))

    def __enter__(self):
        words = [sys.executable, "-P", "-m", "modeltop", "watch", "churn.csv"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert self._process.stderr.readline()  # it has begun
        time.sleep(3)  # the first look is over
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.communicate(timeout=20)

    def receives(self, pattern, seconds):
        end = time.monotonic() + seconds
        while not re.search(pattern, self._received.read_text()):
            assert time.monotonic() < end, f"{pattern!r} not in {self._received.read_text()!r}"
            time.sleep(0.2)


@pytest.mark.parametrize("times", ["of its own", "restored"])
def test_the_watcher_notifies_of_what_a_rewritten_file_holds_now(work, times):
    cells = [f"{value:.4f}" for value in HEALTHY]
    with Watcher(work, cells) as watcher:
        watcher.path.write_bytes(watcher.up_to_today([*cells[:30], *["0.8000"] * 5]))
        if times == "restored":
            os.utime(watcher.path, OLD)
        watcher.receives("critical.*churn", seconds=15)


@pytest.mark.slow
def test_the_watcher_notifies_of_values_that_were_refused_on_the_second_look(work):
    with Watcher(work, ["high"] * 35) as watcher:
        watcher.receives("accuracy", seconds=150)


# K18: extreme values

EXTREME = ["inf", "-inf", "Infinity", "1.797e308", "-1.7976931348623157e+308", "1e301", "9.9e999"]


@pytest.mark.parametrize("cell", EXTREME)
@pytest.mark.parametrize("place", [0, 20, 32])
def test_one_extreme_value_is_left_out_of_baseline_and_text(look, cell, place):
    loss = [*LOSS[:place], cell, *LOSS[place + 1 :]]
    checked = look(wide("date,accuracy,log_loss", ACCURACY, loss))
    assert_critical(checked)
    assert not checked.mentions(r"e\+?30\d|e\+999")
    [alert] = checked.active("log_loss")
    assert alert["severity"] in ("warning", "critical")
    assert alert["limit"] < 0.3


@pytest.mark.parametrize("cell", ["inf", "1.7976931348623157e+308"])
@pytest.mark.parametrize("newest", [1, 5, 35])
def test_a_loss_that_is_infinite_now_is_never_ok(look, cell, newest):
    checked = look(wide("date,accuracy,log_loss", HEALTHY, [*[0.05] * (35 - newest), *[cell] * newest]))
    assert checked.code != OK, checked.shown.text
    assert checked.mentions("log_loss")


@pytest.mark.parametrize("scale", [1e150, 1e200, 1e290, 1e-290, 5e-324])
def test_no_size_of_a_number_makes_a_library_warn(look, scale):
    look(wide("date,accuracy,log_loss", HEALTHY, [(1 + value) * scale for value in LOSS]))
    look(wide("date,zorp", [(value - 0.5) * scale for value in ACCURACY]))
    for command in ("report", "alerts"):
        assert_clean(run(command, "churn.csv"))


@pytest.mark.parametrize("cell", ["1e308", "inf", "-3"])
def test_a_count_that_cannot_be_is_no_count(look, cell):
    checked = look(wide("date,accuracy,count", ACCURACY, [*[500] * 34, cell]))
    assert_critical(checked)
    assert checked.newest("accuracy").count is None
    assert checked.mentions("count")


# K19: local hours that come twice


def hours(first, zone_change, count, step=60):
    """Naive local times; from `zone_change` on they are an hour (or half) behind what they would be."""
    start = dt.datetime.fromisoformat(first)
    at, back = zone_change
    rows = []
    for number in range(count):
        local = start + dt.timedelta(minutes=step * number)
        rows.append(local if number < at else local - dt.timedelta(minutes=back))
    return [f"{local:%Y-%m-%d %H:%M:%S}" for local in rows]


@pytest.mark.parametrize(
    ("zone", "first", "change", "step"),
    [
        ("America/New_York", "2025-11-01", (26, 60), 60),
        ("Australia/Sydney", "2025-04-05", (27, 60), 60),
        ("Australia/Lord_Howe", "2025-04-05", (52, 30), 30),
        ("Europe/London", "2025-10-25", (26, 60), 60),
    ],
)
def test_hours_that_come_twice_are_kept_in_every_zone(look, work, zone, first, change, step):
    put({"modeltop.toml": f'timezone = "{zone}"\n'.encode()}, work)
    values = [round(0.95 + number / 10_000, 4) for number in range(72)]
    dates = hours(first, change, 72, step)
    assert len(set(dates)) < 72
    checked = look(wide("date,accuracy", values, dates=dates))
    rows = export("churn.csv")
    assert [float(row["accuracy"]) for row in rows] == values
    gaps = {later - earlier for earlier, later in pairwise(moment(row["date"]) for row in rows)}
    assert gaps == {dt.timedelta(minutes=step)}
    assert checked.code == OK, checked.shown.text
    assert checked.mentions("twice")


def test_hours_that_come_twice_are_kept_of_each_model(look, work):
    put({"modeltop.toml": b'timezone = "Europe/Berlin"\n'}, work)
    naive = local_hours()["naive.csv"].decode().splitlines()[1:]
    rows = [(date, model, value) for date, value in (line.split(",") for line in naive) for model in ("churn", "fraud")]
    checked = look(table("date,model,accuracy", rows))
    assert len(export("churn.csv")) == 2 * 78
    assert checked.mentions("twice")


def test_a_file_with_its_newest_rows_first_keeps_hours_that_come_twice(look, work):
    put({"modeltop.toml": b'timezone = "Europe/Berlin"\n'}, work)
    checked = look(newest_first(local_hours()["naive.csv"]))
    kept = {moment(row["date"]): float(row["accuracy"]) for row in export("churn.csv")}
    assert len(kept) == 78
    assert kept[dt.datetime(2025, 10, 26, 0, tzinfo=dt.UTC)] == 0.8
    assert checked.mentions("twice")


def test_a_local_hour_that_never_was_is_reported(look, work):
    put({"modeltop.toml": b'timezone = "Europe/Berlin"\n'}, work)
    start = dt.datetime.fromisoformat("2025-03-29")
    dates = [f"{start + dt.timedelta(hours=hour):%Y-%m-%d %H:%M:%S}" for hour in range(48)]
    checked = look(wide("date,accuracy", [0.8 if hour == 26 else 0.95 for hour in range(48)], dates=dates))
    assert checked.code in (OK, UNKNOWN), checked.shown.text
    assert checked.mentions("2025-03-30|30 Mar", "02:00")


@pytest.mark.parametrize("cell", ["", "NaN", "null", "-", "n/a"])
def test_a_metric_without_the_newest_value_is_named(look, cell):
    rows = [(day, value, 10) for day, value in zip(days(), HEALTHY, strict=True)]
    checked = look(table("date,accuracy,latency_ms", [*rows[:-1], (rows[-1][0], cell, 10)]))
    assert checked.mentions("accuracy has no value on"), checked.shown.text


DISGUISES = ["$955.20", "USD 9", "9.5 €", "95 ms", "9k", "4.5/5", "0.95±0.01", "[0.95]", "~0.95", "np.float64(0.95)"]
DISGUISES += ["tensor(0.95, device=0)", '{""accuracy"": 0.95}']
NAMES = ["v1.2", "run 12", "ab12cd", "02:00", "2025-03-01 to 2025-03-08", "team a", "10-20 years", "3f2a9c1"]


@pytest.mark.parametrize("cell", [*DISGUISES, *NAMES])
def test_a_column_of_numbers_in_disguise_is_unknown_and_one_of_names_is_left_out(work, cell):
    rows = "".join(f'2025-03-{day:02d},0.95,"{cell}"\n' for day in range(1, 29))
    put({"churn.csv": f"date,auc,revenue\n{rows}".encode()}, work)
    assert check("churn.csv").code == (UNKNOWN if cell in DISGUISES else OK)


def test_newest_rows_of_a_clock_at_1970_are_unknown_however_many(work):
    rows = [f"2025-{1 + day // 28:02d}-{1 + day % 28:02d},0.95\n" for day in range(84)]
    rows += [f"1970-01-01 00:0{minute}:00,0.70\n" for minute in range(9)]
    put({"churn.csv": ("date,accuracy\n" + "".join(rows)).encode()}, work)
    assert check("churn.csv").code == UNKNOWN
