"""Files, folders and databases that logs are read from; a name is never taken for a pattern or a statement."""

import gc
import gzip
import sqlite3
import stat
from datetime import UTC, datetime
from types import SimpleNamespace

import duckdb
import ibis
import pyarrow as pa
import pytest

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.predictions.engines.base import fetch, open_engine
from modeltop.predictions.engines.duckdb import DuckEngine
from modeltop.predictions.files import FileFormat, find_log_files
from modeltop.predictions.job import compute
from modeltop.predictions.loading import load_log
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSettings, LogSpec

LOG = "timestamp,prediction,label\n2025-01-01,1,1\n"


def count_rows(engine, *sources):
    return resolve(LogSpec(sources=tuple(map(str, sources)), model="m"), engine).row_count


@pytest.mark.parametrize("name", ["a[1].csv", "*.csv", "what?.csv", "{a,b}.csv", "it's.csv", "x;DROP.csv", "宽 .csv"])
def test_a_file_is_read_whatever_its_name(tmp_path, engine, name):
    (tmp_path / "other.csv").write_text(LOG + "2025-01-02,0,0\n")
    (tmp_path / name).write_text(LOG)
    assert count_rows(engine, tmp_path / name) == 1


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(LOG.replace(",", ";"), 1, id="semicolons"),
        pytest.param(LOG.replace(",", "\t"), 1, id="tabs"),
        pytest.param("\ufeff" + LOG, 1, id="a byte order mark"),
        pytest.param(LOG.replace("\n", "\r\n"), 1, id="line ends of Windows"),
        pytest.param(LOG + '"2025-01-02","0","1"\n', 2, id="quotes"),
        pytest.param(LOG[:-1], 1, id="no end of the last line"),
    ],
)
def test_csv_is_read_however_it_is_written(tmp_path, engine, content, rows):
    path = tmp_path / "log.csv"
    path.write_bytes(content.encode())
    assert count_rows(engine, path) == rows


def test_files_of_different_columns_are_joined_by_column_name(tmp_path, engine):
    (tmp_path / "1.csv").write_text(LOG)
    (tmp_path / "2.csv").write_text("label,prediction,timestamp,more\n1,0,2025-01-02,x\n")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".hidden.csv").write_text("nonsense")
    assert count_rows(engine, tmp_path) == 2


def test_a_folder_and_those_below_it_are_one_log(tmp_path):
    for day in ("day=2", "day=1"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "part.jsonl").write_text("{}\n")
    assert [path.parent.name for path in find_log_files([str(tmp_path)]).paths] == ["day=1", "day=2"]


