"""The run of one log: from cells to metrics, to the computed history of each model, and a summary."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import UsageError
from modeltop.core.series import Floats, Times
from modeltop.core.text import sanitize
from modeltop.history.future_rows import is_contiguous, margin_of
from modeltop.history.store.computed import StagedRun
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.history.store.windowing import Windowing
from modeltop.predictions.aggregates.base import Aggregate, AggregateT, CellBatch
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.completeness import ALL, PeriodEnds, PeriodFlags, period_flags
from modeltop.predictions.distributions import DistributionBuffer
from modeltop.predictions.metrics import cbpe, drift, multiclass
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, metric_values
from modeltop.predictions.metrics.binary import Cost
from modeltop.predictions.metrics.compute import compute_metrics
from modeltop.predictions.metrics.drift import LABEL, PREDICTION, SCORE
from modeltop.predictions.metrics.ranking import Areas
from modeltop.predictions.overlap import overlap
from modeltop.predictions.summary import RunSummary

CLASS, FEATURE = "class", "feature"
"""Left sides of the segments of one class, and of one column."""
OWN_COLUMNS = (f"{FEATURE}={SCORE}", f"{FEATURE}={PREDICTION}", f"{FEATURE}={LABEL}")
"""Segments of the model's own columns, whose drift is computed from the aggregates of the rows."""
DRIFTED_SHARE = "drifted_share"
MAX_CELLS = 256
"""Cells whose metrics are computed at a time: that needs several times the memory of the cells."""
COLUMN_FIELDS = {"": "value", "_count": "support", "_low": "low", "_high": "high"}
"""Field of `MetricValues` by the suffix of its column."""


@dataclass(slots=True)
class ReferenceStats:
    """Results from the rows of each model's reference: the calibration of its scores, and their distribution."""

    label_probabilities: dict[tuple[str, str], Floats] = field(default_factory=dict)
    """Probability of a positive label by bin of the score, by model and segment: see `cbpe.calibrate`."""
    aggregates: dict[str, Aggregate] = field(default_factory=dict)
    """One cell of all rows, by model."""

    @classmethod
    def from_batches(cls, batches: Iterable[CellBatch[Aggregate]]) -> ReferenceStats:
        """Return the statistics of the cells of the reference, one a model and segment."""
        stats = cls()
        for cells in batches:
            keys = list(zip(cells.model.tolist(), cells.segment.tolist(), strict=True))
            if has_estimates(cells.aggregate):
                stats.label_probabilities |= dict(zip(keys, cbpe.calibrate(cells.aggregate), strict=True))
            for index, (model, segment) in enumerate(keys):
                if segment == ALL:
                    stats.aggregates[model] = cells.aggregate.take(slice(index, index + 1))
        return stats

    def compute_estimates(self, cells: CellBatch[Aggregate]) -> dict[str, MetricValues]:
        """Compute the estimated metrics of a batch; none of models without scores."""
        counts = cells.aggregate
        if not self.label_probabilities or not has_estimates(counts):
            return {}
        return cbpe.compute_cbpe(counts, self._probabilities(cells))

    def compute_class_estimates(self, cells: CellBatch[Aggregate]) -> dict[str, dict[str, MetricValues]]:
        """Compute the estimated metrics of each class, by its name; none of models without a score for each."""
        counts = cells.aggregate
        if not self.label_probabilities or not has_estimates(counts) or not isinstance(counts, MulticlassCounts):
            return {}
        return cbpe.compute_cbpe_per_class(counts, self._probabilities(cells))

    def _probabilities(self, cells: CellBatch[Aggregate]) -> Floats:
        unknown = np.full_like(next(iter(self.label_probabilities.values())), np.nan)
        keys = zip(cells.model.tolist(), cells.segment.tolist(), strict=True)
        return np.stack([self.label_probabilities.get(key, unknown) for key in keys])

    def drift_columns(self, model: str, aggregate: Aggregate) -> Iterator[FeatureCounts]:
        """Yield the model's own score and prediction as features; nothing without a reference."""
        reference = self.aggregates.get(model)
        if isinstance(aggregate, BinaryCounts) and isinstance(reference, BinaryCounts):
            if reference.score.any():
                yield drift.score_column(aggregate, reference)
            yield drift.prediction_column(aggregate, reference)
        elif isinstance(aggregate, MulticlassCounts) and isinstance(reference, MulticlassCounts):
            yield drift.prediction_column(aggregate, reference)
            if reference.confusion[:, :-1].any():
                yield drift.label_column(aggregate, reference)


