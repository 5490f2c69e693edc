"""Each case of ../shared/cases, run as a user would: what is read, what is refused, and the exit code.

Kinds K1 to K4, K9 to K11, K14 and K17 to K20. Every case runs on files made here (`foreign_files`) and, where
../shared is beside this checkout, on the files of its folder too.
"""

import datetime as dt
import os
import shutil

import pytest

from tests.cases.app_in_a_terminal import App
from tests.cases.foreign_files import CASES, FALL, NEWEST, SHARED, put, thirty_days_of
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


@pytest.fixture(params=["made here", "of the folder"])
def case(request, work):
    """Lays the files of a case into the working directory."""

    def lay(name):
        if request.param == "made here":
            put(CASES[name](), work)
            return
        if not (SHARED / name).is_dir():
            pytest.skip("../shared/cases is not beside this checkout")
        shutil.copytree(SHARED / name, work, dirs_exist_ok=True)
        if name.startswith("47b"):
            put(CASES[name](), work)  # the folder has the script, not the file

    return lay


# K1: rows that differ only in a column that modeltop does not know


def test_the_metric_history_of_mlflow_is_read_by_key_and_value(case):
    case("07-mlflow-metric-history")
    checked = check("history.csv")
    assert_critical(checked)
    assert checked.newest("accuracy").date == NEWEST
    assert "value" not in checked.metrics


def test_metric_name_and_metric_value_are_the_long_shape(case):
    case("07c-long-with-metric_name-metric_value")
    checked = check("history.csv")
    assert_critical(checked, model="churn")
    assert checked.newest("latency_ms", model="churn").value == 124
    assert checked.metrics == {"accuracy", "latency_ms"}
    first = export("history.csv", "--head", 3)[0]
    assert (float(first["accuracy"]), float(first["latency_ms"])) == (0.9552, 120)


def test_the_series_of_a_grafana_export_are_metrics(case):
    case("11-grafana-series-time-value")
    checked = check("grafana.csv")
    assert_critical(checked)
    assert checked.newest("latency_ms").value == 124
    assert checked.metrics == {"accuracy", "latency_ms"}


@pytest.mark.parametrize("order", [["hourly.csv", "daily.csv"], ["daily.csv", "hourly.csv"]])
def test_a_days_value_replaces_no_hour_whatever_the_order_of_the_files(case, order):
    case("23-hourly-and-daily-of-one-model")
    checked = check(*order)
    assert checked.code in (OK, UNKNOWN)
    assert checked.mentions(r"daily|hourly|two lengths")
    midnight = [
        row["accuracy"] for row in export(*order) if moment(row["date"]) == dt.datetime(2025, 1, 2, tzinfo=dt.UTC)
    ]
    assert 0.9 in [float(value) for value in midnight]


def test_a_segment_column_by_another_name_tells_the_rows_apart(case):
    case("46-segment-column-by-another-name")
    checked = check("churn.csv")
    if checked.code == UNKNOWN:
        assert_refused(checked, "country")
    else:
        assert_critical(checked, segment="country=DE")
        assert checked.newest("accuracy", "country=FR").value == 0.95


def test_a_model_column_by_another_name_is_two_models(case):
    case("46b-model-column-by-another-name")
    checked = check("metrics.csv")
    assert_critical(checked, model="churn")
    assert checked.models == {"churn": "critical", "fraud": "ok"}


def test_a_numeric_column_that_tells_rows_apart_is_no_metric(case):
    case("46d-environment-as-number-of-a-shard")
    checked = check("metrics.csv")
    assert "shard" not in checked.metrics
    if checked.code == UNKNOWN:
        assert_refused(checked, "shard")
    else:
        assert_critical(checked, segment="shard=0")
        assert checked.newest("accuracy", "shard=1").value == 0.95


# K2: OK and exit 0 although the values were refused


@pytest.mark.parametrize(
    ("name", "newest"),
    [
        ("15g-percent-with-decimal-comma", {"accuracy": 0.80}),
        ("18-percent-0-to-100", {"accuracy": 0.7998, "f1_score": 0.7798}),
        ("19-percent-sign", {"accuracy": 0.80}),
    ],
)
def test_percentages_are_converted_as_a_column_and_reported_or_refused(case, name, newest):
    case(name)
    checked = check("churn.csv")
    if checked.code == UNKNOWN:
        assert_refused(checked, "accuracy")
    else:
        assert_critical(checked, newest["accuracy"])
        assert {metric: checked.newest(metric).value for metric in newest} == pytest.approx(newest, abs=6e-4)
        assert checked.mentions(r"percent|%|0 to 100")


