"""One period as a person or a program gives it, checked and under the names that the store keeps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from modeltop.core.errors import UsageError
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.text import holds_credentials, sanitize
from modeltop.history.csv.cells import COUNT, bounds_message
from modeltop.history.csv.dates import parse_microseconds
from modeltop.history.store.row_format import COMPANIONS, PeriodRow


def period_row(
    model: str,
    numbers: Iterable[tuple[str, float]],
    date: datetime,
    *,
    catalog: MetricRegistry,
    count: float | None = None,
    segment: str = "all",
    provisional: bool | None = None,
) -> PeriodRow:
    """Return the row of one period.

    Args:
        model: The model.
        numbers: Name and value of each metric; `METRIC_count` is the number of cases that METRIC rests on,
            `METRIC_low` and `METRIC_high` are its 95 % interval.
        date: Start of the period, aware.
        catalog: The metrics, with their bounds and other names.
        count: Rows of the period.
        segment: The part of the rows that it is about.
        provisional: True if the period is not complete yet.

    Raises:
        UsageError: A name holds a credential, comes twice, or there is none; or a value is not finite or out of bounds.
    """
    for name in filter(holds_credentials, (model, segment)):
        raise UsageError(f"{sanitize(name, 60)} holds a password or a token: name the model and the segment without it")
    stored = _stored_numbers(numbers, catalog)
    fields: dict[str, dict[str, float]] = {name: {} for name in ("values", *COMPANIONS.values())}
    for name, value in stored.items():
        suffix = next((tail for tail in COMPANIONS if name.endswith(tail) and name.removesuffix(tail) in stored), "")
        fields[COMPANIONS.get(suffix, "values")][name.removesuffix(suffix)] = value
    for metric, value in fields["values"].items():
        _check_bounds(metric, value, catalog.as_written(metric))
    for metric, value in fields["supports"].items():
        _check_bounds(f"{metric}_count", value, COUNT)
    if count is not None:
        _check_bounds("count", count := _finite("count", count), COUNT)
    return PeriodRow(model, date, count=count, segment=segment, provisional=provisional, **fields)


def parse_date(text: str, zone: tzinfo = UTC) -> datetime:
    """Return the moment that a text names, in `zone` if it names none.

    Raises:
        ValueError: It is not a date, or a local time that comes twice; the message names the remedy.
    """
    first, second = (parse_microseconds(text, zone, fold) for fold in (0, 1))
    if first != second:
        raise ValueError(f"{sanitize(text, 40)} comes twice in {zone}: add the offset, such as +01:00")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first)


def _stored_numbers(numbers: Iterable[tuple[str, float]], catalog: MetricRegistry) -> dict[str, float]:
    """Return the numbers by the name that they are stored under, whatever its suffix."""
    stored: dict[str, float] = {}
    for written, value in numbers:
        name = catalog.stored_name(written.strip())
        suffix = next((tail for tail in COMPANIONS if name.endswith(tail)), "")
        name = catalog.stored_name(name.removesuffix(suffix)) + suffix
        if name in stored:
            raise UsageError(f"{sanitize(name, 60)} is given twice: give it once")
        stored[name] = _finite(name, value)
    if not stored:
        raise UsageError("nothing to record: give at least one metric and its value, such as accuracy 0.93")
    return stored


def _finite(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        shown = sanitize(value, 40)
        raise UsageError(f"{sanitize(name, 60)}: invalid value `{shown}`: give a finite number, or leave it out")
    return number


def _check_bounds(name: str, value: float, metric: Metric) -> None:
    if not metric.within_bounds(value) or (metric is COUNT and 0 < value < 1):
        raise UsageError(f"{sanitize(name, 60)}: {bounds_message(value, metric)}")
