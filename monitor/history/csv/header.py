"""The header of a CSV file: the role of each column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.metrics.names import is_bookkeeping, name_key
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import ReadFault, Times
from modeltop.core.text import sanitize
from modeltop.history.csv import date_formats, number_formats
from modeltop.history.csv.date_formats import DateFormat
from modeltop.history.csv.layout import DEFAULT_LAYOUT, Layout, suggest_settings
from modeltop.history.csv.number_formats import NumberFormat
from modeltop.history.csv.placement import Placement, companion, place, placement_notes
from modeltop.history.csv.table import CsvTable
from modeltop.history.store.row_format import COMPANIONS, DATE_COLUMN_NAMES, MAX_COLUMNS, is_store_header

ROLE_NAMES = {
    "model": ("model", "modelname", "modell", "modellname", "modele", "modèle", "modelo", "modello"),
    "segment": ("segment", "segmentname"),
    "provisional": ("provisional",),
    "version": ("modelversion", "version"),
    "count": (
        *("count", "n", "nsamples", "numsamples", "samplesize", "nrows", "numrows", "rowcount", "support"),
        *("anzahl", "anzahlfälle", "fallzahl", "fälle", "stichprobe", "stichprobengröße"),
    ),
}
"""Role → names of its column, by `name_key`; where a file has several, the first of these names."""
_NO_METRICS = frozenset({*ROLE_NAMES, *DATE_COLUMN_NAMES}) - {"version"}
METRIC_NAMES = ("metric", "metricname", "metrickey")
"""Columns of metric names: Evidently, whylogs, dbt."""
MAYBE_METRIC_NAMES = ("key", "series", "tag", "variable", "measure", "field", "name")
"""The same only where nothing else is a metric: MLflow, Grafana, tbparse, pandas' melt, InfluxDB."""
VALUE_NAMES = ("value", "metricvalue", "val", "score")
MEAN_NAMES = ("mean", "average", "avg")
"""The same beside a column of metric names, where others hold their deviations or extremes."""
MODEL_NAMES = frozenset({
    "modelname", "modelid", "modelkey", "name", "experiment", "experimentname", "experimentid", "deployment",
    "deploymentname", "deploymentid", "endpoint", "endpointname", "estimator", "pipeline", "pipelinename", "detector",
    "classifier", "algorithm",
})  # fmt: skip
"""Columns that are the model if rows of one date differ in them."""
SEGMENT_NAMES = frozenset({
    "version", "modelversion", "shard", "fold", "split", "env", "environment", "region", "country", "market", "site",
    "store", "tenant", "customer", "cohort", "group", "slice", "bucket", "dataset", "variant", "channel", "platform",
    "device", "language", "locale", "partition", "replica", "instance", "host", "node", "worker", "cluster", "stage",
    "class", "label", "granularity", "threshold",
})  # fmt: skip
"""Columns that are a segment if rows of one date differ in them; never a metric, even if they hold numbers."""
IDENTITY_NAMES = MODEL_NAMES | SEGMENT_NAMES