def test_a_share_in_percent_beside_fractions_is_converted_or_refused_and_the_rest_is_evaluated(case):
    case("18b-percent-low-values")
    checked = check("churn.csv")
    assert_critical(checked)
    assert checked.mentions("error_rate")
    if "error_rate" in checked.metrics:
        assert checked.newest("error_rate").value == pytest.approx(0.2)
        assert float(export("churn.csv")[0]["error_rate"]) == pytest.approx(0.05)
    else:
        assert any(alert["condition"] == "unreadable" for alert in checked.active("error_rate")), checked.alerts


def test_a_limit_on_values_that_are_all_refused_is_unknown(case):
    case("45-rule-limit-above-all-refused")
    checked = check("churn.csv", "--below", "accuracy=0.9")
    if checked.code == UNKNOWN:
        assert_refused(checked, "accuracy")
    else:  # read as percent, the limit is evaluated
        assert_critical(checked)
    assert check("churn.csv").code in (CRITICAL, UNKNOWN)


# K3: a header that comes again


def test_a_header_that_comes_again_in_another_order_is_followed(case):
    case("04b-columns-reordered-mid-file")
    checked = check("churn.csv")
    assert checked.code == OK, checked.shown.text
    assert (checked.newest("accuracy").value, checked.newest("precision").value) == (0.9498, 0.8498)
    rows = export("churn.csv")
    assert len(rows) == 35
    assert all(float(row["accuracy"]) - float(row["precision"]) == pytest.approx(0.1) for row in rows)
    assert not checked.mentions("is not a date|not a date|invalid date")


# K4: dates that are not read


@pytest.mark.parametrize(
    ("name", "file", "first", "newest"),
    [
        (
            "06-tbparse-long-float-epoch",
            "tb.csv",
            "2025-01-01T00:00:00.409364+00:00",
            "2025-02-04T00:00:00.409364+00:00",
        ),
        ("15b-german-excel-english-header", "churn.csv", "2025-01-01", "2025-02-04"),
        ("16-us-dates", "churn.csv", "2025-01-01", "2025-02-04"),
        ("20-iso-week", "churn.csv", "2024-12-30", "2025-08-25"),
    ],
)
def test_dates_of_a_column_are_read_in_the_format_that_the_whole_column_shows(case, name, file, first, newest):
    case(name)
    checked = check(file)
    assert_critical(checked)
    assert abs(checked.newest("accuracy").date - moment(newest)) < dt.timedelta(milliseconds=1)
    dates = [moment(row["date"]) for row in export(file)]
    assert abs(dates[0] - moment(first)) < dt.timedelta(milliseconds=1)
    assert (len(dates), dates) == (35, sorted(dates))


def test_the_third_week_of_2025_is_13_january(case):
    case("20-iso-week")
    assert moment(export("churn.csv")[2]["date"]) == dt.datetime(2025, 1, 13, tzinfo=dt.UTC)


def test_the_timestamps_of_a_wandb_history_are_seconds_with_fractions(case):
    case("10b-wandb-history")
    checked = check("wandb.csv")
    assert checked.code in (WARNING, CRITICAL), checked.shown.text
    assert {each.date for each in checked.latest.values()} == {NEWEST + dt.timedelta(seconds=0.5)}
    assert moment(export("wandb.csv")[0]["date"]).date() == dt.date(2025, 1, 1)


def test_seconds_that_lost_their_last_digits_are_refused_with_the_reason(case):
    case("06b-epoch-in-scientific-notation")
    checked = check("tb.csv")
    assert_refused(checked, "digits|rounded", conditions=("unreadable", "error"))
    assert not checked.latest


