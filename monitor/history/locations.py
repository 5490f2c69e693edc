"""Paths at which no history is: addresses, mistyped names, and folders of other files; and what to do about each."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from modeltop.core.text import pluralize, redact_credentials
from modeltop.history.files import STDIN
from modeltop.history.sources import SUFFIXES, is_service

MAX_ENTRIES = 2_000
"""Entries of a folder that are compared with a name, or looked at."""
MAX_DEPTH = 3
"""Levels below a folder at which files of history are looked for."""
MAX_FOLDERS = 200
"""Folders of one level that are looked into."""
MIN_SIMILARITY = 0.65
"""Ratio of difflib from which a name may be meant; its own default, 0.6, takes `b.csv` for `a.csv`."""
MAX_CORRECTIONS = 2
"""Parts of a path that may be mistyped."""
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
_OPAQUE = ("models", "runs", "mlflow-artifacts", "jdbc")
"""Schemes that no slash has to follow."""
_ADDRESSES = (
    (r"s3[an]?", "an S3 address", "`aws s3 cp --recursive {address} metrics/`, then `modeltop check metrics/`"),
    (r"gs|gcs", "a Google Cloud Storage address",
     "`gcloud storage cp -r {address} metrics/`, then `modeltop check metrics/`"),
    (r"az|adl|abfss?|wasbs?", "an Azure storage address",
     "`azcopy copy {address} metrics/ --recursive`, then `modeltop check metrics/`"),
    (r"(?:web)?hdfs|dbfs|viewfs", "an address of a cluster's file system",
     "copy its files here, then `modeltop check` them"),
    (r"https?|ftps?", "a web address",
     "`curl -fL {address} | modeltop check -`; a service: mlflow:URL, prometheus:URL"),
    (r"ssh|scp|sftp|rsync", "an address on another host", "copy its files here, then `modeltop check` them"),
    (r"mlflow.+|runs|models", "an MLflow address",
     "`modeltop check 'mlflow:http://HOST:5000?model=NAME'`, or ?experiment=NAME"),
    (r"wandb", "a Weights & Biases address", "export the run's history as CSV, with its _timestamp column"),
    (r"file", "a file's address", "`modeltop check {rest}`"),
    (r"postgres(?:ql)?", "a database address",
     "metrics: `psql {server} --csv -c {query} | modeltop check -`; predictions: run `modeltop compute {table}`"),
    (r".*(?:sql|db|jdbc|oracle|snowflake|redshift|clickhouse|bigquery|postgres|trino|presto|databricks|redis).*",
     "a database address",
     "predictions: run `modeltop compute {table}`; metrics: pipe the table as CSV into `modeltop check -`"),
    (r".*", "an address", "copy its file here, then `modeltop check` it"),
)  # fmt: skip
"""Scheme of an address, what it is, and what to do."""
_TABLES = tuple(suffix for suffix in SUFFIXES if not suffix.startswith(".json"))
"""Suffixes of files that are more likely history than settings."""
_OTHER_FILES = (
    (r".*\.csv\.(?:bz2|xz|zst)$", "compressed CSV", "unpack them, then `modeltop check {folder}`"),
    (r".*\.(?:tsv|tab)$", "TSV", "name them: `modeltop check {folder}/*.{suffix}`"),
    (r".*\.xlsx?$", "Excel", "save them as CSV (File > Save As > CSV UTF-8)"),
    (r".*\.zip$", "ZIP", "unpack them: `unzip {folder}/'*.zip'`"),
    (r".*tfevents.*", "TensorBoard event", "download their scalars as CSV, which has Wall time"),
    (r".*\.(?:db|sqlite3?|duckdb|ddb)$", "database",
     "predictions: run `modeltop compute FILE::TABLE`; metrics: export the table as CSV"),
    (r".*", "other", "name a folder with metric CSV files"),
)  # fmt: skip
"""Names of files that a folder may hold instead of CSV, their kind, and what to do."""


def as_typed(path: str) -> str:
    """Return a path with both slashes of an address, one of which pathlib removes; a service's URI stays as it is."""
    return path if is_service(path) else re.sub(r"^([A-Za-z][A-Za-z0-9+.-]+:)/(?!/)", r"\1//", path)


def storage_reason(address: str) -> str | None:
    """Return what an address of files or of a tracking server is and what to do; None if it is that of a database."""
    reason = _address_reason(address)
    return None if reason is None or reason.startswith(("a database", "an address, ")) else reason


def is_address(path: str) -> bool:
    """Return whether a path is an address such as `s3://...` or `mlflow:...`, and no path that exists."""
    return (is_service(path) or _address_reason(path) is not None) and not os.path.lexists(path)


def missing_reason(path: str) -> str:
    """Return why there is no file at a path (an address, a pattern, a mistyped name), and what to do."""
    if (reason := _address_reason(path)) is not None:
        return reason
    if path == STDIN:
        return "standard input is not read here: write it to a file"
    if re.search(r"[*?]", path):
        return f"no file matches this pattern: {_list_command(path)}"
    if (near := nearest_path(path)) is not None:
        return f"no such file; did you mean {near}?"
    folder = os.path.dirname(path.rstrip("/")) or "."  # noqa: PTH120  a Path would lose `./`
    count = sum(name.lower().endswith(".csv") for name in _names(folder))
    if count:
        files = f"{shlex.quote(folder)} has {pluralize(count, 'CSV file')}"
        return f"no such file; {files}: `modeltop check {shlex.quote(folder)}`"
    return f"no such file or folder: {_list_command(path)}"