class NoHistory(SourceError):  # noqa: N818  no error in a folder: the file is left alone
    """A file without a date column, or without any row."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """One column of numbers, with its metric and its meaning."""

    index: int
    name: str
    """The name as the header has it."""
    metric: str
    """Canonical name; empty for `count`, and for the single value column of the long shape."""
    role: str
    """`value`, `support`, `low`, `high` or `rows`."""
    segment: str = "all"
    """The segment that the column is of, within that of the row."""
    sign: int = 1
    """-1 where the column has the metric times −1."""
    model: str = ""
    """The model that the column is of, where each has one of its own."""
    format: NumberFormat = number_formats.PLAIN
    formats: Mapping[str, NumberFormat] = field(default_factory=dict)
    """In the long shape, metric as written → the format of its values, if it is not `format`."""

    @property
    def metric_name(self) -> str:
        """The metric as written: its canonical name where the column has the name of a model."""
        return self.metric if self.model else self.name

    @property
    def part(self) -> tuple[str, str]:
        """Model and segment that the column is of, within those of the row."""
        return self.model, self.segment

    @property
    def is_plain(self) -> bool:
        """True if all of its numbers have a decimal point and nothing else."""
        return self.format.is_plain and not self.formats

    def format_of(self, metric: str | None) -> NumberFormat:
        """Return the format of the values of a metric, as written; that of the column in the wide shape."""
        return self.formats.get(metric or "", self.format)

    @property
    def is_count(self) -> bool:
        """True if it holds whole numbers of cases or rows."""
        return self.role in ("support", "rows")


@dataclass(frozen=True, slots=True)
class CsvSchema:
    """The columns of a file by role; an index is None if the file has no such column."""

    delimiter: str
    width: int
    date: int
    model: int | None
    segment: int | None
    provisional: int | None
    metric: int | None
    """The column of metric names in the long shape; None in the wide one."""
    numbers: tuple[NumberColumn, ...]
    notes: tuple[str, ...]
    """Messages on unexpected columns: columns given twice, or left out."""
    names: tuple[str, ...]
    """The header, without blanks around the names."""
    is_utc: bool = False
    """True for files of the store, which writes every date in UTC, whatever is configured."""
    is_dated: bool = True
    """False if no column is called like a date: then `date` is the first one until the rows have decided."""
    date_format: DateFormat = date_formats.PLAIN
    faults: tuple[ReadFault, ...] = ()
    """Columns that cannot be read."""
    segments: tuple[int, ...] = ()
    """More columns of which each value is a segment, such as `country=DE`: their names alone did not say so."""
    has_days_apart: bool = False
    """True if a date without a time of day is a day beside its hours: the segment `period=day`."""
    time: int | None = None
    """The column of the time of day, if it is not in that of the date."""
    version: int | None = None
    """The column of the model's version."""
    layout: Layout = DEFAULT_LAYOUT
    """The configured layout of the columns."""

    def read_again(
        self, catalog: MetricRegistry, *, date: int | None = None, identity: RowIdentity | None = None
    ) -> CsvSchema:
        """Return the schema of the same header with what the rows have shown; the arguments are as of `read_header`."""
        return read_header(self.names, self.delimiter, catalog, date=date, identity=identity, layout=self.layout)

    @property
    def names_models(self) -> bool:
        """Whether the file names its models, in a column or by the names of columns."""
        return self.model is not None or bool(self.layout.models_as_columns)

    @property
    def has_one_series(self) -> bool:
        """Whether all rows are of one model, segment and, in the long shape, metric."""
        return self.model is self.segment is self.metric is None and not self.segments and not self.has_days_apart

    @property
    def is_expected(self) -> bool:
        """True if the rows hold what the header alone says, in plain formats, so that further rows decide nothing."""
        return (
            self.is_dated
            and self.layout.is_empty
            and self.date == find_date_column(self.names)
            and not self.segments
            and not self.has_days_apart
            and self.time is None
            and self.date_format is date_formats.PLAIN
            and all(column.is_plain for column in self.numbers)
        )

    def written(self, part: tuple[str, str]) -> dict[str, str]:
        """Return by metric the names of a part's columns of values that are called otherwise than their metric."""
        return {
            column.metric: column.metric_name
            for column in self.numbers
            if (column.role, column.part) == ("value", part) and column.metric not in ("", column.metric_name)
        }

    def with_time(self, table: CsvTable) -> CsvTable:
        """Return rows of text with the time of day behind the date."""
        if self.time is None:
            return table
        pairs = zip(table.text(self.date), table.text(self.time), strict=True)
        return CsvTable(table.lines, {**table.columns, self.date: tuple(f"{day} {time or '?'}" for day, time in pairs)})

    def read_dates(self, table: CsvTable, configured: tzinfo) -> Times:
        """Return the date of each row; NaT where it has none."""
        column = table.columns[self.date]
        if isinstance(column, np.ndarray):
            return column
        dates = table.coded(self.date)
        return np.asarray(self.date_format.read(dates.cells, self.zone(configured))[dates.codes])

    def zone(self, configured: tzinfo) -> tzinfo:
        """Return the zone of dates that name none."""
        return UTC if self.is_utc else configured


