"""`modeltop record`: what was asked for is stored exactly, what is impossible is refused before anything is written."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest

from modeltop.cli.main import main
from modeltop.core.series import SeriesKey, to_datetime


class SlowPipe(io.BytesIO):
    """A pipe into which a writer puts a few bytes at a time."""

    def read1(self, _size=-1):
        return super().read1(7)


@pytest.fixture
def modeltop(tmp_path, capsys, monkeypatch):
    """Run `modeltop record` on a store of its own, and return the exit code and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def run(*words, stdin=b"", drip=False):
        stream = io.TextIOWrapper(SlowPipe(stdin) if drip else io.BytesIO(stdin))
        monkeypatch.setattr("sys.stdin", stream)
        code = main(["record", "--store", str(tmp_path / "store"), *words])
        output = capsys.readouterr()
        assert output.out == "", "stdout is for data"
        return code, output.err

    return run


@pytest.fixture
def stored_values(tmp_path, history_of):
    """Return the values in the store by model, metric, segment and date."""

    def read():
        stored = history_of(tmp_path / "store").series if (tmp_path / "store").exists() else {}
        return {
            (key.model, key.metric, key.segment, str(time)[:10]): value
            for key, series in stored.items()
            for time, value in zip(series.times, series.values.tolist(), strict=True)
        }

    return read


def test_a_period_is_recorded_from_the_arguments(modeltop, tmp_path, history_of):
    words = ["churn", "accuracy=0.93", "recall=.9", "recall_count=30", "recall_low=0.8", "recall_high=0.97"]
    code, stderr = modeltop(
        *words, "--count", "1200", "--date", "2025-01-10", "--segment", "region=eu", "--provisional"
    )
    assert (code, stderr) == (0, f"modeltop: recorded 1 period of churn in {tmp_path / 'store'}\n")
    (accuracy, recall) = history_of(tmp_path / "store").series.values()
    assert (accuracy.key, accuracy.latest) == (SeriesKey("churn", "accuracy", "region=eu"), 0.93)
    assert (recall.support[0], recall.rows[0], recall.low[0], recall.high[0]) == (30, 1200, 0.8, 0.97)
    assert recall.provisional[0]
    assert recall.newest == datetime(2025, 1, 10, tzinfo=UTC)


def test_the_default_date_is_now(modeltop, tmp_path, history_of):
    before = datetime.now(UTC)
    modeltop("churn", "accuracy=0.93")
    (series,) = history_of(tmp_path / "store").series.values()
    assert before <= to_datetime(series.times[0]) <= datetime.now(UTC)


def test_a_metric_is_stored_under_its_canonical_name(modeltop, stored_values):
    modeltop("churn", "acc=0.9", "F1=0.8", "f1_count=5", "My KPI=7", "row_count=12", "--date", "2025-01-10")
    assert {key[1] for key in stored_values()} == {"accuracy", "f1_score", "My KPI", "row_count"}


def test_a_date_without_a_zone_is_in_the_configured_one(modeltop, tmp_path, history_of):
    (tmp_path / "modeltop.toml").write_text('timezone = "Asia/Tokyo"\n')
    modeltop("churn", "accuracy=0.9", "--date", "2025-01-10T09:00")
    modeltop("-", stdin=b"date,model,accuracy\n2025-01-11T09:00,churn,0.8\n")
    (series,) = history_of(tmp_path / "store").series.values()
    assert [str(time) for time in series.times] == ["2025-01-10T00:00:00.000000", "2025-01-11T00:00:00.000000"]


@pytest.mark.parametrize(
    ("date", "message"),
    [
        ("2025-10-26T02:30", "2025-10-26T02:30 comes twice in Europe/Berlin: add the offset, such as +01:00"),
        ("2025-03-30T02:30", "clocks in Europe/Berlin skipped this hour"),
    ],
)
def test_a_local_time_that_is_not_certain_is_refused(modeltop, tmp_path, stored_values, date, message):
    (tmp_path / "modeltop.toml").write_text('timezone = "Europe/Berlin"\n')
    code, stderr = modeltop("churn", "accuracy=0.9", "--date", date)
    assert (code, message in stderr, stored_values()) == (2, True, {})
    assert modeltop("churn", "accuracy=0.9", "--date", f"{date}+01:00")[0] == 0