def _list_command(path: str) -> str:
    """Return the command that lists the nearest folder above a path that is there, and what it does."""
    folder = os.path.dirname(path.rstrip("/"))  # noqa: PTH120  as above
    while folder and not os.path.isdir(folder):  # noqa: PTH112  as above
        folder = os.path.dirname(folder)  # noqa: PTH120  as above
    return f"`ls {shlex.quote(redact_credentials(folder or '.'))}` lists what is there"


def _address_reason(path: str) -> str | None:
    """Return what an address is and what to do; None if the path is none."""
    if re.match(r"[\w.-]+@[\w.-]+:", path):
        return _remedy("an address on another host", "copy its files here with scp, then `modeltop check` them", {})
    match = _ADDRESS.match(path)
    if match is None or not (match["rest"].startswith("/") or match["scheme"].lower() in _OPAQUE):
        return None
    rest = match["rest"].lstrip("/")
    address = redact_credentials(f"{match['scheme']}://{rest}")
    server, _, table = address.partition("::")
    fields = {
        "address": address,
        "server": server,
        "table": f"{server}::{table or 'TABLE'}",
        "query": f"select * from {table or 'TABLE'}",  # noqa: S608  for a person to type
        "rest": f"/{rest}",
    }
    kinds = (each for each in _ADDRESSES if re.fullmatch(each[0], match["scheme"], re.IGNORECASE))
    _, name, remedy = next(kinds)
    return _remedy(f"{name}, not a file", remedy, fields)


def _remedy(name: str, remedy: str, fields: Mapping[str, str]) -> str:
    return f"{name}: " + re.sub(r"{(\w+)}", lambda match: shlex.quote(fields[match[1]]), remedy)


def nearest_path(path: str) -> str | None:
    """Return the existing path that is nearest to one that does not exist; None if none is near.

    The parts of the path are corrected from the left: `metrcs/chrun.csv` may become `metrics/churn.csv`.
    """
    if "\0" in path or len(path) > 4096:  # PATH_MAX of Linux
        return None
    found, corrections = ("/" if path.startswith("/") else ""), 0
    for part in path.strip("/").split("/"):
        name: str | None = part
        if not os.path.lexists(found + part):
            name = _nearest_name(part, _names(found or "."))
            corrections += 1
        if name is None or corrections > MAX_CORRECTIONS:
            return None
        found += f"{name}/"
    return found.rstrip("/") if corrections else None


def _nearest_name(name: str, names: Iterable[str]) -> str | None:
    folded = {other.lower(): other for other in names}
    for suffix in ("", ".csv"):
        if (same := folded.get(name.lower() + suffix)) is not None:
            return same
    import difflib  # late: nothing is mistyped as a rule

    near = difflib.get_close_matches(name.lower(), folded, 1, MIN_SIMILARITY)
    return folded[near[0]] if near else None


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, MAX_ENTRIES) if not entry.name.startswith(".")]
    except OSError:
        return []


def folder_reason(folder: str) -> str:
    """Return what a folder without files that are read holds instead, with the command to run."""
    names, quoted = _names(folder), shlex.quote(redact_credentials(folder.rstrip("/") or "/"))
    above, is_below, _ = f"{os.path.abspath(folder)}/".partition("/mlruns/")  # noqa: PTH100  as above
    if is_below or "mlruns" in names or {"metrics", "params"} <= set(names):
        store = f"{above}/mlruns" if is_below else f"{folder.rstrip('/')}/mlruns" if "mlruns" in names else "mlruns"
        return f"an MLflow file store, not CSV: `modeltop check {shlex.quote(f'mlflow:{store}')}`"
    files = [name for name in names if not os.path.isdir(f"{folder}/{name}")]  # noqa: PTH112  as above
    if partition := next((name for name in names if "=" in name), None):
        read = f"`modeltop check --recursive {quoted}`; predictions: run `modeltop compute {quoted}`"
        return f"no metric files here, but folders such as {partition}: {read}"
    if count := _folders_below(folder, _TABLES):
        holders = f"{count} subfolders have" if count > 1 else "a subfolder has"
        return f"no metric files here, but {holders} some: `modeltop check --recursive {quoted}`"
    if files:
        return _describe_files(files, quoted)
    if names:
        return f"no metric files here: `ls {quoted}/*` lists what is there"
    return "an empty folder: name one with metric files"


def _folders_below(folder: str, suffixes: tuple[str, ...]) -> int:
    """Return how many folders of the first level below a folder that has some hold files with these suffixes."""
    level: Sequence[str] = [folder]
    for _ in range(MAX_DEPTH):
        paths = (f"{parent}/{name}" for parent in level for name in _names(parent))
        level = list(islice((path for path in paths if os.path.isdir(path)), MAX_FOLDERS))  # noqa: PTH112  as above
        if count := sum(any(name.lower().endswith(suffixes) for name in _names(path)) for path in level):
            return count
    return 0


def _describe_files(files: Sequence[str], folder: str) -> str:
    kinds = Counter(
        next(index for index, (pattern, *_) in enumerate(_OTHER_FILES) if re.match(pattern, name, re.IGNORECASE))
        for name in files
    )
    pattern, kind, remedy = _OTHER_FILES[min(kinds)]
    example = next(name for name in files if re.match(pattern, name, re.IGNORECASE))
    remedy = remedy.replace("{folder}", folder).replace("{suffix}", example.rpartition(".")[2])
    if len(kinds) == 1:
        return f"no metric files here, but {pluralize(kinds[min(kinds)], f'{kind} file')}: {remedy}"
    listed = ", ".join(f"{_OTHER_FILES[index][1]} ({count})" for index, count in sorted(kinds.items())[:4])
    return f"no metric files here, but {listed}: {remedy}"
