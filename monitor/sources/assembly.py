"""Blocks of all files as one history; what did not change is not made anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from monitor.metrics.base import Catalog
from monitor.records import History, Problem, Series, SeriesKey
from monitor.sources.base import Block
from monitor.sources.merge import all_periods, merge

if TYPE_CHECKING:
    from monitor.records import Times


class Assembly:
    """Makes histories, and remembers from which blocks each part was made.

    Args:
        catalog: Gives the direction of each metric.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._merged: dict[tuple[str, str], tuple[tuple[Block, ...], list[Series]]] = {}
        self._periods: dict[str, tuple[tuple[Block, ...], Times]] = {}
        self._last: tuple[tuple[Block, ...], History] | None = None

    def history(self, blocks: Iterable[Block], problems: Sequence[Problem]) -> History:
        """The history of `blocks`, in the order in which they count."""
        given = tuple(blocks)
        if self._last and _same(given, self._last[0]):
            if tuple(problems) == self._last[1].problems:
                return self._last[1]
            history = History(self._last[1].series, self._last[1].periods, tuple(problems))
        else:
            history = self._made(given, tuple(problems))
        self._last = given, history
        return history

    def _made(self, blocks: tuple[Block, ...], problems: tuple[Problem, ...]) -> History:
        models: dict[str, dict[str, list[Block]]] = defaultdict(lambda: defaultdict(list))
        for block in blocks:
            models[block.model][block.segment].append(block)
        merged, periods, series = self._merged, self._periods, dict[SeriesKey, Series]()
        self._merged, self._periods = {}, {}
        for model, segments in models.items():
            found: list[Series] = []
            for segment, group in segments.items():
                key, parts = (model, segment), tuple(group)
                kept = merged.get(key)
                self._merged[key] = kept if kept and _same(kept[0], parts) else (parts, merge(parts, self.catalog))
                found += self._merged[key][1]
            series.update((one.key, one) for one in _by_metric(found))
            every = tuple(block for group in segments.values() for block in group)
            times = periods.get(model)
            self._periods[model] = times if times and _same(times[0], every) else (every, all_periods(every))
        return History(series, {model: times for model, (_, times) in self._periods.items()}, problems)


def _same(one: Sequence[Block], other: Sequence[Block]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _by_metric(series: Sequence[Series]) -> list[Series]:
    """Metrics in the order in which they were first met, each with its segments."""
    first = {metric: place for place, metric in enumerate(dict.fromkeys(one.key.metric for one in series))}
    return sorted(series, key=lambda one: first[one.key.metric])
