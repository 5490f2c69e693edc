"""Formats that are not CSV, by the first bytes of a file: the name of each, and what to do with it."""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import NamedTuple

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import redact_credentials
from modeltop.history.csv.dialect import sniff_delimiter
from modeltop.history.tables import (
    HEAD_BYTES,
    Table,
    events_reason,
    is_output,
    lacks_header,
    log_reason,
    read_table,
    undated_reason,
)

MAX_ODD_SHARE = 0.1
"""Share of characters that no text has, up to which a file may be a text in another encoding than UTF-8."""
MAX_JSON_LINES = 200
"""First lines of a file of JSON lines that are parsed."""


class Format(NamedTuple):
    """A binary format."""

    magic: bytes
    """Its first bytes."""
    name: str
    remedy: str
    """What to do. `{path}` is the file as a shell reads it, `{stem}` the same without its last suffix, `{absolute}` its
    absolute path, `{name}` as Python reads it, `{out}` the CSV file to write."""
    offset: int = 0


_EXCEL = "save it as CSV (File > Save As > CSV UTF-8)"
_UNPACK = "`{} -c {{path}} > {{stem}}`, then `modeltop check {{stem}}`"
_PACKED = ("gz", "bz2", "xz", "zst", "lz4")
_AS_CSV = "write it as CSV, as `duckdb -csv`, `sqlite3 -header -csv` and `psql --csv` do"
_CHART = "export the numbers behind it as CSV"
_PANDAS = 'write it as CSV: `python -c "import pandas as p; p.{}({{name}}).to_csv({{out}}, index=False)"`'
FORMATS = (
    Format(b"\x1f\x8b", "a gzip file", "unpack it"),
    Format(b"BZh", "a bzip2 file", _UNPACK.format("bunzip2")),
    Format(b"\xfd7zXZ", "an xz file", _UNPACK.format("unxz")),
    Format(b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACK.format("unzstd")),
    Format(b"\x04\x22\x4d\x18", "an LZ4 file", _UNPACK.format("unlz4")),
    Format(b"7z\xbc\xaf", "a 7-Zip archive", "unpack it: `7z x {path}`"),
    Format(b"Rar!", "a RAR archive", "unpack it: `unrar x {path}`"),
    Format(b"ustar", "a tar archive", "unpack it: `tar -xf {path}`", 257),
    Format(b"PAR1", "a Parquet file", "predictions: run `modeltop compute {path}`; metrics: aggregate them by period"),
    Format(b"ARROW1", "an Arrow (Feather) file", _PANDAS.format("read_feather")),
    Format(b"FEA1", "a Feather file", _PANDAS.format("read_feather")),
    Format(b"ORC", "an ORC file", _PANDAS.format("read_orc")),
    Format(b"Obj\x01", "an Avro file", "write it as CSV"),
    Format(
        b"SQLite format 3",
        "an SQLite database",
        "predictions: run `modeltop compute sqlite://{absolute}::TABLE`; "
        "MLflow: `modeltop check mlflow:{path}`; other metrics: "
        "`sqlite3 -header -csv {path} 'SELECT * FROM TABLE' | modeltop check -`",
    ),
    Format(
        b"DUCK",
        "a DuckDB database",
        "predictions: run `modeltop compute {path}::TABLE`; "
        "metrics: `duckdb -csv {path} 'SELECT * FROM TABLE' | modeltop check -`",
        8,
    ),
    Format(b"\x89HDF", "an HDF5 file, such as a Keras model", _PANDAS.format("read_hdf")),
    Format(b"\x93NUMPY", "a NumPy array (npy)", "write it as CSV with a header and a date column"),
    Format(b"\xd0\xcf\x11\xe0", "an Excel workbook (XLS)", _EXCEL),
    Format(
        b":W&B",
        "a run of Weights & Biases",
        "`wandb sync` it and export its history as CSV, with its _timestamp column",
    ),
    Format(b"RDX", "an R data file", "write the table with write.csv"),
    Format(b"%PDF", "a PDF document", "export its table as CSV"),
    Format(b"\x89PNG", "a PNG image", _CHART),
    Format(b"\xff\xd8\xff", "a JPEG image", _CHART),
    Format(b"GIF8", "a GIF image", _CHART),
)
_ZIP_CONTENTS = (
    (r"\[Content_Types\]\.xml|_rels/|xl/|docProps/", "an Excel workbook (XLSX)", _EXCEL),
    (r"mimetype", "an ODS spreadsheet", "save it as CSV (File > Save As > Text CSV)"),
    (r".*\.npy$", "a NumPy archive (npz)", "write its arrays as CSV with a header and a date column"),
    (r".*(?:data\.pkl|\.data/|/version|byteorder)$", "a PyTorch checkpoint", "name a CSV file of metrics"),
    (r"(?:metadata|config)\.json$|model\.weights", "a Keras model", "name a CSV file of metrics"),
    (r"", "a ZIP archive", "unpack it: `unzip {path}`"),
)
"""What a ZIP archive is by the name of the first file in it."""
_TEXTS = (
    (r"version https://git-lfs", "a Git LFS pointer, not the file itself", "`git lfs pull`"),
    (r"outs:\s*\n\s*- ", "a DVC pointer, not the file itself", "`dvc pull {path}`"),
    (r"\s*(?:<!doctype html|<html|<head)", "a web page (HTML)", "download the CSV file itself, signed in if need be"),
    (r"\s*<svg", "an SVG image", _CHART),
    (r"\s*<(?:\?xml|[A-Za-z])", "an XML file", "write the metrics as CSV with a date column"),
    (r"\s*[┌╭]", "a table drawn for a screen", _AS_CSV),
    (r"# (?:HELP|TYPE) \w", "Prometheus metrics at one moment", "`modeltop check 'prometheus:http://HOST:9090?query=METRIC'`"),
    (r"(?:\d{13}[ \t]+\S+[ \t]+\d+\r?\n)+", "a metric of an MLflow file store (time, value, step)",
     "`modeltop check mlflow:mlruns`, with the path of that folder"),
    (r"(?:ply|%YAML|---\s*\n|artifact_uri:|experiment_id:)", "a YAML file", "name a CSV file of metrics"),
    (r"[^,;\t]*\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR)\b", "the log of a program",
     "write its metrics as CSV with a date column"),
    (r"\[[\w.\"'-]+\]\s*\n", "a configuration file", "pass it by --config, and name a CSV file of metrics"),
)  # fmt: skip
"""Start of a text, what it is, and what to do."""