def test_the_format_is_detected_by_the_first_bytes_where_the_name_has_none(tmp_path):
    for name, content, expected in (
        ("log.txt", b"a,b\n1,2\n", FileFormat.CSV),
        ("packed.gz", gzip.compress(b'{"a": 1}\n'), FileFormat.JSON),
        ("x", b"PAR1....", FileFormat.PARQUET),
    ):
        (tmp_path / name).write_bytes(content)
        assert find_log_files([str(tmp_path / name)]).format is expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("empty.csv", b"", "it is empty", id="empty"),
        pytest.param("no.parquet", b"PAR1 and no more", "cannot be read", id="no Parquet"),
        pytest.param("torn.csv.gz", gzip.compress(LOG.encode() * 9999)[:-99], "cannot be read", id="torn gzip"),
        pytest.param("more.csv", (LOG + "2025-01-02,1,1,9\n").encode(), "cannot be read", id="a cell too many"),
        pytest.param("all.csv", (LOG[:-1] + ",9\n").encode(), "cannot be read", id="in every row"),
        pytest.param("bad.jsonl", b'{"timestamp": \n', "one object a line", id="no JSON"),
    ],
)
def test_an_unreadable_file_is_reported_in_one_line(tmp_path, engine, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught:
        count_rows(engine, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert "SELECT" not in str(caught.value)


def test_mixed_formats_and_a_pattern_without_files_are_refused(tmp_path, engine):
    (tmp_path / "a.csv").write_text(LOG)
    (tmp_path / "b.jsonl").write_text("{}\n")
    with pytest.raises(SourceError, match="one format at a time"):
        count_rows(engine, tmp_path)
    with pytest.raises(SourceError, match="not a file, and not a folder or glob"):
        count_rows(engine, tmp_path / "*.parquet")


def test_a_table_of_another_database_is_read_and_its_password_never_shown(tmp_path, engine):
    path = tmp_path / "logs.sqlite"
    with sqlite3.connect(path) as base:
        base.execute('CREATE TABLE "my log" (timestamp TEXT, prediction INTEGER, label INTEGER)')
        base.execute("INSERT INTO \"my log\" VALUES ('2025-01-01', 1, 1), ('2025-01-02', 0, 1)")
    base.close()
    assert count_rows(engine, f"sqlite://{path}::my log") == 2
    with pytest.raises(SourceError, match="has no table other"):
        count_rows(engine, f"sqlite://{path}::other")
    with pytest.raises(SourceError, match="CONNECTION::TABLE"):
        count_rows(engine, f"sqlite://{path}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("nosuch://eve:secret@host/base::log", "not a connection known to Ibis", id="an unknown kind"),
        pytest.param("sqlite:///no/such.sqlite::log", "is not a file", id="a file that is not there"),
    ],
)
def test_an_unusable_connection_is_reported_without_its_password(engine, source, message):
    with pytest.raises(SourceError, match=message) as caught:
        count_rows(engine, source)
    assert "secret" not in str(caught.value)


def test_an_engine_removes_its_temporary_folder(tmp_path):
    (tmp_path / "a.csv").write_text(LOG)
    with open_engine() as engine:
        count_rows(engine, tmp_path / "a.csv")
        folder = engine._folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert list(folder.glob("*.parquet"))
    assert not folder.exists()


@pytest.mark.parametrize("name", ["duck", "postgres://x", ""])
def test_an_unknown_engine_is_refused(name):
    with pytest.raises(SourceError, match="there is no engine"):
        open_engine(name)


SUFFIXES = pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])


@SUFFIXES
def test_keys_of_folders_never_replace_a_logged_column(partitions, engine, suffix):
    folder = partitions("Label", suffix)
    with pytest.raises(SourceError, match=r"named Label=\.\.\., which is a column"):
        engine.open((folder,))


@SUFFIXES
def test_keys_of_folders_never_replace_a_logged_column_wherever_they_are_named_from(
    partitions, engine, suffix, monkeypatch
):
    monkeypatch.chdir(partitions("day", suffix, "label=7"))
    with pytest.raises(SourceError, match=r"named label=\.\.\., which is a column"):
        engine.open(("day=0", "day=1"))


@SUFFIXES
@pytest.mark.parametrize("around", ["log", "a[1]", "label=7/log"])
def test_keys_of_folders_are_columns_of_text_where_the_name_is_free(partitions, engine, suffix, around):
    folder = partitions("country", suffix, around)
    table = engine.open((folder,)).table
    counts = engine.head(table.group_by("country", "label").agg(rows=table.count()), 10).to_pylist()
    assert sorted((row["country"], int(row["label"]), row["rows"]) for row in counts) == [
        (country, label, rows) for country in ("0", "1") for label, rows in ((0, 1), (1, 2))
    ]


@SUFFIXES
def test_a_locked_engine_reads_its_log_and_nothing_else(partitions, tmp_path, suffix):
    folder = partitions("country", suffix, "it's [1]")
    (tmp_path / "secret.csv").write_text(LOG)
    with open_engine() as engine:
        table = engine.open((folder,)).table
        engine.lock()
        assert fetch(engine, engine.materialize(table)).num_rows == 6
        with pytest.raises(SourceError, match="disabled by configuration"):
            engine.open((str(tmp_path / "secret.csv"),))
        for statement in ("LOAD httpfs", "SET enable_external_access = true", f"COPY (SELECT 1) TO '{tmp_path}/x'"):
            with pytest.raises(duckdb.Error, match=r"disabled|locked|Cannot"):
                engine._duck.execute(statement)


