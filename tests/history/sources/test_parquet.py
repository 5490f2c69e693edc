"""Parquet is read as the table that it is, and the same table in every format is the same history."""

import builtins
import datetime as dt
import gzip
import io

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

DAYS = pd.date_range("2025-01-01", periods=9)
FRAME = pd.DataFrame({"date": DAYS, "model": "churn", "accuracy": [0.9 + day / 1000 for day in range(9)]})


def packed(table):
    data = io.BytesIO()
    parquet.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), data)
    return data.getvalue()


@pytest.fixture
def read(history_folder):
    """Return a function that reads bytes as a file."""

    def call(data, name="m.parquet"):
        return history_folder.reader(history_folder.write(data, name)).read()

    return call


def dated(history):
    return {(*key,): (series.times.tolist(), series.values.tolist()) for key, series in history.series.items()}


def problem(history):
    (only,) = history.problems
    assert only.fatal
    return only.message


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.set_index("date"),
        FRAME.set_index("date").rename_axis(None),
        FRAME.iloc[::-1],
        FRAME.assign(date=FRAME["date"].dt.date),
        FRAME.assign(date=FRAME["date"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")),
        FRAME.assign(date=FRAME["date"].dt.strftime("%Y-%m-%d")),
        FRAME.assign(date=[int(day.timestamp()) for day in DAYS]),
        FRAME.assign(model=FRAME["model"].astype("category")),
    ],
    ids=["column", "index", "unnamed index", "reversed", "date32", "time zone", "text", "seconds", "dictionary"],
)
def test_dates_and_texts_of_any_type_are_read(read, frame):
    history = read(packed(frame))
    assert history.problems == ()
    ((key, (times, values)),) = dated(history).items()
    assert key == ("churn", "accuracy", "all")
    assert times == DAYS.to_numpy().astype("M8[us]").tolist()
    assert values == FRAME["accuracy"].tolist()


def test_the_fields_of_a_struct_are_columns(read):
    rows = [{"date": dt.date(2025, 1, day), "val": {"accuracy": 0.9, "f1": 0.8}} for day in range(1, 5)]
    assert {key.metric for key in read(packed(pa.Table.from_pylist(rows))).series} == {"accuracy", "f1_score"}


def test_a_prediction_log_is_recognized(read):
    frame = pd.DataFrame({"timestamp": pd.date_range("2025-01-01", periods=500, freq="37s"), "y_true": 1, "y_pred": 0})
    assert "run `modeltop compute" in problem(read(packed(frame)))


def test_a_log_in_a_folder_of_metrics_is_no_error_however_large_it_is(history_folder, monkeypatch):
    history_folder.write("date,accuracy\n2025-01-01,0.9\n", "churn.csv")
    monkeypatch.setattr("modeltop.history.sources.parquet.MAX_CELLS", 10)
    history_folder.write(packed(FRAME), "log.parquet")
    (found,) = history_folder.reader().read().problems
    assert (found.fatal, "predictions: run `modeltop compute" in found.message) == (False, True)


@pytest.mark.parametrize(
    "data", [packed(FRAME)[:-20], b"PAR1", packed(FRAME)[:40] + bytes(60) + packed(FRAME)[100:]],
    ids=["cut off", "only its first bytes", "overwritten"],
)  # fmt: skip
def test_a_damaged_file_is_one_line_with_the_remedy(read, data):
    message = problem(read(data))
    assert message.startswith("damaged Parquet (")
    assert message.endswith("): copy or write it again")
    assert "\n" not in message


def test_a_file_that_is_much_larger_unpacked_is_refused_without_unpacking_it_all(read, monkeypatch):
    monkeypatch.setattr("modeltop.history.sources.parquet.MAX_BYTES", 2**20)
    table = pa.table({"date": ["2025-01-01"] * 100_000, "note": ["x" * 1000] * 100_000})
    data = packed(table)
    assert len(data) < 2**17
    assert "predictions: run `modeltop compute" in problem(read(data))


def test_lists_in_place_of_values_are_refused_with_the_reason(read):
    table = pa.table({"date": pa.array([d.date() for d in DAYS]), "accuracy": pa.array([[0.9, 0.8]] * 9)})
    assert read(packed(table)).series == {}


def test_a_file_without_columns_is_no_history(read):
    assert problem(read(packed(pa.table({})))).startswith("a Parquet file without columns: write a date column")