@dataclass(slots=True)
class ModelRun:
    """The run of one log; in memory are the periods of one model and the counts of the summary."""

    staged: StagedRun
    ends: PeriodEnds
    now: np.datetime64
    windowing: Windowing
    log_span: tuple[np.datetime64, np.datetime64] | None = None
    """First and last row of the log; None: without times."""
    overwrites: bool = False
    """Whether stored periods are replaced by ones with fewer rows."""
    is_backtest: bool = False
    delay: np.timedelta64 | None = None
    cost: Cost | None = None
    per_class: bool = False
    segment_columns: tuple[str, ...] = (ALL,)
    """The segments that `add_batches` covers: `all`, and the left sides of its segments."""
    prediction_feature: str | None = None
    """The column of predicted numbers that is aggregated like a feature; None if predictions are classes."""
    reference: ReferenceStats = field(default_factory=ReferenceStats)
    areas: Areas = field(default_factory=dict)
    summary: RunSummary = field(default_factory=RunSummary)
    periods: dict[str, PeriodFlags] = field(default_factory=dict)
    """Flags of the models that are staged."""
    limits: dict[str, np.datetime64] = field(default_factory=dict)
    """Newest start that is not in the future, by model."""
    windowings: dict[str, Windowing] = field(default_factory=dict)
    written: dict[str, Times] = field(default_factory=dict)
    """Periods that are staged, by model."""
    distributions: DistributionBuffer = field(default_factory=DistributionBuffer)

    def add_batches(self, batches: Iterable[CellBatch[Aggregate]]) -> None:
        """Compute and stage the metrics of cells, which are ordered by model."""
        for _, histories in itertools.groupby(self._histories(batches), key=lambda history: history.model):
            self._stage(concat_histories(list(histories)))

    def _histories(self, batches: Iterable[CellBatch[Aggregate]]) -> Iterator[ComputedHistory]:
        for cells in _split_batches(batches):
            areas = self._areas(cells) if self.areas else None
            metrics = compute_metrics(cells.aggregate, cost=self.cost, areas=areas)
            metrics |= self.reference.compute_estimates(cells)
            rows = _row_counts(cells.aggregate)
            self.summary.add_batch(cells.segment, metrics)
            overall = cells if (cells.segment == ALL).all() else _select(cells, np.flatnonzero(cells.segment == ALL))
            history = make_history("", cells.period, cells.segment, rows, metrics)
            for model in dict.fromkeys(cells.model.tolist()):
                yield replace(history.select(cells.model == model), model=model)
                index = np.flatnonzero(overall.model == model)
                own = _select(overall, slice(index[0], index[-1] + 1) if len(index) else slice(0, 0))
                yield from self._extra_segments(own)
                # After the yield, by which the model before it is staged.
                self.distributions.add(own)

    def _areas(self, cells: CellBatch[Aggregate]) -> Floats:
        keys = zip(cells.model.tolist(), cells.period.astype(np.int64).tolist(), cells.segment.tolist(), strict=True)
        return np.array([self.areas.get(key, (np.nan, np.nan)) for key in keys]).T

    def _extra_segments(self, cells: CellBatch[Aggregate]) -> Iterator[ComputedHistory]:
        """Yield segments that are no groups of rows: classes, and the model's own score and prediction."""
        if not len(cells):
            return
        model, rows = str(cells.model[0]), _row_counts(cells.aggregate)
        if self.per_class and isinstance(cells.aggregate, MulticlassCounts):
            estimates = self.reference.compute_class_estimates(cells)
            for name, metrics in multiclass.compute_per_class(cells.aggregate).items():
                yield make_history(model, cells.period, f"{CLASS}={name}", rows, metrics | estimates.get(name, {}))
        for counts in self.reference.drift_columns(model, cells.aggregate):
            segment = f"{FEATURE}={counts.reference.name}"
            yield make_history(model, cells.period, segment, rows, drift.compute_drift(counts))

    def _stage(self, history: ComputedHistory) -> None:
        times = np.unique(history.times)
        limit = self.now + margin_of(times, self.now)
        end = int(np.searchsorted(times, limit, "right"))
        if end < len(times) and not self.is_backtest and is_contiguous(times, end):
            limit = self.summary.newest_future = times[-1]  # the clock must be wrong: no period is lost by it
        self.limits[history.model] = limit
        is_future = history.times > limit
        if is_future.any():
            self.summary.add_future(history.select(is_future))
            history = history.select(~is_future)
        if len(history):
            history = self._stage_past(history)
        windowing = self.windowings.get(history.model, self.windowing)
        self.distributions.finish_model(history, self.reference.aggregates.get(history.model), windowing)

    def _stage_past(self, history: ComputedHistory) -> ComputedHistory:
        """Stage periods that are not in the future; return those that count beside what is stored."""
        model, staged = history.model, self.staged
        stored, old = staged.previous(model), staged.windowing(model)
        if old is not None and staged.is_staged(model) and not self.windowing.is_compatible(old):
            raise UsageError(
                f"two logs have {sanitize(model, 60)}, by {sanitize(old, 120)} and by {sanitize(self.windowing, 120)}: "
                "give one of them another model name"
            )
        reference = self.reference.aggregates.get(model)
        rows = 0 if reference is None else round(_row_counts(reference).sum())
        windowing = replace(self.windowing, reference_rows=rows)
        merge = overlap(stored, old, history, windowing, log_span=self.log_span, overwrites=self.overwrites)
        for note, times in merge.notes:
            self.summary.stored.setdefault(note, []).append(times)
        self.windowings[model] = merge.windowing
        self.written[model] = np.unique(merge.new.times)
        if len(merge.new):
            staged.stage(merge.new, self.segment_columns, base=merge.base, finish=self._finish)
        self.summary.add_model(self.periods[model].apply(history) if model in self.periods else history)
        return merge.new

    def _finish(self, history: ComputedHistory) -> ComputedHistory:
        """Return all stored periods of a model with their flags: labels of one say how long others waited."""
        flags = self.periods[history.model] = period_flags(history, self.ends, now=self.now, delay=self.delay)
        known = history.times <= self.limits[history.model]
        flagged = flags.apply(history)
        return replace(
            history,
            provisional=np.where(known, flagged.provisional, history.provisional),
            incomplete=np.where(known, flagged.incomplete, history.incomplete),
        )

    def add_features(self, batches: Iterable[CellBatch[FeatureCounts]]) -> None:
        """Compute and stage the drift of features, each a segment `feature=NAME`, of models that are staged.

        Args:
            batches: Cells of one model and feature each, ordered by model.
        """
        batches = (self._written_cells(cells) for cells in batches if len(cells))
        batches = (cells for cells in batches if len(cells))
        for model, features in itertools.groupby(batches, key=lambda cells: str(cells.model[0])):
            history = self._feature_history(model, features)
            own = OWN_COLUMNS if self.prediction_feature is None else ()
            self.staged.stage(self.periods[model].apply(history), (FEATURE,), own, times=self.written[model])

    def _written_cells(self, cells: CellBatch[FeatureCounts]) -> CellBatch[FeatureCounts]:
        """Return the cells of one model whose periods are staged."""
        times = self.written.get(str(cells.model[0]), cells.period[:0])
        return _select(cells, np.flatnonzero(np.isin(cells.period, times)))

    def _feature_history(self, model: str, features: Iterable[CellBatch[FeatureCounts]]) -> ComputedHistory:
        histories: list[ComputedHistory] = []
        effects: list[tuple[ComputedHistory, MetricValues]] = []
        for cells in features:
            counts = cells.aggregate
            drifts = drift.compute_drift(counts)
            is_own = counts.reference.name == self.prediction_feature
            name = PREDICTION if is_own else counts.reference.name
            metrics = drifts if is_own else drifts | drift.compute_quality(counts)
            rows = counts.count.sum(axis=1).astype(np.float64)
            histories.append(make_history(model, cells.period, f"{FEATURE}={name}", rows, metrics))
            if not is_own:
                effects.append((histories[-1], drift.effect_size(drifts)))
                self.distributions.add_feature(model, cells.period, counts)
        return concat_histories([*histories, *([_drifted_share(effects)] if effects else [])])


