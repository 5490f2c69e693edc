"""What was appended is what the reader finds; files only ever grow."""

import stat
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey, to_datetime
from modeltop.history.reader import Reader
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store

START = datetime(2025, 1, 1, tzinfo=UTC)
NUMBERS = st.floats(-1e300, 1e300, allow_nan=False)
METRICS = st.sampled_from(["kpi", "row_count", "Umsatz €", "x;y", "[bold]", "delta"])


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 20), st.dictionaries(METRICS, NUMBERS, min_size=1, max_size=3)),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_reader_finds_the_last_value_recorded_for_each_period(rows, tmp_path_factory, history_of):
    folder = tmp_path_factory.mktemp("store")
    for day, values in rows:
        Store(folder).append([PeriodRow("m", START + timedelta(days=day), values)])
    wanted = {(metric, START + timedelta(days=day)): value for day, values in rows for metric, value in values.items()}
    read_back = {
        (key.metric, to_datetime(time)): value
        for key, series in history_of(folder).series.items()
        for time, value in zip(series.times, series.values.tolist(), strict=True)
    }
    assert read_back == wanted


def test_a_hostile_model_and_segment_come_back_as_they_were(store, record, history_of, hostile):
    store.append([record(hostile, segment=hostile)])
    store.append([record(hostile, n=1, segment=hostile, values={"accuracy": 0.8, "f1_score": 0.7})])
    history = history_of(store.folder)
    assert [(key.model, key.segment) for key in history.series] == [(hostile, hostile)] * 2
    assert history.series[SeriesKey(hostile, "accuracy", hostile)].values.tolist() == [0.9, 0.8]
    assert not history.problems


def test_a_hostile_metric_comes_back_as_it_was_or_with_line_breaks_is_refused(store, record, history_of, hostile):
    if {"\n", "\r"} & set(hostile):
        with pytest.raises(StoreError, match="too many line breaks"):
            store.append([record(values={hostile: 0.5})])
        return
    store.append([record(values={hostile: 0.5})])
    assert [(key.metric, series.latest) for key, series in history_of(store.folder).series.items()] == [(hostile, 0.5)]


def test_no_file_outside_the_store_is_touched(store, record, hostile, tmp_path):
    store.append([record(hostile)])
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert sorted(path.suffix for path in store.folder.iterdir()) == ["", ".csv"]


def test_support_interval_rows_and_provisional_come_back(store, record, history_of):
    fields = {"supports": {"recall": 40}, "lows": {"recall": 0.8}, "highs": {"recall": 0.95}}
    store.append([record(values={"recall": 0.9}, count=1200, provisional=True, **fields)])
    (series,) = history_of(store.folder).series.values()
    assert (series.support[0], series.rows[0], series.low[0], series.high[0]) == (40, 1200, 0.8, 0.95)
    assert series.provisional.tolist() == [True]


def test_known_metrics_stay_in_one_part_and_a_new_metric_begins_the_next(store, record, files):
    store.append([record(values={"accuracy": 0.9})])
    first = files(store.folder)
    store.append([record(n=1, values={"f1_score": 0.8})])
    store.append([record(n=2, values={"accuracy": 0.7})])
    assert files(store.folder) == first | {
        "churn-88b2072e.2.csv": b"date,model,segment,count,accuracy,f1_score,provisional\n"
        b"2025-01-02,churn,all,,,0.8,\n2025-01-03,churn,all,,0.7,,\n"
    }


def test_metrics_in_turns_do_not_multiply_the_parts(store, record, files):
    for n in range(30):
        store.append([record(n=n, values={("accuracy", "psi", "latency")[n % 3]: 0.5})])
    assert len(files(store.folder)) == 3


def test_a_correction_wins_whatever_part_the_first_value_is_in(store, record, history_of):
    store.append([record(values={"accuracy": 0.1})])
    store.append([record(values={"psi": 0.2, "accuracy": 0.2})])
    store.append([record(values={"accuracy": 0.3})])
    for n in range(2, 12):  # the tenth part must come behind the second
        store.append([record(n=n, values={f"kpi{n}": 1.0})])
    store.append([record(values={"psi": 0.4})])
    series = history_of(store.folder).series
    assert [series[SeriesKey("churn", metric)].values[0] for metric in ("accuracy", "psi")] == [0.3, 0.4]


