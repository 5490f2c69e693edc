"""The metric, and the registry of all metrics.

A metric alone knows which way it improves, its bounds, its support and how it is printed; there is no list of
"higher is better" anywhere else. To add one, call `register` in the file of its family; a new family is one file and
its name in `FAMILIES`. The families are imported by name at the first use of the registry, so that they may import this
file and need no import elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any

from modeltop.core.metrics.names import NormalizedName, Vocabulary, is_quantity, name_key, normalize, resembles
from modeltop.core.series import Direction
from modeltop.core.text import format_fixed

FAMILIES = (
    "classification",
    "ranking",
    "calibration",
    "regression",
    "estimated",
    "drift",
    "operational",
    "clustering",
    "vision",
    "language",
    "fairness",
    "loss",
)
"""Modules of this package that register metrics, in the order in which they are listed to people."""

HIGHER, LOWER, NEITHER = Direction
Bounds = tuple[float | None, float | None]
UNBOUNDED: Bounds = (None, None)
AT_LEAST_ZERO: Bounds = (0.0, None)
AT_MOST_ONE: Bounds = (None, 1.0)
SHARE: Bounds = (0.0, 1.0)
PERCENT: Bounds = (0.0, 100.0)
CORRELATION: Bounds = (-1.0, 1.0)

MEAN_FAMILIES = frozenset({"judged", "harm", "latency", "latency_ms", "clustering"})
"""Families whose metrics, unless they are shares, are means over rows: the mean of one is the metric itself."""
ROUNDING_ERROR = 1e-12
"""Difference of two values of a metric that is one of floats, not of the metric."""
LABEL_COVERAGE = "label_coverage"
"""Name of the metric that shows whether labels are still to come."""
_METRICS: dict[str, Metric] = {}
_NAMES: dict[str, str] = {}
"""From the `name_key` of every name and alias to the metric."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of number per period: its direction, bounds, support and format."""

    name: str
    better: Direction = Direction.NEITHER
    bounds: Bounds = UNBOUNDED
    """Smallest and largest possible value, both included; None if there is no bound."""
    support: str | None = None
    """`rows`: the row count of a period is its support. None: only a column `<name>_count` is."""
    proportion: bool = False
    """True if the value is a share of its support, so that Wilson's interval holds."""
    digits: int = 3
    """Decimals on the screen; large values of unbounded metrics are printed with fewer."""
    family: str = ""
    """Metrics of one family are drawn together by the overlay."""
    aliases: tuple[str, ...] = ()
    title: str = ""
    """Title to display, if the name is not clear enough."""
    needs_labels: bool = True
    """False if it is computed without labels, so that it does not wait for them."""
    caveat: str = ""
    """Its assumption, in a clause that is shown beside it."""
    two_sided: bool = False
    """True if a change to either side may be bad: a nominal value is best, or the direction is not known."""
    is_direction_known: bool = True
    """False for a metric that is not registered, and whose direction is not configured."""

    def format(self, value: float) -> str:
        """Return the value as a person reads it; `n/a` for NaN.

        >>> Metric("accuracy").format(0.87), Metric("rows").format(1234567.0), Metric("psi").format(0.0004)
        ('0.870', '1234567', '0.0004')
        """
        return "n/a" if math.isnan(value) else format_fixed(value, self.digits)

    def format_delta(self, delta: float) -> str:
        """Return a difference, always signed; `0` has no sign.

        >>> Metric("accuracy").format_delta(-0.09), Metric("accuracy").format_delta(0.0)
        ('-0.090', '0.000')
        """
        # A difference of a sum and a mean of the same values is not always 0.
        delta = 0.0 if abs(delta) < ROUNDING_ERROR else delta
        text = self.format(delta)
        return f"+{text}" if delta > 0 else text

    def within_bounds(self, value: float) -> bool:
        """Return whether the value lies within the bounds; infinities and NaN always do."""
        if not math.isfinite(value):
            return True
        low, high = self.bounds
        return (low is None or value >= low) and (high is None or value <= high)


def metric(better: Direction, bounds: Bounds, name: str, aliases: str = "", **fields: Any) -> Metric:
    """Return a metric, for `register`."""
    return Metric(name, better, bounds, aliases=tuple(aliases.split()), **fields)


def register(*metrics: Metric) -> None:
    """Add metrics to the registry.

    Raises:
        ValueError: A name or an alias is in use already; that metric is not added.
    """
    for metric in metrics:
        names = {name_key(name): metric.name for name in (metric.name, *metric.aliases)}
        for name in names.keys() & _NAMES.keys():
            raise ValueError(f"two metrics answer to {name!r}: {_NAMES[name]} and {metric.name}")
        _NAMES.update(names)
        _METRICS[metric.name] = metric