@pytest.mark.parametrize("name", ["67c-us-datetime", "67e-day-first-slashes"])
def test_a_log_whose_dates_are_certain_is_computed_or_refused_with_the_setting_to_use(case, name):
    pytest.importorskip("ibis")
    case(name)
    outcome = run("compute", "log.csv", "--now", "2025-03-01", "--store", "store")
    assert_clean(outcome, lines=20)
    if outcome.code:
        assert "--timestamp" in outcome.text, outcome.text
        return
    rows = export("--store", "store")
    assert [moment(row["date"]).date() for row in rows] == [dt.date(2025, 1, day) for day in range(1, 21)]
    shares = [float(rows[place]["accuracy"]) for place in (0, -1)]
    assert shares == pytest.approx([113 / 120, 75 / 120], abs=1e-6)


# K9: thousands separators


def test_a_dot_is_a_thousands_separator_where_decimals_are_commas(case):
    case("15c-german-thousands-in-count")
    checked = check("churn.csv")
    assert_critical(checked)
    assert checked.newest("accuracy").count == 1268
    assert [float(row["count"]) for row in export("churn.csv")] == list(range(1234, 1269))
    assert not checked.mentions(r"1\.268|1\.234")


@pytest.mark.parametrize(
    ("name", "first"),
    [("15e-english-thousands-quoted", 1234), ("15f-english-thousands-in-semicolon-file", 12345)],
)
def test_counts_with_a_comma_are_whole_numbers_or_refused(case, name, first):
    case(name)
    checked = check("churn.csv")
    assert_critical(checked)
    count = checked.newest("accuracy").count
    assert count in (None, first + 34)
    if count is None:
        assert checked.mentions("count")
    else:
        assert [float(row["count"]) for row in export("churn.csv")] == list(range(first, first + 35))


# K10: rows of the future


@pytest.mark.parametrize("words", [["churn.csv"], ["crit.csv"], ["churn.csv", "fraud.csv"]])
@pytest.mark.parametrize("now", [[], ["--now", "2025-02-05"]], ids=["by the clock", "by --now"])
def test_a_row_of_the_future_heals_nothing(case, words, now):
    case("40-one-row-in-the-far-future")
    checked = check(*words, *now)
    model = words[0].removesuffix(".csv")
    assert_critical(checked, model=model)
    assert checked.newest("accuracy", model=model).date == NEWEST
    assert checked.mentions("2052|future")


def test_a_folder_with_mistyped_years_is_as_critical_as_without_them(case):
    case("40-one-row-in-the-far-future")
    checked = check(".", "--now", "2025-02-05")
    assert checked.code == CRITICAL, checked.shown.text
    assert {model for model, status in checked.models.items() if status == "critical"} >= {"churn", "crit"}
    assert {each.date for each in checked.latest.values()} == {NEWEST}


@pytest.mark.parametrize("name", ["quiet", "quiet2"])
def test_a_row_of_the_future_hides_no_silence(case, name):
    case("40-one-row-in-the-far-future")
    checked = check(f"{name}.csv", "--now", "2025-12-01")
    assert checked.code == UNKNOWN, checked.shown.text
    assert any(alert["condition"] == "no-data" for alert in checked.alerts), checked.alerts
    assert checked.newest("accuracy").date == NEWEST


# K11: a metric that stops coming


@pytest.mark.parametrize(("name", "newest"), [("churn", 0.8009), ("twenty", 0.7998)])
def test_an_alert_goes_on_firing_while_its_metric_is_missing(case, name, newest):
    case("38-missing-data-while-an-alert-fires")
    assert_critical(check(f"{name}.csv"), newest)


@pytest.mark.parametrize(
    ("name", "file", "metric"),
    [
        ("38-missing-data-while-an-alert-fires", "stopped.csv", "accuracy"),
        ("38c-the-f1-column-is-left-empty-from-some-day-on", "churn.csv", "f1_score"),
    ],
)
def test_a_metric_without_a_value_for_60_days_is_no_data_while_the_others_go_on(case, name, file, metric):
    case(name)
    checked = check(file)
    assert checked.code == UNKNOWN, checked.shown.text
    assert [alert["condition"] for alert in checked.active(metric)] == ["no-data"], checked.alerts
    assert {alert["metric"] for alert in checked.alerts} == {metric}
    assert metric in checked.shown.out
    assert set(checked.models.values()) == {"unknown"}


# K14: names of other tools