def binary_reason(head: bytes, path: str) -> str | None:
    """Return what a file of a binary format is, from its first bytes, and what to do with it; None if it is unknown."""
    if head.startswith(b"PK\x03\x04"):
        member = head[30 : 30 + int.from_bytes(head[26:28], "little")].decode("utf-8", "replace")
        name, remedy = next((name, remedy) for start, name, remedy in _ZIP_CONTENTS if re.match(start, member))
        return _sentence(name, remedy, path)
    if re.match(rb"\x80[\x02-\x05][\x95(}\]c\x8c]", head):
        return _sentence("a Python pickle", "write its table as CSV: DataFrame.to_csv", path)
    known = (each for each in FORMATS if head.startswith(each.magic, each.offset))
    if (found := next(known, None)) is None:
        return None
    return _sentence(found.name, found.remedy, path)


def log_head_reason(head: bytes, path: str, registry: MetricRegistry) -> str | None:
    """Return what a file is that is too large to be metric history, by its head, and what to do; None if unknown.

    Args:
        head: Its first bytes, unpacked, in UTF-8.
        path: The file, as a person named it.
        registry: The metrics.
    """
    table = _json_table(head.decode("utf-8", "replace"), path)
    of_text = log_reason(head, path, registry) if table is None else events_reason(table)
    return binary_reason(head, path) or of_text


def text_reason(data: bytes, path: str, registry: MetricRegistry) -> str | None:
    """Return what a text that was refused as metric history is, and what to do with it; None if that is unknown.

    Args:
        data: The file from its start, in UTF-8.
        path: The file, as a person named it.
        registry: The metrics.
    """
    head = data[:HEAD_BYTES]
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    if text.lstrip()[:1] in ("{", "[") and (reason := _json_reason(text, path)):
        return reason
    for start, name, remedy in _TEXTS:
        if re.match(start, text, re.IGNORECASE):
            return _sentence(name, remedy, path)
    if "tfevents" in path.rpartition("/")[2]:
        return _sentence("a TensorBoard event file", "download its scalars as CSV, which has Wall time", path)
    if b"\0" in head:
        return _sentence("a binary file", "name a CSV file of metrics", path)
    return _table_reason(data, path, registry)


