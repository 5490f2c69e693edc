"""What a run tells the person who asked for it: what was read, what could not be computed and why, what was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.estimated import CAVEAT
from modeltop.core.series import to_datetime
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.history.store.computed import CommitResult
from modeltop.predictions.collect import ALL, PeriodFlags
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats
    from modeltop.history.store.computed_format import ComputedHistory

MAX_NAMED = 8
"""Models, or reasons, that are named one by one."""
EXPECTED_REASONS = (
    UndefinedReason.DEFINED,
    UndefinedReason.NO_ROWS,
    UndefinedReason.NO_LABELS,
    UndefinedReason.NO_REFERENCE,
)
"""Reasons that the number of unlabelled rows has said, or that hold for a whole run."""


@dataclass(slots=True)
class RunSummary:
    """Counts of one log's run, as it goes."""

    rows: float = 0.0
    labelled: float = 0.0
    has_labels: bool = False
    periods: int = 0
    models: list[str] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)
    awaiting_labels: int = 0
    unfinished: int = 0
    first: np.datetime64 | None = None
    newest: np.datetime64 | None = None
    undefined: Counter[tuple[str, UndefinedReason]] = field(default_factory=Counter)

    def add_batch(self, segments: NDArray[np.object_], found: Mapping[str, MetricValues], rows: Floats) -> None:
        """Count a batch."""
        whole: Flags = segments == ALL
        self.rows += float(rows[whole].sum())
        for name, one in found.items():
            for why, times in zip(*np.unique(one.undefined_reason[whole], return_counts=True), strict=True):
                if UndefinedReason(int(why)) not in EXPECTED_REASONS:
                    self.undefined[name, UndefinedReason(int(why))] += int(times)
        coverage = found.get("label_coverage")
        if coverage is not None:
            self.has_labels = True
            self.labelled += float(np.nansum(coverage.value[whole] * rows[whole]))

    def add_model(self, sheet: ComputedHistory, periods: PeriodFlags) -> None:
        """Count a model."""
        whole = sheet.segments == ALL
        self.models.append(sheet.model)
        self.metrics |= {name for name in sheet.columns if not name.endswith(("_count", "_low", "_high"))}
        times = sheet.times[whole]
        if not len(times):
            return
        self.periods += len(times)
        running, waiting = periods.for_rows(times)
        self.unfinished += int(running.sum())
        self.awaiting_labels += int((waiting & ~running).sum())
        self.first = times.min() if self.first is None else min(self.first, times.min())
        self.newest = times.max() if self.newest is None else max(self.newest, times.max())

    @property
    def newest_period(self) -> datetime | None:
        """Start of the newest period."""
        return None if self.newest is None else to_datetime(self.newest)

    def lines(self) -> Iterator[str]:
        """What was found, a sentence a line; foreign text is safe."""
        if self.first is None or self.newest is None:
            yield "no rows with a time and a prediction were found: nothing was computed"
            return
        whose = sanitize(self.models[0], 60) if len(self.models) == 1 else pluralize(len(self.models), "model")
        span = f"{format_period(to_datetime(self.first))} to {format_period(to_datetime(self.newest))}"
        yield f"{pluralize(self.periods, 'period')} of {whose}, {span}, from {self.rows:,.0f} rows"
        missing = self.rows - self.labelled
        if self.has_labels and missing >= 0.5:
            share = _percent(missing / self.rows)
            yield f"{missing:,.0f} of {self.rows:,.0f} rows ({share}) have no label that can be used"
        if self.awaiting_labels:
            yield f"labels are still to come for {pluralize(self.awaiting_labels, 'period')}: what rests on them is provisional"
        if self.unfinished:
            yield f"{pluralize(self.unfinished, 'period')} not over yet: provisional"
        if any(name.startswith("estimated_") for name in self.metrics):
            yield f"each estimated metric is {CAVEAT}"
        yield from self._undefined()

    def _undefined(self) -> Iterator[str]:
        reasons: dict[UndefinedReason, list[str]] = {}
        most: Counter[UndefinedReason] = Counter()
        for (name, why), times in self.undefined.items():
            reasons.setdefault(why, []).append(name)
            most[why] = max(most[why], times)
        for why, names in list(reasons.items())[:MAX_NAMED]:
            listed = ", ".join(names[:MAX_NAMED]) + (" and others" if len(names) > MAX_NAMED else "")
            yield f"undefined in {pluralize(most[why], 'period')}: {listed}: {why.text}"


def _percent(share: float) -> str:
    """At least one digit that says something.

    >>> _percent(0.25), _percent(0.00028)
    ('25 %', '0.028 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def describe_commit(changed: CommitResult, folder: Path) -> str:
    """What was written where."""
    if not changed.models and not changed.distributions:
        return f"nothing has changed: nothing was written in {sanitize(folder)}"
    evidence = (
        f", evidence of {changed.distributions} in {sanitize(folder / 'evidence')}" if changed.distributions else ""
    )
    return f"wrote the periods of {pluralize(changed.models, 'model')} in {sanitize(folder)}{evidence}"
