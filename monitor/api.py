"""The Python API: `import modeltop`, then `modeltop.check`, `modeltop.record` and `modeltop.diagnose`.

A result depends on the arguments alone: no configuration is read unless one is given, and no acknowledgement or
silence. Only `record` writes anything.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.config.load import Config, from_tables, load
from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.errors import MonitorError, SourceError, UsageError
from modeltop.core.text import did_you_mean, sanitize
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.history.frames import SOURCE, FrameReader
from modeltop.history.reader import Reader
from modeltop.history.recording import parse_date, period_row
from modeltop.history.store.paths import default_folder
from modeltop.history.store.row_format import YEAR_RANGE
from modeltop.history.store.writer import Store
from modeltop.report.json import as_record
from modeltop.report.notebook import html_lines, status_frame, text_lines
from modeltop.report.phrases import list_names, problem_lines
from modeltop.rules.snapshot import Snapshot
from modeltop.service.pipeline import Pipeline

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Moment", "MonitorError", "Paths", "Result", "Settings", "check", "diagnose", "record"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A CSV file or a folder of them, or several of each; a later one corrects an earlier one."""
Moment = date | str
"""A date or a time (`datetime` is a `date`), UTC if it has no zone; a string is ISO 8601."""
Settings = str | os.PathLike[str] | Mapping[str, Any]
"""A configuration: the path of the file, or its tables as `tomllib` gives them."""
_IN_PYTHON = (
    (rf"run `modeltop compute {SOURCE}", 'write it with `to_csv("log.csv")` and run `modeltop compute log.csv'),
    (rf", or `modeltop check {SOURCE}[^`]*`", ""),
    ("by --store", "as `store`"),
    (r"use `--.*? \((`.*?`) under \[sources\.NAME\]\)", r'set \1 in config["sources"]'),
)
"""Pattern of what to do on the command line → what to do in Python."""
MAX_ERROR = 400
"""Maximum terminal cells of one line of an error."""