@pytest.mark.parametrize(
    ("words", "stderr"),
    [
        (["churn"], "nothing to record: give METRIC=NUMBER"),
        (["churn", "accuracy"], "accuracy: write METRIC=NUMBER"),
        (["churn", "=0.9"], "=0.9: write METRIC=NUMBER"),
        (["churn", "accuracy=93"], "93 is not between 0 and 1: write a fraction, such as 0.93"),
        (["churn", "accuracy=0,93"], "write a decimal point"),
        (["churn", "accuracy=nan"], "invalid value `nan`"),
        (["churn", "lift=inf"], "invalid value `inf`"),
        (["churn", "lift="], "invalid value ``"),
        (["churn", "lift=0x10"], "`0x10` is not a number"),
        (["churn", "acc=0.9", "accuracy=0.8"], "accuracy is given twice"),
        (["churn", "recall=0.9", "recall_count=-5"], "recall_count: -5 is not a count"),
        (["churn", "accuracy=0.9", "--count", "-5"], "count: -5 is not a count"),
        (["churn", "accuracy=0.9", "--count", "0.3"], "count: 0.3 is not a count"),
        (["churn", "accuracy=0.9", "--count", "many"], "--count: `many` is not a number"),
        (["churn", "accuracy=0.9", "--date", "tomorrow"], "--date: `tomorrow` is not a date"),
        (["churn", "time=5"], "`time` is the name of another column"),
        (["", "accuracy=0.9"], "a model without a name"),
        (["churn", "accuracy=0.9", "--segment", ""], "a segment without a name"),
        (["-", "accuracy=0.9"], "as columns on stdin"),
        (["-", "--count", "5"], "as columns on stdin"),
        (["-"], "stdin is empty"),
    ],
)
def test_what_is_impossible_is_refused_in_one_line_before_anything_is_written(modeltop, tmp_path, words, stderr):
    code, error = modeltop(*words)
    assert code == 2
    assert stderr in error
    assert error.count("\n") == 1
    assert not (tmp_path / "store").exists()


def test_hostile_names_reach_the_terminal_only_in_safe_form(modeltop, stored_values, hostile):
    name = hostile.replace("\0", "0").lstrip("-")
    code, error = modeltop(name, "accuracy=0.9", "--segment", name, "--date", "2025-01-10")
    assert code == 0
    assert error.removesuffix("\n").isprintable()
    assert len(error) < 600
    assert list(stored_values()) == [(name, "accuracy", name, "2025-01-10")]


WIDE = b"date,model,segment,count,provisional,recall,recall_count,recall_low,psi\n" + b"".join(
    b"2025-01-%02d,m%d,all,100,,0.%d,50,0.1,\n" % (n + 1, n % 2, n + 1) for n in range(9)
)


@pytest.mark.parametrize("drip", [False, True], ids=["at once", "a few bytes at a time"])
def test_wide_rows_from_stdin_are_stored_exactly(modeltop, tmp_path, history_of, drip):
    code, stderr = modeltop("-", stdin=WIDE, drip=drip)
    assert (code, stderr) == (0, f"modeltop: recorded 9 rows of 2 models in {tmp_path / 'store'}\n")
    series = history_of(tmp_path / "store").series
    assert series[SeriesKey("m0", "recall")].values.tolist() == [0.1, 0.3, 0.5, 0.7, 0.9]
    assert set(series[SeriesKey("m1", "recall")].support) == {50.0}
    assert set(series[SeriesKey("m1", "recall")].low) == {0.1}
    assert set(series[SeriesKey("m1", "recall")].rows) == {100.0}