def test_the_names_of_wandb_are_folded_to_the_metrics_that_they_mean(case):
    case("10c-wandb-history-iso")
    checked = check("wandb.csv")
    assert checked.code in (WARNING, CRITICAL), checked.shown.text
    assert checked.newest("accuracy").value == 0.7998
    assert checked.newest("f1_score").value == 0.7998
    assert {"accuracy", "f1_score"} <= {alert["metric"] for alert in checked.alerts}
    assert not checked.metrics & {"_step", "_runtime", "val/accuracy__MIN", "val/accuracy__MAX"}
    assert not run("report", "wandb.csv").first_line.startswith("OK")


@pytest.mark.parametrize("name", ["val/accuracy", "accuracy"])
def test_a_limit_may_name_a_folded_metric_either_way(case, name):
    case("10c-wandb-history-iso")
    assert check("wandb.csv", "--below", f"{name}=0.9").code == CRITICAL


@pytest.mark.parametrize("file", ["nannyml.csv", "renamed.csv"])
def test_accuracy_value_of_nannyml_is_accuracy(case, file):
    case("21b-nannyml-flat")
    checked = check(file)
    assert_critical(checked)
    assert checked.newest("accuracy").date == NEWEST
    assert not checked.metrics & {"accuracy_value", "chunk_index", "accuracy_alert"}


def test_columns_that_are_no_known_metrics_are_named_and_watched(case):
    case("28-models-as-columns")
    checked = check("accuracy.csv")
    assert checked.code in (WARNING, UNKNOWN), checked.shown.text
    assert checked.mentions("churn", "fraud", "search")
    assert checked.mentions("unknown|no metrics that modeltop knows|not know|does not know|direction|better")
    assert check("accuracy.csv", "--below", "churn=0.9").code == CRITICAL


# K17: a file that is rewritten with the same size and time


def rewrite(path, value):
    """The same inode, size and time stamp, other values."""
    before = path.stat()
    with path.open("r+b") as stream:
        stream.write(thirty_days_of(value))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("key", ["", "r"], ids=["by itself", "by the key r"])
def test_the_app_shows_a_file_that_was_rewritten_with_the_same_size_and_time(case, work, key):
    case("47b-rewritten-same-size-and-mtime")
    path = work / "churn.csv"
    os.utime(path, (1_748_736_000, 1_748_736_000))
    with App(path, home=work.parent) as app:
        app.wait_for(r"0\.812")
        rewrite(path, 0.733)
        app.type(key)
        app.wait_for(r"0\.733", seconds=12)
        app.wait_for(r"0\.812", seconds=3, gone=True)


def test_a_second_check_sees_a_file_that_was_rewritten_with_the_same_size_and_time(case, work):
    case("47b-rewritten-same-size-and-mtime")
    path = work / "churn.csv"
    os.utime(path, (1_748_736_000, 1_748_736_000))
    assert check(path).newest("accuracy").value == 0.812
    rewrite(path, 0.733)
    assert check(path).newest("accuracy").value == 0.733


# K18: extreme values


def test_the_largest_float_is_no_value(case):
    case("09-mlflow-infinity-as-max-float")
    checked = check("churn.csv")
    assert_critical(checked)
    assert not checked.mentions(r"e\+?30\d")
    [loss] = checked.active("log_loss")
    assert (loss["severity"], moment(loss["since"])) == ("critical", FALL)
    assert loss["limit"] == pytest.approx(0.05, abs=0.02)


# K19: a local hour that comes twice


def test_a_local_hour_that_comes_twice_is_kept_twice_and_reported(case):
    case("26-local-hours-over-the-end-of-summer-time")
    naive, offsets = (
        [(moment(row["date"]), float(row["accuracy"])) for row in export(f"{name}.csv")]
        for name in ("naive", "offsets")
    )
    assert len(naive) == 78
    assert naive == offsets
    checked = check("naive.csv")
    assert checked.code == OK, checked.shown.text
    assert checked.mentions("twice", "02:00|2025-10-26|26 Oct")


def test_hours_with_their_offsets_are_not_reported(case):
    case("26-local-hours-over-the-end-of-summer-time")
    checked = check("offsets.csv")
    assert (checked.code, checked.record["errors"]) == (OK, [])