class Result:
    """What `check` found. Printed, it is a line per model; a notebook shows it as a table.

    Args:
        snapshot: The evaluation.
        model: The only model that the result is about; None for all.
    """

    def __init__(self, snapshot: Snapshot, model: str | None = None) -> None:
        self._snapshot = snapshot
        self._model = model

    @cached_property
    def _record(self) -> dict[str, Any]:
        return as_record(self._snapshot, model=self._model)

    @property
    def status(self) -> str:
        """`ok`, `warning`, `critical` or `unknown`: the worst of all models, as the exit code of `modeltop check`."""
        return str(self._record["status"])

    @property
    def verdict(self) -> Verdict:
        """What happened, why, and what to do, of the worst model; `str(verdict)` is all three sentences."""
        return Verdict(**self._record["models"][0]["verdict"])

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """The open incidents, worst first, as in `to_dict()`, which also has the resolved ones."""
        return [incident for incident in self.to_dict()["incidents"] if incident["status"] == "open"]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire or are pending, worst first, as in `to_dict()`."""
        return list(self.to_dict()["alerts"])

    def to_dict(self) -> dict[str, Any]:
        """Return what `modeltop check --json` prints: `modeltop help formats` describes it."""
        return copy.deepcopy(self._record)

    def to_frame(self) -> pd.DataFrame:
        """Return a table of one row a series: its status, newest value, earlier values, and its worst alert."""
        return status_frame(self._snapshot, self._record["models"])

    def __str__(self) -> str:
        return "\n".join(text_lines(self._record))

    def __repr__(self) -> str:
        return f"<modeltop.Result: {self.status}, models={len(self._record['models'])}, alerts={len(self.alerts)}>"

    def _repr_html_(self) -> str:
        return "\n".join(html_lines(self._snapshot, self._record))


@contextlib.contextmanager
def _sanitized_errors() -> Iterator[None]:
    """Raise what is raised inside with its message made safe to print: it may quote the data."""
    try:
        yield
    except MonitorError as error:
        message = str(error)
        for written, meant in _IN_PYTHON:
            message = re.sub(written, meant, message)
        # Without its context: a traceback would print the message as it was.
        raise type(error)("\n".join(sanitize(line, MAX_ERROR) for line in message.splitlines())) from None


@_sanitized_errors()
def check(
    data: Paths | pd.DataFrame,
    *,
    config: Settings | None = None,
    now: Moment | None = None,
    model: str | None = None,
) -> Result:
    """Evaluate metric history: which models got worse, since when, by how much, why, and what to do.

    Args:
        data: Paths, or a DataFrame, wide (`date`, a column a metric, possibly `model`) or long (`date`, `model`,
            `metric`, `value`); all that a CSV file may hold, a DataFrame may hold.
        config: The configuration; None for the default rules.
        now: Evaluate as of this moment, without later rows; None for the time of the newest row.
        model: The only model to report; of a DataFrame without a column of models, its name.

    Raises:
        MonitorError: Nothing could be read, or an argument is wrong; the message names the problem and the remedy.

    >>> import pandas as pd
    >>> accuracy = [0.96, 0.95, 0.96, 0.94, 0.93, 0.91, 0.90, 0.89, 0.88, 0.87]
    >>> table = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=10), "accuracy": accuracy})
    >>> result = check(table, model="churn")
    >>> result.status, [alert["metric"] for alert in result.alerts]
    ('critical', ['accuracy'])
    >>> check(table, now="2025-01-04").status
    'ok'
    """
    snapshot = _snapshot(data, config, now, model)
    if model is not None:
        _require_model(snapshot, model)
    return Result(snapshot, model)


@_sanitized_errors()
def diagnose(
    data: Paths | pd.DataFrame, model: str, *, config: Settings | None = None, now: Moment | None = None
) -> Diagnosis:
    """Return the diagnosis of a model, whether or not it alerts: verdict, five questions, causes, evidence.

    Args:
        data: As for `check`.
        model: The model; of a DataFrame without a column of models, its name.
        config: As for `check`.
        now: As for `check`.

    Raises:
        MonitorError: As for `check`.

    >>> import pandas as pd
    >>> accuracy = [0.96, 0.95, 0.96, 0.94, 0.93, 0.91, 0.90, 0.89, 0.88, 0.87]
    >>> table = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=10), "accuracy": accuracy})
    >>> diagnosis = diagnose(table, "churn")
    >>> [(question.question, question.answer) for question in diagnosis.questions][:2]
    [('Declining?', 'yes'), ('Less reliable?', 'yes')]
    """
    _require("model", model, str, "the name of a model")
    snapshot = _snapshot(data, config, now, model)
    _require_model(snapshot, model)
    return diagnose_model(snapshot, model)


@_sanitized_errors()
def record(
    model: str,
    metrics: Mapping[str, float],
    *,
    date: Moment | None = None,
    count: float | None = None,
    segment: str = "all",
    store: str | os.PathLike[str] | None = None,
) -> None:
    """Append one period of one model to the store; once it returns, the period is on the disk.

    Args:
        model: The model.
        metrics: Values by metric; `METRIC_count` is the number of cases that METRIC rests on.
        date: Start of the period; None for now.
        count: Rows of the period.
        segment: The part of the rows that it is about, such as `country=DE`; `all` for all of them.
        store: The folder; None for `$XDG_DATA_HOME/modeltop`. It is made if it is not there.

    Raises:
        MonitorError: Nothing was stored; the message says why.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as store:
    ...     record("churn", {"accuracy": 0.93, "auc": 0.97}, date="2025-01-10", count=1200, store=store)
    ...     check(store).to_frame()["metric"].tolist()
    ['accuracy', 'roc_auc']
    """
    _require("model", model, str, "the name of a model")
    _require("metrics", metrics, Mapping, "a mapping of metrics to numbers")
    _require("segment", segment, str, "a segment such as country=DE")
    _require("store", store, str | os.PathLike | None, "the path of a folder")
    for name, value in (*metrics.items(), ("count", count)):
        _require("metrics", name, str, "the name of a metric")
        _require_number(name, value)
    start = datetime.now(UTC) if date is None else _moment("date", date)
    row = period_row(model, metrics.items(), start, catalog=Config().catalog, count=count, segment=segment)
    Store(default_folder() if store is None else Path(store)).append([row])


def _snapshot(data: Paths | pd.DataFrame, config: Settings | None, now: Moment | None, model: str | None) -> Snapshot:
    _require("model", model, str | None, "the name of a model")
    settings = _config(config)
    reader = _reader(data, settings, model)
    pipeline = Pipeline(settings, (), reader=reader, now=None if now is None else _moment("now", now))
    snapshot = pipeline.run(datetime.now(UTC))
    if not snapshot.model_statuses or not (snapshot.history.series or snapshot.history.periods):
        problems = "\n".join(problem_lines(snapshot.history.problems))
        raise SourceError(problems or "no period of any metric could be read")
    return snapshot


def _require(name: str, value: object, kinds: Any, accepted: str) -> None:
    """Raise UsageError if an argument is of no kind that is accepted, or empty text."""
    if not isinstance(value, kinds):
        raise UsageError(f"{name}: {accepted} is expected, not `{type(value).__name__}`")
    if value == "":
        raise UsageError(f"{name}: {accepted} is expected, not an empty string")


def _require_number(name: str, value: object) -> None:
    """Raise UsageError if a value is no number, such as the text of one; a truth value is none either."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, Real | Decimal)):
        raise UsageError(f"{sanitize(name, 60)}: a number is expected, not `{type(value).__name__}`")