def test_long_rows_of_one_period_become_one_row(modeltop, stored_values, tmp_path):
    rows = b"2025-01-01,churn,acc,0.8,100\n2025-01-01,churn,f1,0.7,100\n2025-01-02,churn,acc,0.9,90\n"
    modeltop("-", stdin=b"date,model,metric,value,count\n" + rows)
    (path,) = (tmp_path / "store").glob("*.csv")
    table = csv.DictReader(path.read_text().splitlines(), strict=True)
    assert [(row["accuracy"], row["f1_score"]) for row in table] == [("0.8", "0.7"), ("0.9", "")]


def test_a_correction_further_down_wins(modeltop, stored_values):
    modeltop("-", stdin=b"date,model,accuracy\n2025-01-01,churn,0.8\n2025-01-01,churn,0.9\n2025-01-01,churn,\n")
    assert list(stored_values().values()) == [0.9]


def test_rows_that_differ_in_a_column_are_stored_as_its_segments(modeltop, stored_values):
    rows = b"".join(b"2025-01-%02d,churn,DE,0.8\n2025-01-%02d,churn,FR,0.9\n" % (day, day) for day in range(1, 6))
    modeltop("-", stdin=b"date,model,country,accuracy\n" + rows)
    assert sorted(stored_values().values()) == [0.8] * 5 + [0.9] * 5


@pytest.mark.parametrize("drip", [False, True], ids=["at once", "a few bytes at a time"])
def test_bad_rows_are_reported_with_their_line_and_good_rows_stored(modeltop, stored_values, drip):
    rows = b"2025-01-01,a,0.9\nnever,a,0.9\n2025-01-03,a\n2025-01-04,a,1.5\n2025-01-05,b,0.8\n2025-01-06, ,0.8\n"
    code, stderr = modeltop("-", stdin=b"date,model,accuracy\n" + rows, drip=drip)
    assert code == 1
    assert re.findall(r"stdin:(\d+): ", stderr) == ["3", "4", "5", "7"]
    assert "recorded 2 rows of 2 models" in stderr
    assert stderr.endswith("; 4 refused\n")
    assert set(stored_values()) == {("a", "accuracy", "all", "2025-01-01"), ("b", "accuracy", "all", "2025-01-05")}


def test_an_infinite_number_is_refused_alone(modeltop, stored_values):
    code, stderr = modeltop("-", stdin=b"date,model,log_loss,lift\n2025-01-01,a,inf,0.5\n")
    assert code == 1
    assert "a on 2025-01-01: `log_loss` is infinite" in stderr
    assert {key[1]: value for key, value in stored_values().items()} == {"lift": 0.5}


def test_a_column_of_comments_is_no_refusal(modeltop):
    code, stderr = modeltop("-", stdin=b"date,model,accuracy,comment\n2025-01-01,a,0.9,fine\n")
    assert code == 0
    assert "column `comment` holds text" in stderr


@pytest.mark.parametrize("drip", [False, True], ids=["at once", "a few bytes at a time"])
def test_a_name_over_several_lines_survives_chunks(modeltop, stored_values, drip):
    modeltop("-", stdin=b'date,model,accuracy\n2025-01-01,"two\nlines",0.9\n2025-01-02,"a ""b""",0.8\n', drip=drip)
    assert {key[0] for key in stored_values()} == {"two\nlines", 'a "b"'}


def test_a_quote_that_is_never_closed_costs_its_line_alone(modeltop, stored_values):
    rows = b"".join(b"2025-01-%02d,a,0.5\n" % day for day in range(2, 31))
    code, stderr = modeltop("-", stdin=b'date,model,accuracy\n2025-01-01,"a,0.9\n' + rows, drip=True)
    assert code == 1
    assert "stdin:2: a quote is opened and not closed" in stderr
    assert len(stored_values()) == 29


@pytest.mark.parametrize(
    "data",
    [
        "date;model;accuracy\n2025-01-01;a;0,9\n".encode("utf-16"),
        b"\xef\xbb\xbfdate,model,accuracy\r\n2025-01-01,a,0.9\r\n",
        b"date\tmodel\taccuracy\r2025-01-01\ta\t0.9",
    ],
    ids=["UTF-16 with decimal commas", "BOM and CRLF", "tabs and lone CR"],
)
@pytest.mark.parametrize("drip", [False, True], ids=["at once", "a few bytes at a time"])
def test_the_dialects_of_history_are_those_of_stdin(modeltop, stored_values, data, drip):
    assert modeltop("-", stdin=data, drip=drip)[0] == 0
    assert stored_values() == {("a", "accuracy", "all", "2025-01-01"): 0.9}