def make_history(
    model: str,
    times: Times,
    segments: NDArray[np.object_] | str,
    rows: Floats,
    metrics: Mapping[str, MetricValues],
) -> ComputedHistory:
    """Return metrics as the history of a model, all of whose periods are complete so far.

    Args:
        model: Its name.
        times: Starts of the periods, UTC.
        segments: One name an entry, or one for all.
        rows: Rows of each entry.
        metrics: Metrics by name, one value an entry; support and interval of an undefined value are undefined.
    """
    columns = {
        name + suffix: np.where(np.isnan(metric.value), np.nan, getattr(metric, attribute))
        for name, metric in metrics.items()
        for suffix, attribute in COLUMN_FIELDS.items()
    }
    if isinstance(segments, str):
        segments = np.full(len(times), segments, dtype=object)
    complete = np.zeros(len(times), dtype=np.bool_)
    return ComputedHistory(model, times, segments, rows, complete, complete, columns)


def concat_histories(histories: Sequence[ComputedHistory]) -> ComputedHistory:
    """Return histories of one model as one; NaN if one lacks a column that another has."""
    if len(histories) == 1:
        return histories[0]
    names = dict.fromkeys(name for history in histories for name in history.columns)
    fields = ("times", "segments", "rows", "provisional", "incomplete")
    arrays = {name: np.concatenate([getattr(history, name) for history in histories]) for name in fields}
    columns = {
        name: np.concatenate([history.columns.get(name, np.full(len(history), np.nan)) for history in histories])
        for name in names
    }
    return ComputedHistory(histories[0].model, columns=columns, **arrays)