def test_compute_locks_the_engine_before_it_evaluates_rows(tmp_path, monkeypatch):
    (tmp_path / "log.csv").write_text(LOG + "2025-01-01,0,0\n")
    calls = []
    monkeypatch.setattr(DuckEngine, "lock", lambda _: calls.append("lock"))
    stream = DuckEngine.stream
    monkeypatch.setattr(
        DuckEngine, "stream", lambda self, expression: [calls.append("stream"), *stream(self, expression)][1:]
    )
    job = LogSettings(spec=LogSpec(sources=(str(tmp_path / "log.csv"),)))
    now = datetime(2025, 2, 1, tzinfo=UTC)
    assert compute([job], tmp_path / "store", catalog=MetricRegistry(), now=now).changed_models == 1
    assert calls.count("lock") == 1
    assert calls.index("lock") <= 1, "but for the first rows, by which columns are recognized"
    assert calls.count("stream") > 2


def test_a_view_of_a_foreign_database_is_refused_and_its_tables_are_read(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("timestamp,prediction\n2025-01-01,1\n")
    with duckdb.connect(tmp_path / "log.duckdb") as database:
        database.execute(f"CREATE TABLE t AS SELECT * FROM '{secret}'")
        database.execute(f"CREATE VIEW v AS SELECT * FROM '{secret}'")
    with open_engine("duckdb") as engine:
        assert engine.head(engine.open((f"{tmp_path / 'log.duckdb'}::t",)).table, 5).num_rows == 1
    with open_engine("duckdb") as engine, pytest.raises(SourceError, match=r"v in .* is a view"):
        engine.open((f"{tmp_path / 'log.duckdb'}::v",))


@pytest.mark.parametrize("scheme", ["duckdb://", "DuckDB://"])
def test_a_view_is_refused_however_its_database_is_named(tmp_path, engine, scheme):
    with duckdb.connect(tmp_path / "log.duckdb") as database:
        database.execute("CREATE VIEW v AS SELECT 1 AS prediction")
    with pytest.raises(SourceError, match=r"v in .* is a view"):
        engine.open((f"{scheme}{tmp_path / 'log.duckdb'}::v",))
    with pytest.raises(SourceError, match="is a file: write its path alone"):
        engine.open((f"file://{tmp_path / 'log.duckdb'}::v",))


def test_a_database_of_sqlite_is_not_written_by_reading(tmp_path, engine):
    live = sqlite3.connect(tmp_path / "live.sqlite")
    live.executescript(
        "PRAGMA journal_mode = wal; CREATE TABLE log (timestamp TEXT, prediction INTEGER, label INTEGER)"
    )
    live.execute("INSERT INTO log VALUES ('2025-01-01', 1, 1)")
    live.commit()
    for end in ("", "-wal"):  # as another host's copy of it, whose writer is not at work
        (tmp_path / f"copy?.sqlite{end}").write_bytes((tmp_path / f"live.sqlite{end}").read_bytes())
    live.close()
    before = (tmp_path / "copy?.sqlite").read_bytes()
    assert count_rows(engine, f"sqlite://{tmp_path}/copy?.sqlite::log") == 1
    gc.collect()  # whoever closes a database last, writes its log into it
    assert (tmp_path / "copy?.sqlite").read_bytes() == before


def test_a_session_of_postgres_is_one_that_cannot_write(engine, monkeypatch):
    statements = []
    rows = pa.table({"timestamp": ["2025-01-01"], "prediction": [1], "label": [1]})
    table = SimpleNamespace(to_pyarrow_batches=lambda **_: rows.to_reader())
    backend = SimpleNamespace(
        name="postgres",
        raw_sql=statements.append,
        list_tables=lambda: ["log"],
        table=lambda _: table,
        disconnect=lambda: statements.append("disconnect"),
    )
    monkeypatch.setattr(ibis, "connect", lambda _: backend)
    assert count_rows(engine, "postgres://host/base::log") == 1
    assert statements == ["SET default_transaction_read_only = on", "disconnect"]


def test_the_last_label_of_a_table_in_a_database_counts(tmp_path):
    path = tmp_path / "log.duckdb"
    with duckdb.connect(path) as database:
        database.execute("CREATE TABLE log AS SELECT 1 AS id, 1 AS prediction, '2025-01-01' AS timestamp")
        database.execute("CREATE TABLE labels AS SELECT 1 AS id, unnest([0, 0, 1]) AS label")
    spec = LogSpec(sources=(f"{path}::log",), labels=f"{path}::labels", id="id")
    with open_engine() as engine:
        table = load_log(spec, engine).source.table
        assert fetch(engine, table.select("label")).to_pylist() == [{"label": 1}]