def test_formats_are_those_of_files(modeltop, stored_values):
    rows = "".join(f"{day}/01/2025,a,9{day % 10}.5%,1.{day:03}\n" for day in range(1, 32))
    code, stderr = modeltop("-", stdin=f"when,model,accuracy,count\n{rows}".encode())
    assert code == 0
    assert "`accuracy` is read as percent: 91.5% is 0.915" in stderr
    assert stored_values() == {
        ("a", "accuracy", "all", f"2025-01-{day:02}"): round(0.905 + day % 10 / 100, 3) for day in range(1, 32)
    }


def test_a_scale_that_changes_in_a_later_batch_is_refused(modeltop, stored_values, monkeypatch):
    monkeypatch.setattr("modeltop.cli.record_stream.FIRST_BYTES", 200)
    percent = "".join(f"2025-01-{day:02},a,{90 + day / 10}\n" for day in range(1, 16))
    code, stderr = modeltop("-", stdin=f"date,model,accuracy\n{percent}2025-01-16,a,0.95\n".encode())
    assert code == 1
    assert "`0.95` is far below the others" in stderr
    assert ("a", "accuracy", "all", "2025-01-16") not in stored_values()
    assert set(stored_values().values()) == {round(0.9 + day / 1000, 3) for day in range(1, 16)}


@pytest.mark.parametrize(
    ("data", "stderr"),
    [
        (b"date,model,accuracy\n01/02/2025,a,0.9\n", "stdin: column `date` holds 01/02/2025, which is ambiguous"),
        (b"from,till,model,accuracy\n2025-01-01,2025-01-02,a,0.9\n", "`from` and `till` both hold dates"),
        (b"date,accuracy\n2025-01-01,0.9\n", "add a column `model`"),
        (b"model,accuracy\na,0.9\n", "stdin: no date column"),
        (b"PK\x03\x04" + bytes(26), "stdin: a ZIP archive, not CSV: write CSV rows"),
        (b'{"date": "2025-01-01", "accuracy": 0.9}\n', "stdin: a JSON file, not CSV: write CSV rows"),
    ],
)
def test_what_is_no_history_is_refused_in_full(modeltop, tmp_path, data, stderr):
    code, error = modeltop("-", stdin=data)
    assert code == 2
    assert stderr in error
    assert not (tmp_path / "store").exists()


def test_batches_before_a_failure_are_stored_and_reported(modeltop, stored_values, tmp_path):
    long = b"date,model,metric,value\n2025-01-01,a,accuracy,0.9\n2025-01-02,a,accuracy_count,5\n"
    code, stderr = modeltop("-", stdin=long, drip=True)
    assert code == 2
    first, second = stderr.splitlines()
    assert first == f"modeltop: recorded 1 row of a in {tmp_path / 'store'}"
    assert "is read as its support" in second
    assert list(stored_values().values()) == [0.9]


def test_a_store_on_a_network_disk_is_reported(modeltop, monkeypatch, stored_values):
    monkeypatch.setattr("modeltop.cli.record.network_filesystem", lambda _: "nfs4")
    code, stderr = modeltop("churn", "accuracy=0.9", "--date", "2025-01-10")
    assert code == 0
    assert "is on nfs4, where locks are not reliable: let each writer have a store of its own" in stderr
    assert list(stored_values().values()) == [0.9]


def test_without_a_store_named_the_configured_one_is_used(tmp_path, capsys, monkeypatch, stored_values):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "modeltop.toml").write_text('[store]\npath = "store"\n')
    assert main(["record", "churn", "accuracy=0.9", "--date", "2025-01-10"]) == 0
    assert "recorded 1 period of churn in store" in capsys.readouterr().err
    assert list(stored_values().values()) == [0.9]
