"""`reference`: the baseline of a rule that compares, and of the change summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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

EXAMPLES = (
    "{ rolling = 60 }, { first = 20 }, { from = 2025-01-01, to = 2025-02-01 }, { weekday = 8 }, "
    '{ segment = "country=de" }, { metric = "accuracy" } or { model = "champion" }'
)
_PERIOD_COUNTS: Mapping[str, tuple[int, Callable[[int], Baseline]]] = {
    "rolling": (1, lambda periods: Rolling(periods, min(MIN_PERIODS, periods))),
    "first": (2, FirstPeriods),
    "weekday": (1, lambda periods: SameWeekday(periods, min(SameWeekday().min_periods, periods))),
}
"""Smallest number of periods, and the constructor, of the baselines that are such a number."""
_FORMS = (
    {name: name for name in _PERIOD_COUNTS}
    | dict.fromkeys(("from", "to"), "dates")
    | dict.fromkeys(("model", "metric", "segment"), "series")
)
"""Kind of baseline by key; only keys of one kind go together."""


def parse_baseline(table: TableReader, catalog: MetricRegistry, detector: Detector | None) -> Baseline:
    """Return the baseline that a rule names; by default, or if invalid, the 60 periods before each point.

    Args:
        table: The table of the rule.
        catalog: Resolves the names of metrics.
        detector: The detector that uses it; None if that is invalid, or for the change summary.
    """
    baseline = _reference(table, catalog) or ROLLING
    if detector is None:
        return baseline
    if "reference" in table.data and not detector.uses_baseline:
        table.error("reference", "this check uses no reference: remove it")
        return ROLLING
    try:
        detector.validate(baseline)
    except ValueError as error:
        table.error("reference", str(error))
    return baseline


def parse_past_baseline(table: TableReader, catalog: MetricRegistry) -> PastBaseline:
    """Return the baseline of the change summary, which lies in the past of each series."""
    baseline = parse_baseline(table, catalog, None)
    if isinstance(baseline, PastBaseline):
        return baseline
    table.error(
        "reference",
        "changes are summed up against the past of each series: use rolling, first, from and to, or weekday",
    )
    return ROLLING


def _reference(table: TableReader, catalog: MetricRegistry) -> Baseline | None:
    inner = table.table("reference")
    if not isinstance(table.data.get("reference"), dict):
        return None
    inner.allow(*_FORMS)
    forms = {_FORMS[key] for key in inner.data if key in _FORMS}
    if len(forms) != 1:
        table.error("reference", f"{'several in one' if forms else 'empty'}; write one of {EXAMPLES}")
        return None
    try:
        return _build(forms.pop(), inner, catalog)
    except ValueError as error:
        table.error("reference", str(error))
        return None


def _build(form: str, table: TableReader, catalog: MetricRegistry) -> Baseline | None:
    if form == "series":
        labels = table.read(OtherSeriesBaseline)
        if "metric" in labels:
            labels["metric"] = catalog.canonical(labels["metric"])
        return OtherSeriesBaseline(**labels)
    if form == "dates":
        dates = table.read(DateRange, keys={"start": "from", "end": "to"})
        for key in ("from", "to"):
            if key not in table.data:
                table.error(key, "missing; a reference by dates needs from and to")
        return DateRange(**dates) if len(dates) == 2 else None
    minimum, baseline = _PERIOD_COUNTS[form]
    periods = table.integer(form, minimum=minimum)
    return None if periods is None else baseline(periods)
