"""Reports of Evidently as JSON: one report is one period.

Read are the reports of `Report.json()` of version 0.7, https://docs.evidentlyai.com/docs/library/output_formats, and of
the versions before it, whose values are in `result`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modeltop.history.csv.header import NoHistory

_DATE = re.compile(r"(?P<year>20\d\d)-?(?P<month>\d\d)-?(?P<day>\d\d)(?:[T_ -]?(?P<hour>\d\d)[-:]?(?P<minute>\d\d))?")
_DATES = ("timestamp", "current_date", "date")
_COLUMNS = ("column", "column_name")
_P_VALUE = "p_value"
"""In the name of a test whose result is small where the data drifted, and not large."""
_SETTINGS = ("threshold", "stattest_threshold")


def is_report(document: Mapping[str, Any]) -> bool:
    """Return whether a JSON document is a report of Evidently."""
    metrics = document.get("metrics")
    return isinstance(metrics, list) and any(map(_is_metric, metrics))


def _is_metric(entry: object) -> bool:
    if not isinstance(entry, Mapping):
        return False
    return ("metric" in entry and "result" in entry) or (
        "value" in entry and ("metric_name" in entry or "metric_id" in entry)
    )


def records(report: Mapping[str, Any], path: str) -> Iterator[dict[str, object]]:
    """Yield the values of a report in the long shape: date, model, segment, metric, value.

    Args:
        report: As Evidently writes it.
        path: The file; its name gives the model, and the date of a report without one.

    Raises:
        NoHistory: Neither the report nor its name has a date, or it has no value.
    """
    name = path.rpartition("/")[2].removesuffix(".gz").removesuffix(".json")
    found = _DATE.search(name)
    metadata = report.get("metadata")
    date = next((str(report[key]) for key in _DATES if report.get(key)), None) or (found and _iso(found))
    if not date:
        raise NoHistory("an Evidently report without a date: add it to the file's name, such as churn-2025-01-31.json")
    stem = name if found is None else (name[: found.start()] + name[found.end() :])
    model = (metadata.get("model_id") if isinstance(metadata, Mapping) else None) or stem.strip(" -_.") or "report"
    values = [(entry, value) for entry in report["metrics"] if _is_metric(entry) for value in _values_of(entry)]
    if not values:
        raise NoHistory("an Evidently report without a number: add metrics such as Accuracy() to the report")
    for _, (segment, metric, value) in values:
        yield {"date": date, "model": model, "segment": segment, "metric": metric, "value": value}


def _iso(match: re.Match[str]) -> str:
    day = f"{match['year']}-{match['month']}-{match['day']}"
    return day if match["hour"] is None else f"{day}T{match['hour']}:{match['minute']}:00"


def _values_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield segment, metric and value of each number of one metric."""
    if "result" in entry:
        result = entry["result"] if isinstance(entry["result"], Mapping) else {}
        yield from _of_result(result)
        return
    found = entry.get("config")
    config: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    written = str(entry.get("metric_name") or entry.get("metric_id"))
    column = re.search(r"[(,]\s*column=([^,)]+)", written)
    name = str(config.get("type") or written.partition("(")[0]).rpartition(":")[2]
    feature = str(config.get("column") or (column[1] if column else ""))
    segment = f"feature={feature}" if feature else "all"
    if _is_number(entry["value"]):
        yield segment, _P_VALUE if _P_VALUE in written else name, entry["value"]
    elif isinstance(entry["value"], Mapping):
        for key, value in entry["value"].items():
            if _is_number(value):
                yield segment, f"{name}.{key}", value


def _of_result(result: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the same of a metric before version 0.7: those of the current data, without those of the reference."""
    feature = next((str(result[key]) for key in _COLUMNS if result.get(key)), "")
    segment = f"feature={feature}" if feature else "all"
    current = result["current"] if isinstance(result.get("current"), Mapping) else {}
    for key, value in {**result, **current}.items():
        if _is_number(value) and key not in _SETTINGS:
            yield segment, _drift_name(result) if key == "drift_score" else key, value
    by_column = result.get("drift_by_columns")
    for column, values in by_column.items() if isinstance(by_column, Mapping) else ():
        if isinstance(values, Mapping) and _is_number(values.get("drift_score")):
            yield f"feature={column}", _drift_name(values), values["drift_score"]


def _drift_name(result: Mapping[str, Any]) -> str:
    return _P_VALUE if _P_VALUE in str(result.get("stattest_name")) else "drift_score"


def _is_number(value: object) -> bool:
    """Return whether a value of JSON whose numbers were kept as text is a number."""
    return isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value) is not None