@cache
def _load() -> Vocabulary:
    for family in FAMILIES:
        import_module(f"modeltop.core.metrics.{family}")
    metrics = _METRICS.values()
    return Vocabulary(
        _NAMES,
        losses=frozenset(
            metric.name for metric in metrics if metric.better is Direction.LOWER and metric.bounds[0] == 0
        ),
        test_statistics=frozenset(
            metric.name for metric in metrics if metric.family == "drift" or metric.name.startswith("chi_squared")
        ),
        means=frozenset(metric.name for metric in metrics if metric.family in MEAN_FAMILIES and not metric.proportion),
    )


class MetricRegistry:
    """The metrics of one run: the registered ones, with the changes and additions of the configuration.

    Args:
        overrides: By the name of a metric, the fields that the configuration changes (`better`, `bounds`, ...). A name
            that says more than the metric, such as `val_accuracy`, is then a metric of its own.
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self._vocabulary = _load()
        self._cache: dict[str, Metric] = {}
        self._normalized: dict[str, NormalizedName] = {}
        self._configured = frozenset(map(name_key, overrides or {}))
        for name, changes in (overrides or {}).items():
            self._override(name, changes)

    def is_configured(self, name: str) -> bool:
        """Return whether the configuration has a table for the metric, by this name."""
        return name_key(name) in self._configured

    def _override(self, name: str, changes: Mapping[str, object]) -> None:
        normalized = self.normalize(name)
        metric = self.get(name)
        if not normalized.is_plain:
            metric = replace(metric, name=name, aliases=(), title="")
        if "better" in changes:
            metric = replace(metric, two_sided=False, is_direction_known=True)
        # mypy cannot see through a mapping of fields; the configuration has checked names and types.
        metric = replace(metric, **changes)  # type: ignore[arg-type]
        names = {name_key(alias): metric.name for alias in (metric.name, *metric.aliases)}
        self._vocabulary = self._vocabulary._replace(names={**self._vocabulary.names, **names})
        self._normalized.clear()
        self._cache[metric.name] = metric

    def normalize(self, name: str) -> NormalizedName:
        """Return what a name says: its metric, the split of the data, the sign, the segment.

        >>> MetricRegistry().normalize("train/neg_log_loss").metric, MetricRegistry().normalize("neg_log_loss").sign
        ('log_loss', -1)
        """
        normalized = self._normalized.get(name)
        if normalized is None:
            normalized = self._normalized[name] = normalize(name, self._vocabulary)
        return normalized

    def canonical(self, name: str) -> str:
        """Return the registered name of a metric called `name`, or `name` as written if there is none.

        The first k, or an average, of a registered metric has a name of its own, spelled in one way.

        >>> [MetricRegistry().canonical(name) for name in ("F1", "NDCG@10", "val/macro-F1", "my-kpi")]
        ['f1_score', 'ndcg_at_10', 'f1_score_macro', 'my-kpi']
        """
        return self.normalize(name).metric

    def stored_name(self, name: str) -> str:
        """Return the canonical name if `name` says nothing more than the metric, else `name` as written.

        What a name says of split, sign and segment must not be lost: the reader understands it where it is stored.

        >>> [MetricRegistry().stored_name(name) for name in ("F1", "train_f1", "neg_log_loss")]
        ['f1_score', 'train_f1', 'neg_log_loss']
        """
        normalized = self.normalize(name)
        return normalized.metric if normalized.is_plain else name

    def get(self, name: str) -> Metric:
        """Return the metric of that name or alias; one that is not registered has neither direction nor bounds."""
        normalized = self.normalize(name)
        metric = self._cache.get(normalized.metric)
        if metric is None:
            metric = _METRICS.get(normalized.metric) or self._derived(normalized)
            self._cache[normalized.metric] = metric
        return metric

    def as_written(self, name: str) -> Metric:
        """Return the metric of a name with the bounds of the values as written: negated by `neg_log_loss`."""
        metric = self.get(name)
        if self.normalize(name).sign > 0:
            return metric
        low, high = metric.bounds
        return replace(metric, bounds=(None if high is None else -high, None if low is None else -low))

    def resembles(self, name: str) -> str | None:
        """Return the registered metric that an unknown name ends with; None if there is none.

        >>> MetricRegistry().resembles("fraud_recall"), MetricRegistry().resembles("my_kpi")
        ('recall', None)
        """
        return resembles(name, self._vocabulary)

    def _derived(self, normalized: NormalizedName) -> Metric:
        """Derive the first k, or an average, from its base; anything else is unknown."""
        name = normalized.metric
        if normalized.base is None:
            return Metric(name, two_sided=not is_quantity(name), is_direction_known=False)
        base = self.get(normalized.base)
        if base.support == "rows" and "_at_" in name:
            return replace(base, name=name, aliases=(), title="")
        # A mean over queries or classes is no share of one count.
        return replace(base, name=name, aliases=(), title="", support=None, proportion=False)