def may_be_history(data: bytes, registry: MetricRegistry) -> bool:
    """Return whether a text of which nothing was read may be history.

    It names a metric, has lost its header, or is empty, damaged, a page of HTML or JSON: that is what a failed export
    or a failed disk leaves.
    """
    text = data[:HEAD_BYTES].decode("utf-8", "replace").lstrip("\ufeff\0 \t\r\n")
    if not text or text.startswith(("<", "{", "[")) or _is_damaged(text):
        return True
    header = text.strip().partition("\n")[0]
    separator = r"[,;|~\t\n]|\s{2,}" if re.search(r"[,;|~\t]", header) else r"\s+"
    header_cells, cells = ({cell.strip(" \r\"'") for cell in re.split(separator, part)} for part in (header, text))
    names = [cell for cell in cells if re.search(r"[^\W\d]", cell) and not is_output(cell)]
    is_named = any(registry.get(name).is_direction_known for name in names)
    return is_named or lacks_header(header_cells) or any(registry.resembles(name) for name in header_cells & {*names})


def _is_damaged(text: str) -> bool:
    """Return whether so much of a text is not UTF-8, or no character of a text, that it is none in another encoding."""
    odd = sum(char == "\ufffd" or (char < " " and char not in "\t\r\n") for char in text)
    return odd > MAX_ODD_SHARE * len(text)


def _table_reason(data: bytes, path: str, registry: MetricRegistry) -> str | None:
    """Return what a CSV file without dates is, or that it has no columns; None if that is unknown."""
    table = read_table(data, path)
    if table is not None:
        return undated_reason(table, registry)
    text = data[:HEAD_BYTES].decode("utf-8", "replace")
    first_line = text.strip().partition("\n")[0].strip()
    if not first_line or sniff_delimiter(first_line) in first_line or registry.get(first_line).is_direction_known:
        return None
    return _sentence("a text file without columns", _AS_CSV, path)


def unreadable_reason(head: bytes, path: str) -> str | None:
    """Return what a file is that `modeltop compute` does not read, and what to do with it; None if it may be a log.

    Args:
        head: Its first bytes, unpacked.
        path: The file, as a person named it.
    """
    registry = MetricRegistry()
    if (reason := binary_reason(head, path)) is None:
        text = head.decode("utf-8", "replace").lstrip()
        is_log = text[:1] not in ("{", "[", "<") or (text[0] == "{" and _is_json_log(text))
        reason = None if is_log else text_reason(head, path, registry)
        if reason is not None and reason.startswith("a JSON file"):
            return "JSON, but not JSON lines: write one object a line"
    return None if reason is None else reason.replace("modeltop check", "modeltop compute")


def _is_json_log(text: str) -> bool:
    """Return whether a text may be JSON lines of a log, and not one document of some tool."""
    table = _json_table(text, "a.jsonl")
    return table is not None and (len(table.rows) > 1 or not any(cell[:1] in ("{", "[") for cell in table.rows[0]))


def _json_reason(text: str, path: str) -> str | None:
    """Return what a text that starts like JSON is; None if it is not JSON."""
    table = _json_table(text, path)
    if table is not None and (reason := events_reason(table)):
        return reason
    is_json = re.match(r'\s*(?:\{\s*(?:["}]|$)|\[\s*(?:[\[{"\d\]-]|null|true|false|$))', text)
    return _sentence("a JSON file", "write one object a period, with its date", path) if is_json else None


def _json_table(text: str, path: str) -> Table | None:
    """Return the first rows of JSON lines as a table; None if they are none."""
    lines = [line for line in text.splitlines()[:MAX_JSON_LINES] if line.strip()]
    rows: list[dict[str, object]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            break  # the last line may be cut off
        if not isinstance(row, dict):
            return None
        rows.append(row)
    if not rows or (len(lines) > 1 and len(rows) == 1) or (len(lines) == 1 and not path.endswith(("l", "ndjson"))):
        return None
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Table(path, names, [[_cell(row.get(name)) for name in names] for row in rows])


def _cell(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _sentence(name: str, remedy: str, path: str) -> str:
    shown = redact_credentials(path)
    folder, slash, base = shown.rpartition("/")
    stem, dot, suffix = base.rpartition(".")
    stem = f"{folder}{slash}{stem if dot and stem else base}"
    is_packed = suffix.lower() in _PACKED
    fields = {
        "path": shlex.quote(shown),
        "absolute": shlex.quote(os.path.abspath(shown)),  # noqa: PTH100  a Path would lose `./`
        "stem": shlex.quote(stem if is_packed else f"{stem}-unpacked.csv"),
        "name": repr(shown),
        "out": repr(f"{stem}-converted.csv" if suffix.lower() == "csv" else f"{stem}.csv"),
    }
    text = re.sub(r"{(path|absolute|stem|name|out)}", lambda match: fields[match[1]], remedy)
    return f"{name}{'' if ', not ' in name else ', not CSV'}: {text}"