def name_by_file(schema: CsvSchema, path: str, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema of a scalar that TensorBoard exported, its metric named by the file: `run-NAME-tag-TAG.csv`."""
    tag = re.search(r"[-_]tag-(.+)\.csv$", path)
    if tag is None or {name.lower() for name in schema.names} != {"wall time", "step", "value"}:
        return schema
    # TensorBoard writes `_` for `/`: of `eval_metric_accuracy` the last words are the metric.
    words = tag[1].split("_")
    names = ["_".join(words[start:]) for start in range(len(words))]
    name = next((name for name in names if catalog.get(name).is_direction_known), names[0])
    numbers = (replace(column, metric=catalog.canonical(name)) for column in schema.numbers)
    return replace(schema, numbers=tuple(numbers))


def note_models(schema: CsvSchema, path: str, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema with a note if its columns may be models: the file is called like a metric, and no column is.

    Args:
        schema: The columns.
        path: The file.
        catalog: The metrics.
    """
    stem = re.sub(r".*/|\.\w+$", "", path)
    values = [column for column in schema.numbers if column.role == "value" and column.metric]
    is_known = any(
        catalog.is_configured(column.name) or catalog.get(column.name).is_direction_known for column in values
    )
    if len(values) < 2 or is_known or values[0].model or not catalog.get(stem).is_direction_known:
        return schema
    names = ", ".join(f"`{column.name[:40]}`" for column in values[:3])
    others = f" and {len(values) - 3} more" if len(values) > 3 else ""
    remedy = suggest_settings(Layout(models_as_columns=catalog.canonical(stem)))
    note = f"columns {names}{others} are no metrics that are known here: if each is a model, {remedy}"
    return replace(schema, notes=tuple(dict.fromkeys((*schema.notes, note))))


def no_date_column() -> NoHistory:
    """Return the error of a file without a column of dates."""
    *names, last = DATE_COLUMN_NAMES
    names_ = f"{', '.join(names)} or {last}"
    return NoHistory(f"no date column in the header: use `--date COLUMN`, or name one of them {names_}")


def find_date_column(names: Sequence[str]) -> int | None:
    """Return the index of the column that is called like a date; None if none is."""
    lowered = [name.lower() for name in names]
    return next((lowered.index(name) for name in DATE_COLUMN_NAMES if name in lowered), None)


@dataclass(frozen=True, slots=True)
class RowIdentity:
    """Columns that tell rows apart, found by their content: indices, None for what the header's names say."""

    model: int | None = None
    metric: int | None = None
    value: int | None = None
    segments: tuple[int, ...] = ()
    has_days_apart: bool = False
    time: int | None = None


def read_header(
    cells: Sequence[str],
    delimiter: str,
    catalog: MetricRegistry,
    *,
    date: int | None = None,
    identity: RowIdentity | None = None,
    layout: Layout = DEFAULT_LAYOUT,
) -> CsvSchema:
    """Return the schema that a header describes.

    Args:
        cells: The header's cells.
        delimiter: Character between the cells of the file.
        catalog: The metrics, with their other names.
        date: Index of the date column, if the rows have shown it; by default it is found by its name.
        identity: Which columns tell rows apart, if the rows have shown it; by default they are found by their names.
        layout: The configured layout, which overrides what is inferred.

    Raises:
        SourceError: There are more than `MAX_COLUMNS` columns, or one is missing that a person names.
    """
    names = [cell.strip() or cell for cell in cells]
    if len(names) > MAX_COLUMNS:
        raise SourceError(f"the file has {len(names):,} columns, the most is {MAX_COLUMNS:,}: write one row per metric")
    date = layout.find("date", names) if layout.date else find_date_column(names) if date is None else date
    is_dated, date = date is not None, date or 0
    identity = _said_identity(names, identity or RowIdentity(), layout)
    roles = _roles(names, date if is_dated else None, identity, layout, catalog)
    used_columns = {date, *roles.values(), *identity.segments, date if identity.time is None else identity.time}
    notes: list[str] = []
    if "metric" in roles:
        numbers = [NumberColumn(roles["value"], names[roles["value"]], "", "value")]
    elif "value" in roles:
        name = names[roles["value"]]
        numbers = [_column(roles["value"], name, "value", *place([name], catalog))]
        used_columns = set(range(len(names)))
    elif layout.models_as_columns:
        numbers = _models(names, used_columns, catalog, layout)
    else:
        numbers, notes = _metrics(names, used_columns, catalog, is_store=is_store_header(cells))
    if "count" in roles:
        numbers.append(NumberColumn(roles["count"], names[roles["count"]], "", "rows"))
    segments_of_versions = (index for index in identity.segments if name_key(names[index]) in ROLE_NAMES["version"])
    return CsvSchema(
        delimiter,
        len(names),
        date,
        roles.get("model"),
        roles.get("segment"),
        roles.get("provisional"),
        roles.get("metric"),
        tuple(numbers),
        (*_notes(names, used_columns, numbers), *notes),
        tuple(names),
        is_store_header(cells),
        is_dated,
        segments=identity.segments,
        has_days_apart=identity.has_days_apart,
        time=identity.time,
        version=roles.get("version", next(segments_of_versions, None)),
        layout=layout,
    )


def _said_identity(names: Sequence[str], found: RowIdentity, layout: Layout) -> RowIdentity:
    """Return which columns tell rows apart: as a person says, else as the rows have shown."""
    segments = tuple(index for index in layout.find_segments(names) if name_key(names[index]) != "segment")
    model, metric, value = (layout.find(key, names) for key in ("model", "metric", "value"))
    taken = {each for each in (model, metric, value) if each is not None}
    return replace(
        found,
        model=found.model if model is None else model,
        metric=found.metric if metric is None else metric,
        value=found.value if value is None else value,
        segments=tuple(sorted({*segments, *found.segments} - taken)),
    )


def _roles(
    names: Sequence[str], date: int | None, identity: RowIdentity, layout: Layout, catalog: MetricRegistry
) -> dict[str, int]:
    """Return the columns by role, without the date, segments found and metrics; of two the first has it."""
    by_key: dict[str, int] = {}
    for index, name in enumerate(names):
        if index != date and index not in identity.segments:
            by_key.setdefault(name_key(name), index)
    roles = {
        role: next(by_key[key] for key in keys if key in by_key)
        for role, keys in ROLE_NAMES.items()
        if not by_key.keys().isdisjoint(keys)
    }
    if is_store_header(names):
        roles.pop("version", None)  # of a metric that was recorded under that name
    metric = identity.metric
    if identity.value is None:
        metric = None
    elif metric is None:  # a column of values beside one of metric names, as that is usually called
        metric = next((by_key[key] for key in METRIC_NAMES if key in by_key), None)
    found = {"model": identity.model, "metric": metric, "value": identity.value, "count": layout.find("count", names)}
    of_rows = {role: index for role, index in found.items() if index is not None}
    roles = {role: index for role, index in roles.items() if index not in of_rows.values()} | of_rows
    if identity.value is not None or layout.models_as_columns or is_store_header(names):
        return roles
    others = {key: index for key, index in by_key.items() if index not in roles.values()}
    return roles | _long_shape(others, names, catalog)


def _long_shape(columns: Mapping[str, int], names: Sequence[str], catalog: MetricRegistry) -> dict[str, int]:
    """Return the columns of metric names and of their values; none in the wide shape."""
    metric = next((key for key in METRIC_NAMES if key in columns), None)
    value = next((key for key in (*VALUE_NAMES, *(MEAN_NAMES if metric else ())) if key in columns), None)
    if value is None:
        return {}
    if metric is None:
        metric = next((key for key in MAYBE_METRIC_NAMES if key in columns), None)
        rest = [names[index] for key, index in columns.items() if key not in (metric, value)]
        if value == "score" or any(catalog.normalize(name).is_known for name in rest):
            return {}  # `name` beside metrics in columns of their own
    return {"metric": columns[metric], "value": columns[value]} if metric else {}


def _metrics(
    names: Sequence[str], used_columns: set[int], catalog: MetricRegistry, *, is_store: bool
) -> tuple[list[NumberColumn], list[str]]:
    """Return the columns of metrics and of what belongs to them, and messages on those that share a metric.

    In a file of the store every name was recorded as that of a metric, and only its own three suffixes have a meaning.
    """
    free = {
        index: name
        for index, name in enumerate(names)
        if name and index not in used_columns and name.lower() not in _NO_METRICS
    }
    owners = _companion_owners(free, catalog, is_store=is_store)
    values = [
        index for index, name in free.items() if index not in owners and (is_store or not _names_rows(name, catalog))
    ]
    written = [free[index] for index in values]
    # Keras writes `accuracy` of the training data beside `val_accuracy`.
    trained = {name for name in written if f"val_{name}" in written} if "epoch" in map(name_key, names) else set()
    placements = place([f"train_{name}" if name in trained else name for name in written], catalog)
    places = dict(zip(values, placements, strict=True))
    columns: list[NumberColumn] = []
    for index, name in free.items():
        if index in places:
            columns.append(_column(index, name, "value", places[index]))
        elif index in owners and owners[index][1] != "aside" and owners[index][0] in places:
            owner, role = owners[index]
            columns.append(_column(index, name, role, places[owner]))
    return columns, placement_notes(written, placements, catalog)


def _models(
    names: Sequence[str], used_columns: set[int], catalog: MetricRegistry, layout: Layout
) -> list[NumberColumn]:
    """Return the columns that are models each, and of what belongs to them, such as `churn_count`.

    Raises:
        SourceError: Two have one name.
    """
    metric = catalog.canonical(layout.models_as_columns)
    free = {index: name for index, name in enumerate(names) if name and index not in used_columns}
    if twice := [name for name, count in Counter(free.values()).items() if count > 1]:
        raise SourceError(f"two columns are called {sanitize(twice[0], 40)}, each a model: rename one of them")
    owners = _companion_owners(free, catalog, is_store=False)
    parts = {index: owners.get(index, (index, "value")) for index in free}
    return [
        NumberColumn(index, free[index], metric, role, model=free[owner])
        for index, (owner, role) in parts.items()
        if role != "aside"
    ]


def _column(index: int, name: str, role: str, placed: Placement) -> NumberColumn:
    if placed.sign < 0 and role in ("low", "high"):
        role = "high" if role == "low" else "low"
    return NumberColumn(index, name, placed.metric, role, placed.segment, placed.sign if role != "support" else 1)


def _companion_owners(free: dict[int, str], catalog: MetricRegistry, *, is_store: bool) -> dict[int, tuple[int, str]]:
    """Return, per column that tells about another one, that one and its role."""
    by_key: dict[str, int] = {}
    by_metric: dict[str, int] = {}
    for index, name in free.items():
        by_key.setdefault(name_key(name), index)
        by_metric.setdefault(catalog.canonical(name), index)
    owners: dict[int, tuple[int, str]] = {}
    for index, name in free.items():
        found = companion(name)
        if found and (not is_store or name[len(found[0]) :].lower() in COMPANIONS):
            base, role = found
            owner = by_key.get(name_key(base), by_metric.get(catalog.canonical(base)))
            if owner is not None and owner != index:
                owners[index] = owner, role
    return owners


def _notes(names: Sequence[str], used_columns: set[int], numbers: Sequence[NumberColumn]) -> list[str]:
    used = used_columns | {column.index for column in numbers}
    unused: dict[str, list[str]] = {}
    for index, name in enumerate(names):
        if index not in used and name:
            unused.setdefault(_why_unused(name), []).append(f"`{name[:40]}`")
    notes = [
        f"columns {', '.join(columns)} are {reason}" if len(columns) > 1 else f"column {columns[0]} is {reason}"
        for reason, columns in unused.items()
    ]
    if any(not name for index, name in enumerate(names) if index not in used):
        notes.append("a column without a name is not read: give it one")
    counts = Counter((column.metric, *column.part, column.role) for column in numbers)
    for kind, count in counts.items():
        if count > 1:
            same = [f"`{column.name[:40]}`" for column in numbers if (column.metric, *column.part, column.role) == kind]
            notes.append(f"columns {', '.join(same)} have one part: the last of them that is not empty counts")
    if not numbers:
        notes.append("the file has no metric column: add one")
    return notes


def _names_rows(name: str, catalog: MetricRegistry) -> bool:
    """Return whether a column of numbers tells what a row is of, and is no metric."""
    if catalog.is_configured(name):
        return False
    return is_bookkeeping(name) or (name_key(name) in IDENTITY_NAMES and not catalog.normalize(name).is_known)


def _why_unused(name: str) -> str:
    if name_key(name) in IDENTITY_NAMES:
        return "not evaluated: it identifies the row; for a metric, set `better` under [metrics.NAME]"
    if is_bookkeeping(name):
        return "not evaluated: a counter, an id or a setting by name; for a metric, set `better` under [metrics.NAME]"
    if found := companion(name):
        return f"not evaluated: a limit, an error or an alert of `{found[0][:40]}`"
    return "not read: another column has its role, or its role is unknown"
