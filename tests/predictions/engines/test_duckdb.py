"""Files, folders and databases that logs are read from; a name is never taken for a pattern or a statement."""

import gzip
import sqlite3
import stat

import duckdb
import pandas as pd
import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.engines.base import open_engine
from modeltop.predictions.files import FileFormat, find_log_files
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

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


@pytest.fixture
def partitions(tmp_path):
    """Writes a log into folders named by a key, in one of the formats."""

    def write(key, suffix):
        rows = pd.DataFrame({"timestamp": "2025-01-01T00:00:00Z", "prediction": [0, 1, 0], "label": [0, 1, 1]})
        for value in ("0", "1"):
            folder = tmp_path / f"{key}={value}"
            folder.mkdir()
            if suffix == "csv":
                rows.to_csv(folder / "part.csv", index=False)
            elif suffix == "parquet":
                rows.to_parquet(folder / "part.parquet")
            else:
                rows.to_json(folder / "part.jsonl", orient="records", lines=True)
        return str(tmp_path)

    return write


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_keys_of_folders_never_replace_a_logged_column(partitions, suffix):
    folder = partitions("Label", suffix)
    with open_engine("duckdb") as engine, pytest.raises(SourceError, match=r"named Label=\.\.\., which is a column"):
        engine.open((folder,))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_keys_of_folders_are_columns_of_text_where_the_name_is_free(partitions, suffix):
    folder = partitions("country", suffix)
    with open_engine("duckdb") as engine:
        table = engine.open((folder,)).table
        counts = engine.head(table.group_by("country").agg(rows=table.count()), 10).to_pylist()
    assert sorted((row["country"], row["rows"]) for row in counts) == [("0", 3), ("1", 3)]


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