def _config(config: Settings | None) -> Config:
    _require("config", config, str | os.PathLike | Mapping | None, "the path of a file or its tables")
    if not isinstance(config, Mapping):
        return load(None if config is None else Path(config))
    _require_names(config)
    return from_tables(config, Path("config"))


def _require_names(value: object) -> None:
    """Raise UsageError if a table in a configuration has a key that is no text."""
    if isinstance(value, Mapping):
        for key in value:
            _require("config", key, str, "a table or a key by its name")
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            _require_names(inner)


def _reader(data: Paths | pd.DataFrame, config: Config, model: str | None) -> Reader:
    pandas = sys.modules.get("pandas")  # whoever has a DataFrame has imported it
    if pandas is not None and isinstance(data, pandas.DataFrame):
        layout = config.sources.layout_of(SOURCE)
        return FrameReader(data, model or "model", catalog=config.catalog, zone=config.zone, layout=layout)
    given: Any = data
    is_one = not isinstance(given, Iterable) or isinstance(given, str | os.PathLike | bytes | Mapping)
    paths = [given] if is_one else list(given)
    if not all(isinstance(path, str | os.PathLike) for path in paths):
        _require("data", data, (), "a path, several paths or a pandas DataFrame")
    names = [*map(os.fspath, paths)]
    if not all(names) or not names:
        raise UsageError("a path is empty: name a CSV file or a folder of them")
    return Reader(names, catalog=config.catalog, zone=config.zone, aliases=config.model_aliases, sources=config.sources)


def _moment(name: str, value: Moment) -> datetime:
    try:
        given: Any = value.astype("datetime64[us]").item() if isinstance(value, np.datetime64) else value
        moment = parse_date(given) if isinstance(given, str) else given
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    except AttributeError:
        moment = None
    if moment is None or moment != moment:  # noqa: PLR0124  pandas.NaT is a datetime
        raise UsageError(f"{name}: a date, a datetime or a string is expected") from None
    first, last = YEAR_RANGE
    if not first <= moment.year <= last:
        raise UsageError(f"{name}: the year {moment.year} is outside {first} to {last}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _require_model(snapshot: Snapshot, model: str) -> None:
    models = [status.model for status in snapshot.model_statuses]
    if model not in models:
        near = did_you_mean(model, models) or f"; the models are {list_names([*map(sanitize, models)])}"
        raise UsageError(f"no model is called {sanitize(model, 60)}{near}")