def _drifted_share(effects: Sequence[tuple[ComputedHistory, MetricValues]]) -> ComputedHistory:
    """Return the proportion of drifted features by period, as a metric of all rows."""
    times = np.unique(np.concatenate([history.times for history, _ in effects]))
    aligned: list[MetricValues] = []
    rows = np.zeros(len(times))
    for history, effect in effects:
        index = np.searchsorted(times, history.times)
        aligned.append(_align_periods(effect, index, len(times)))
        rows[index] = np.maximum(rows[index], history.rows)
    return make_history(effects[0][0].model, times, ALL, rows, {DRIFTED_SHARE: drift.drifted_share(aligned)})


def _align_periods(effect: MetricValues, index: NDArray[np.intp], size: int) -> MetricValues:
    """Return the effect over all periods of the model; undefined if the feature has no rows."""
    value, support = np.full(size, np.nan), np.zeros(size)
    value[index], support[index] = effect.value, effect.support
    reason = np.full(size, UndefinedReason.NO_ROWS, dtype=np.int8)
    reason[index] = effect.undefined_reason
    return metric_values(value, support, reason=reason)


def has_estimates(aggregate: Aggregate) -> TypeGuard[BinaryCounts | MulticlassCounts]:
    """Return whether the aggregate has the scores from which metrics are estimated without labels."""
    if isinstance(aggregate, MulticlassCounts):
        return aggregate.ranked is not None
    return isinstance(aggregate, BinaryCounts) and bool(aggregate.score.any())


def _row_counts(aggregate: Aggregate) -> Floats:
    """Return the rows of each cell, labeled or not."""
    match aggregate:
        case BinaryCounts():
            rows = aggregate.count.sum(axis=(1, 2, 3))
        case MulticlassCounts():
            rows = aggregate.confusion.sum(axis=(1, 2))
        case RegressionSums():
            rows = aggregate.count + aggregate.unlabelled
        case _:
            raise TypeError(f"a {type(aggregate).__name__} has no rows of its own")
    return np.asarray(rows, dtype=np.float64)


def _split_batches(batches: Iterable[CellBatch[Aggregate]]) -> Iterator[CellBatch[Aggregate]]:
    for cells in batches:
        for start in range(0, len(cells), MAX_CELLS):
            yield _select(cells, slice(start, start + MAX_CELLS))


def _select(cells: CellBatch[AggregateT], rows: NDArray[np.intp] | slice) -> CellBatch[AggregateT]:
    return CellBatch(cells.model[rows], cells.period[rows], cells.segment[rows], cells.aggregate.take(rows))