def test_without_pyarrow_the_command_that_installs_it_is_named(read, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args)

    data = packed(FRAME)
    monkeypatch.setattr(builtins, "__import__", refuse)
    assert problem(read(data)) == "reading Parquet needs PyArrow: pip install 'modeltop[logs]'"


VALUES = st.one_of(st.none(), st.floats(0, 1, allow_nan=False, allow_subnormal=False))
ROWS = st.fixed_dictionaries(
    {"model": st.sampled_from(["churn", "fraud", 'a,"b"', "über"]), "accuracy": VALUES, "x.loss": VALUES}
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROWS, min_size=1, max_size=30), minutes=st.sampled_from([60, 1440]))
def test_the_same_table_in_every_format_is_the_same_history(make_history_folder, rows, minutes):
    # pandas is the oracle: it writes every format by itself.
    folder = make_history_folder()
    frame = pd.DataFrame(rows).astype({"accuracy": float, "x.loss": float})
    frame.insert(0, "date", pd.date_range("2024-12-30", periods=len(rows), freq=f"{minutes}min"))
    written = {"t.csv": frame.to_csv(index=False).encode(), "t.parquet": frame.to_parquet(index=False)}
    written["t.csv.gz"] = gzip.compress(written["t.csv"])
    written["t.json"] = frame.to_json(orient="records", date_format="iso", double_precision=15).encode()
    written["t.jsonl"] = frame.to_json(orient="records", lines=True, date_format="iso", double_precision=15).encode()
    written["columns.json"] = frame.to_json(date_format="iso", double_precision=15).encode()
    histories = {name: folder.reader(folder.write(data, name)).read() for name, data in written.items()}
    expected = histories.pop("t.csv")
    for name, history in histories.items():
        assert history.problems == () or {each.message for each in history.problems} == {
            each.message for each in expected.problems
        }, name
        assert dated(history).keys() == dated(expected).keys(), name
        for key, (times, values) in dated(expected).items():
            assert dated(history)[key][0] == times, name
            assert dated(history)[key][1] == pytest.approx(values, abs=1e-14, nan_ok=True), name


@pytest.mark.parametrize("keys", [["date"], ["model", "dt"], ["year", "month", "day"]])
@pytest.mark.parametrize("basename", ["part-{i}.parquet", "part-00000-5a{i}.c000.snappy.parquet"])
def test_the_folders_of_a_partition_are_columns(history_folder, keys, basename):
    frame = FRAME.assign(
        date=DAYS.strftime("%Y-%m-%d"), dt=DAYS.strftime("%Y%m%d"), year=DAYS.year, month=DAYS.month, day=DAYS.day
    )
    table = pa.Table.from_pandas(frame[[*dict.fromkeys(["model", "accuracy", *keys])]], preserve_index=False)
    parquet.write_to_dataset(table, history_folder.folder / "quality", keys, basename_template=basename)
    ((key, (times, values)),) = dated(history_folder.reader(f"{history_folder.folder}/quality/**").read()).items()
    assert key == ("churn", "accuracy", "all")
    assert times == DAYS.to_numpy().astype("datetime64[us]").tolist()
    assert values == FRAME["accuracy"].tolist()


def test_files_of_a_partition_are_one_model_and_other_keys_are_segments(history_folder):
    frame = pd.concat(FRAME.drop(columns="model").assign(country=name) for name in ("DE", "FR"))
    parquet.write_to_dataset(
        pa.Table.from_pandas(frame, preserve_index=False), history_folder.folder / "churn", ["country"]
    )
    history = history_folder.reader(f"{history_folder.folder}/churn/**").read()
    assert {(key.model, key.segment) for key in history.series} == {
        ("churn", "country=DE"),
        ("churn", "country=FR"),
    }


@pytest.mark.parametrize(
    ("names", "second"),
    [
        (["date", "accuracy", "accuracy"], pa.array([0.9] * 9)),
        (["date", "accuracy", "m"], pa.array([{"accuracy": 0.9}] * 9)),
        (["date", "m.accuracy", "m"], pa.array([{"accuracy": 0.9}] * 9)),
    ],
)
def test_no_column_hides_another_one(read, names, second):
    history = read(packed(pa.Table.from_arrays([pa.array(DAYS), pa.array([0.5] * 9), second], names)))
    assert sorted({float(series.values[-1]) for series in history.series.values()}) == [0.5, 0.9]


def test_a_column_of_bytes_does_not_make_the_file_a_damaged_one(read):
    history = read(packed(FRAME.assign(model=b"churn", embedding=b"\xff\xfe")))
    assert [key.model for key in history.series] == ["churn"]
