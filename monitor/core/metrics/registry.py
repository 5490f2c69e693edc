"""The metric, and the registry of all metrics.

A metric alone knows which way it improves, its bounds, its support and how it is printed; there is no list of
"higher is better" anywhere else. To add one, call `register` in the file of its family; a new family is one file and
its name in `FAMILIES`. The families are imported by name at the first use of the registry, so that they may import this
file and need no import elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module

from modeltop.core.series import Direction

_CUT = re.compile(r"(?P<base>.+?)_?(?:@|_at_)_?(?P<k>\d+)|top_?(?P<top>\d+)_(?P<of>.+)")
_AVERAGE = re.compile(r"(?P<base>.+)_(?P<last>macro|micro|weighted)|(?P<first>macro|micro|weighted)_(?P<of>.+)")


def split_derived_name(normalized: str) -> tuple[str, str] | None:
    """Split a normalized name into its base and how it is derived; None if it is not derived from anything.

    Derived: the first k of a ranking (`at_10`), or an average over classes (`macro`, `micro`, `weighted`).

    >>> split_derived_name("ndcg@10"), split_derived_name("top_5_accuracy")
    (('ndcg', 'at_10'), ('accuracy', 'at_5'))
    >>> split_derived_name("macro_f1"), split_derived_name("accuracy")
    (('f1', 'macro'), None)
    """
    if match := _CUT.fullmatch(normalized):
        return match["base"] or match["of"], f"at_{int(match['k'] or match['top'])}"
    if match := _AVERAGE.fullmatch(normalized):
        return match["base"] or match["of"], match["last"] or match["first"]
    return None


FAMILIES = (
    "classification",
    "ranking",
    "calibration",
    "regression",
    "estimated",
    "drift",
    "operational",
)
"""Modules of this package that register metrics, in the order in which they are listed to people."""

LABEL_COVERAGE = "label_coverage"
"""Name of the metric that shows whether labels are still to come."""
_METRICS: dict[str, Metric] = {}
_ALIASES: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of number per period: its direction, bounds, support and format."""

    name: str
    better: Direction = Direction.NEITHER
    bounds: tuple[float | None, float | None] = (None, None)
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

    def format(self, value: float) -> str:
        """Return the value as a person reads it; `n/a` for NaN.

        >>> Metric("accuracy").format(0.87), Metric("rows").format(1234567.0), Metric("psi").format(0.0004)
        ('0.870', '1234567', '0.0004')
        """
        return "n/a" if math.isnan(value) else _fixed(value, self.digits)

    def format_delta(self, delta: float) -> str:
        """Return a difference, always signed; `0` has no sign.

        >>> Metric("accuracy").format_delta(-0.09), Metric("accuracy").format_delta(0.0)
        ('-0.090', '0.000')
        """
        text = self.format(delta + 0.0)  # -0.0 + 0.0 is 0.0
        return f"+{text}" if delta > 0 else text

    def within_bounds(self, value: float) -> bool:
        """Return whether the value lies within the bounds; infinities and NaN always do."""
        if not math.isfinite(value):
            return True
        low, high = self.bounds
        return (low is None or value >= low) and (high is None or value <= high)


def _fixed(value: float, digits: int) -> str:
    """Return `digits` decimals; fewer for large values; one significant digit if all decimals would be zero."""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    size = abs(value)
    if size >= 1e15:
        return f"{value:.6g}"
    if size >= 1000:
        return f"{value:.0f}" if value == round(value) or size >= 1e5 else f"{value:.1f}"
    if value and round(size, digits) == 0:
        return f"{value:.1g}"
    return f"{value:.{digits}f}"


def register(*metrics: Metric) -> None:
    """Add metrics to the registry.

    Raises:
        ValueError: A name or an alias is in use already; that metric is not added.
    """
    for metric in metrics:
        names = {normalize_name(name): metric.name for name in (metric.name, *metric.aliases)}
        for name in names.keys() & _ALIASES.keys():
            raise ValueError(f"two metrics answer to {name!r}: {_ALIASES[name]} and {metric.name}")
        _ALIASES.update(names)
        _METRICS[metric.name] = metric


def normalize_name(name: str) -> str:
    """Return the form in which names are compared: lower case, words joined by one underscore.

    >>> normalize_name("ROC AUC"), normalize_name("F1-Score")
    ('roc_auc', 'f1_score')
    """
    return re.sub(r"[\s\-_]+", "_", name.strip().lower()).strip("_")


@cache
def _load() -> None:
    for family in FAMILIES:
        import_module(f"modeltop.core.metrics.{family}")


class MetricRegistry:
    """The metrics of one run: the registered ones, with the changes and additions of the configuration.

    Args:
        overrides: By name or alias of a metric, the fields that the configuration changes (`better`, `bounds`, ...).
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, object]] | None = None) -> None:
        _load()
        self._cache: dict[str, Metric] = {}
        self._aliases = dict(_ALIASES)
        for name, changes in (overrides or {}).items():
            metric = self.get(name)
            # mypy cannot see through a mapping of fields; the configuration has checked names and types.
            self._cache[metric.name] = replace(metric, **changes)  # type: ignore[arg-type]
            for alias in self._cache[metric.name].aliases:
                self._aliases[normalize_name(alias)] = metric.name

    def canonical(self, name: str) -> str:
        """Return the registered name of a metric called `name`, or `name` as written if there is none.

        The first k, or an average, of a registered metric has a name of its own, spelled in one way.

        >>> [MetricRegistry().canonical(name) for name in ("F1", "NDCG@10", "macro-F1", "my-kpi")]
        ['f1_score', 'ndcg_at_10', 'f1_score_macro', 'my-kpi']
        """
        normalized = normalize_name(name)
        registered = self._aliases.get(normalized)
        if registered is None and (parts := split_derived_name(normalized)) and parts[0] in self._aliases:
            registered = f"{self._aliases[parts[0]]}_{parts[1]}"
        return name if registered is None else registered

    def get(self, name: str) -> Metric:
        """Return the metric of that name or alias; one that is not registered is neutral and unbounded."""
        canonical = self.canonical(name)
        metric = self._cache.get(canonical)
        if metric is None:
            metric = self._cache[canonical] = _METRICS.get(canonical) or self._derived(canonical)
        return metric

    def _derived(self, canonical: str) -> Metric:
        """Derive the first k, or an average, from its base; anything else is neutral."""
        parts = split_derived_name(canonical)
        if parts is None or parts[0] not in self._aliases:
            return Metric(canonical)
        base = self.get(parts[0])
        if base.support == "rows" and parts[1].startswith("at_"):
            return replace(base, name=canonical, aliases=(), title="")
        # A mean over queries or classes is no share of one count.
        return replace(base, name=canonical, aliases=(), title="", support=None, proportion=False)