def test_a_part_someone_removed_is_not_begun_again_before_later_ones(store, record):
    for n in range(3):
        store.append([record(n=n, values={f"kpi{n}": 1.0})])
    (store.folder / "churn-88b2072e.2.csv").unlink()
    store.append([record(n=4, values={"kpi9": 1.0})])
    assert (store.folder / "churn-88b2072e.4.csv").exists()
    assert not (store.folder / "churn-88b2072e.2.csv").exists()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"date,model,accuracy",
        b"date,model,accuracy\n",
        b"\xff\xfed\x00",
        b"date;model;accuracy\n1;2;3\n",
        b"\0" * 99,
    ],
)
def test_a_file_the_store_did_not_make_is_left_alone_and_the_next_part_begun(store, record, files, header):
    store.folder.mkdir()
    (store.folder / "churn-88b2072e.csv").write_bytes(header)
    store.append([record()])
    store.append([record(n=1)])
    contents = files(store.folder)
    assert contents["churn-88b2072e.csv"] == header
    assert contents["churn-88b2072e.2.csv"].count(b"\n") == 3


def test_a_script_may_append_to_a_part(store, record, history_of):
    store.append([record()])
    with (store.folder / "churn-88b2072e.csv").open("a") as file:
        file.write("2025-01-02,churn,all,,0.8,\n")
    store.append([record(n=2)])
    (series,) = history_of(store.folder).series.values()
    assert series.values.tolist() == [0.9, 0.8, 0.9]


def test_a_record_that_is_refused_keeps_the_others_of_its_batch_out(store, record, files):
    with pytest.raises(StoreError, match="without a name"):
        store.append([record(), record("fraud"), record("")])
    assert not store.folder.exists()
    store.append([record()])
    with pytest.raises(StoreError, match="support or interval"):
        store.append([record("fraud"), record(n=1, values={"accuracy_count": 5.0})])
    assert list(files(store.folder)) == ["churn-88b2072e.csv"]


def test_no_rows_make_no_file(store):
    store.append([])
    assert not store.folder.exists()


def test_a_folder_deleted_and_made_anew_is_used_as_it_is_now(store, record, files, rows_of):
    store.append([record(values={"accuracy": 0.5, "psi": 0.5})])
    for path in store.folder.iterdir():
        path.unlink()
    store.folder.rmdir()
    store.append([record(n=1)])
    assert list(files(store.folder)) == ["churn-88b2072e.csv"]
    assert [row["date"] for row in rows_of(store.folder / "churn-88b2072e.csv")] == ["2025-01-02"]


@pytest.mark.parametrize(
    ("folder", "file"), [(0o755, 0o644), (0o700, 0o600), (0o2770, 0o660), (0o777, 0o664), (0o750, 0o640)]
)
def test_files_grant_what_the_folder_grants_and_never_writing_to_all(store, record, folder, file):
    store.folder.mkdir()
    store.folder.chmod(folder)
    store.append([record()])
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()} == {file}


@pytest.mark.parametrize(("parent", "mode"), [(0o755, 0o700), (0o2770, 0o2770)])
def test_a_new_store_is_private_unless_it_is_made_in_a_shared_folder(tmp_path, record, parent, mode):
    (tmp_path / "team").mkdir()
    (tmp_path / "team").chmod(parent)
    Store(tmp_path / "team" / "store").append([record()])
    assert stat.S_IMODE((tmp_path / "team" / "store").stat().st_mode) == mode


def test_threads_of_one_process_share_a_store(store, record, rows_of):
    def work(name):
        for n in range(20):
            store.append([record(n=n, segment=name)])

    threads = [threading.Thread(target=work, args=(f"s{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows_of(store.folder / "churn-88b2072e.csv")) == 80


@pytest.mark.parametrize("days", [3, 20_000], ids=["a few rows", "in volume"])
def test_dates_are_in_utc_whatever_zone_is_configured(store, record, days):
    minutes = [START + timedelta(minutes=30 * n) for n in range(days)]
    store.append([record(100 * "w", date=moment) for moment in minutes])
    reader = Reader([str(store.folder)], catalog=MetricRegistry(), zone=ZoneInfo("Asia/Tokyo"))
    (series,) = reader.read().series.values()
    assert [to_datetime(time) for time in series.times] == minutes
