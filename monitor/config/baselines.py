"""`reference`: what a rule that compares is given to compare with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from modeltop.config.table import TableReader
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.rules.baselines.base import Baseline
from modeltop.rules.baselines.other_series import OtherSeriesBaseline
from modeltop.rules.baselines.past import (
    MIN_PERIODS,
    ROLLING,
    DateRange,
    FirstPeriods,
    PastBaseline,
    Rolling,
    SameWeekday,
)
from modeltop.rules.detectors.base import Detector

WAYS = (
    "{ rolling = 60 }, { first = 20 }, { from = 2025-01-01, to = 2025-02-01 }, { weekday = 8 }, "
    '{ segment = "country=de" }, { metric = "accuracy" } or { model = "champion" }'
)


def parse_baseline(part: TableReader, catalog: MetricRegistry, check: Detector | None) -> Baseline:
    """The reference that a rule names; the 60 periods before each by default, also where it is wrong.

    Args:
        part: The table of the rule.
        catalog: Names the metrics.
        check: What compares with it; None where that is wrong.
    """
    if "reference" not in part.data:
        part.get("reference", dict, "a table")
        kind: Baseline = ROLLING
    else:
        kind = _kind(part, part.table("reference"), catalog) or ROLLING
        if check is not None and not check.uses_baseline:
            part.error("reference", "this check compares with no reference: leave it out")
            return ROLLING
    try:
        if check is not None:
            check.validate(kind)
    except ValueError as error:
        part.error("reference", str(error))
    return kind


def parse_past_baseline(part: TableReader, catalog: MetricRegistry) -> PastBaseline:
    """The reference that the change summary compares with: of the series' own past."""
    kind = parse_baseline(part, catalog, None)
    if isinstance(kind, PastBaseline):
        return kind
    part.error(
        "reference",
        "changes are summed up against the past of each series: use rolling, first, from and to, or weekday",
    )
    return ROLLING


def _kind(part: TableReader, inner: TableReader, catalog: MetricRegistry) -> Baseline | None:
    """One way alone, though a segment, a metric and a model may be named together."""
    ways = [(keys, make) for keys, make in _WAYS if any(key in inner.data for key in keys)]
    for key in (key for keys, _ in _WAYS for key in keys):
        inner.get(key, object, "")  # all are known, whichever is used
    if len(ways) != 1:
        part.error("reference", f"{'empty' if not ways else 'several in one'}; write one of {WAYS}")
        return None
    try:
        return ways[0][1](inner, catalog)
    except ValueError as error:
        part.error("reference", str(error))
        return None


def _rolling(inner: TableReader, _: MetricRegistry) -> Baseline | None:
    most = inner.integer("rolling", minimum=1, default=0)
    return Rolling(most, min(MIN_PERIODS, most)) if most else None


def _first(inner: TableReader, _: MetricRegistry) -> Baseline | None:
    periods = inner.integer("first", minimum=2, default=0)
    return FirstPeriods(periods) if periods else None


def _weekday(inner: TableReader, _: MetricRegistry) -> Baseline | None:
    periods = inner.integer("weekday", minimum=1, default=0)
    return SameWeekday(periods, min(4, periods)) if periods else None


def _dates(inner: TableReader, _: MetricRegistry) -> Baseline | None:
    start, end = _moment(inner, "from"), _moment(inner, "to")
    for key, found in (("from", start), ("to", end)):
        if found is None and key not in inner.data:
            inner.error(key, "missing; a reference by dates needs from and to")
    return DateRange(start, end) if start and end else None


def _moment(inner: TableReader, key: str) -> datetime | None:
    """A date or a moment; without a zone it is UTC."""
    found = inner.get(key, (date, str), "a date such as 2025-01-31")
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            inner.error(key, f"{found!r} is no date; write one such as 2025-01-31")
            return None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=UTC)
    if isinstance(found, datetime) and found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found if isinstance(found, datetime) else None


def _other(inner: TableReader, catalog: MetricRegistry) -> Baseline | None:
    metric = inner.text("metric")
    return OtherSeriesBaseline(
        inner.text("model"), catalog.canonical(metric) if metric else None, inner.text("segment")
    )


_WAYS: tuple[tuple[tuple[str, ...], Callable[[TableReader, MetricRegistry], Baseline | None]], ...] = (
    (("rolling",), _rolling),
    (("first",), _first),
    (("weekday",), _weekday),
    (("from", "to"), _dates),
    (("model", "metric", "segment"), _other),
)
