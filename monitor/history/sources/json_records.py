"""JSON: lines or an array of records, tables as pandas writes them, and the answers and reports of known tools."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.csv.dialect import NO_OBJECT, to_utf8
from modeltop.history.csv.header import NoHistory, find_date_column
from modeltop.history.files import MAX_BYTES, TooLargeError
from modeltop.history.sources import evidently, stem_of

MAX_JSON_BYTES = MAX_BYTES // 4
"""Largest JSON: parsed, an array takes up to eight times as much memory."""
MAX_FIELDS = 2_000
"""Most fields that the records of a file may have, all together."""
EXAMPLE = '{"date": "2025-01-31", "accuracy": 0.95}'
Record = Mapping[str, object]
_SPACE = re.compile(r"[\s,\x1e]*")
_OBJECT = re.compile(r"\n[ \t]*(?=[{\[])")
# Numbers keep their digits: no cell is another than the one that was written.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
REFUSED = (
    ("errorType", "an error of Prometheus, not data: correct its query"),
    ("nbformat", "a Jupyter notebook: write its table as CSV: DataFrame.to_csv"),
    ("run_uuid", "an MLflow run, not its history: `modeltop check mlflow:URI` reads it from the server"),
    (
        "macro avg",
        "a classification report of scikit-learn: `modeltop record MODEL --date DATE METRIC=VALUE` its values",
    ),
)
"""Documents that have no dates, by a key that they have, and what to do."""


def _is_prometheus(document: Mapping[str, Any]) -> bool:
    data = document.get("data")
    return isinstance(data, Mapping) and data.get("resultType") in ("matrix", "vector")


def _prometheus_records(document: Mapping[str, Any], path: str) -> Iterator[Record]:
    """Return the samples of an answer of Prometheus, such as `curl` saves; without names the file names the metric."""
    from modeltop.history.sources.prometheus import as_csv, series_of  # late: few files need it

    series = list(series_of(document))
    is_named = any("__name__" in each.labels or "metric" in each.labels for each in series)
    metric = "" if is_named else stem_of(path.rpartition("/")[2])
    return csv.DictReader(io.StringIO(as_csv(series, metric=metric).decode()))


SHAPES: tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any], str], Iterable[Record]]], ...] = (
    (evidently.is_report, evidently.records),
    (_is_prometheus, _prometheus_records),
)
"""Documents of known tools: whether one is such a document, and its records, given the path of the file."""


def to_csv(data: bytes, path: str) -> bytes:
    """Return JSON as CSV: a row a record, with nested fields as `outer.inner`.

    Args:
        data: The file: one document, or one after the other, such as a line each.
        path: The file, as a person named it.

    Raises:
        NoHistory: It has no records.
        SourceError: It is no JSON, nested too deeply, or has too many fields.
        TooLargeError: It is larger than `MAX_JSON_BYTES`.
    """
    if len(data) > MAX_JSON_BYTES:
        limit = f"{MAX_JSON_BYTES // 2**20} MB"
        raise TooLargeError(f"this JSON file has more than {limit}: split it, or write the table as Parquet or CSV")
    text = to_utf8(data)[0].decode("utf-8", "replace")
    try:
        documents = _values(text)
        first = list(islice(documents, 2))
        return _table(
            chain(first, documents) if len(first) > 1 else (each for one in first for each in _records(one, path))
        )
    except RecursionError:
        raise SourceError(f"this JSON is nested too deeply: write one object a period, such as {EXAMPLE}") from None


def _values(text: str) -> Iterator[Any]:
    """Yield the documents of a text; None for a line that is none, but not for a last line that is still written.

    Raises:
        SourceError: The text starts with none.
    """
    position = _after_space(text, 0)
    is_first = True
    while position < len(text):
        try:
            value, end = _DECODER.raw_decode(text, position)
        except ValueError as error:
            if is_first:
                raise _broken(text, error) from None
            following = _OBJECT.search(text, position)
            if following is None and "\n" not in text[position:]:
                return
            yield None
            end = len(text) if following is None else following.end()
        else:
            yield value
        position, is_first = _after_space(text, end), False


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return position if match is None else match.end()


def _broken(text: str, error: ValueError) -> SourceError:
    position = error.pos if isinstance(error, json.JSONDecodeError) else 0
    if not text[position:].strip() or str(error).startswith("Unterminated string"):
        return SourceError("this JSON file is cut off: copy or write it again")
    line = text.count("\n", 0, position) + 1
    return SourceError(f"not valid JSON, line {line}: {sanitize(str(error).partition(':')[0], 60)}: correct the file")


def _records(document: Any, path: str) -> Iterable[Record | None]:
    """Return the records of one document.

    Raises:
        NoHistory: It has none.
    """
    if isinstance(document, Mapping):
        for is_shape, records in SHAPES:
            if is_shape(document):
                return records(document, path)
        return _records_of_object(document)
    if isinstance(document, Sequence) and not isinstance(document, str) and document:
        return list(document)
    raise _no_records()


def _records_of_object(document: Mapping[str, Any]) -> Iterable[Record | None]:
    """Return the records of an object: those in it, those that its columns make, or itself.

    Raises:
        NoHistory: It is one of `REFUSED`.
    """
    if reason := next((reason for key, reason in REFUSED if key in document), None):
        raise NoHistory(reason)
    if (columns := document.get("columns")) and isinstance(
        rows := document.get("data"), list
    ):  # pandas, orient="split"
        names = [name if isinstance(name, str) else json.dumps(name) for name in columns]
        return [dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in rows]
    lists = [value for value in document.values() if isinstance(value, list) and value]
    of_objects = [value for value in lists if all(isinstance(item, Mapping) for item in value)]
    if len(of_objects) == 1:  # such as {"runs": [...]}
        return of_objects[0]
    if len(lists) == len(document) > 1 and len({len(value) for value in lists}) > 1:
        if find_date_column([*document]) is not None:
            raise SourceError(f"its columns have different lengths: write one object a period, such as {EXAMPLE}")
    elif len(lists) == len(document) > 1:
        return _transposed({name: dict(enumerate(value)) for name, value in document.items()})
    if document and all(isinstance(value, Mapping) and value for value in document.values()):
        return _records_of_objects(document)
    return [document]


def _records_of_objects(document: Mapping[str, Mapping[str, Any]]) -> Iterable[Record]:
    """Return the records of objects in an object: columns, as `DataFrame.to_json` writes them, or a record a date."""
    keys = next(iter(document.values())).keys()
    if all(re.fullmatch(r"\d{4}-?\d\d.*", key) for key in document):
        return [{"date": key, **value} for key, value in document.items()]
    if all(value.keys() == keys for value in document.values()):
        is_dated = all(re.fullmatch(r"\d{4}-\d\d.*|\d{9,13}", key) for key in keys)
        if is_dated or list(keys) == [str(number) for number in range(len(keys))]:
            return _transposed({**({"date": {key: key for key in keys}} if is_dated else {}), **document})
    return [document]


def _transposed(columns: Mapping[str, Mapping[Any, object]]) -> list[Record]:
    return [{name: cells[key] for name, cells in columns.items()} for key in next(iter(columns.values()))]


def _table(records: Iterable[object]) -> bytes:
    """Return records as CSV; what is no record becomes the row `NO_OBJECT`, which is reported with its line.

    Raises:
        NoHistory: There is none.
        SourceError: They have more than `MAX_FIELDS` fields, or two of one name.
    """
    names = dict[str, int]()
    rows = list[list[str] | None]()
    for record in records:
        rows.append(_cells(record, names) if isinstance(record, Mapping) else None)
        if len(names) > MAX_FIELDS:
            raise SourceError(
                f"these records have more than {MAX_FIELDS:,} different fields: write one object a period"
            )
    if not names:
        raise _no_records()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([NO_OBJECT] if row is None else row + [""] * (len(names) - len(row)) for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _cells(record: Record, names: dict[str, int]) -> list[str]:
    """Return the fields of a record in the order of `names`, to which new ones are added.

    Raises:
        SourceError: A field of a nested record has the name of another one.
    """
    cells, seen = [""] * len(names), set[str]()
    for name, cell in _fields(record):
        if name in seen:
            raise SourceError(f"`{sanitize(name, 60)}` is a field and a field of a nested record: rename one of them")
        seen.add(name)
        index = names.setdefault(name, len(names))
        cells += [""] * (index + 1 - len(cells))
        cells[index] = cell
    return cells


def _fields(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a record as text; a list is written as JSON."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _fields(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield f"{prefix}{name}", value
        elif value is not None:
            yield f"{prefix}{name}", json.dumps(value)
        else:
            yield f"{prefix}{name}", ""


def _no_records() -> NoHistory:
    return NoHistory(f"JSON without records: write one object a period, such as {EXAMPLE}")
