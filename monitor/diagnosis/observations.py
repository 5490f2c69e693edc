"""Everything that is measured about a change, computed once; every cause is arithmetic on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from modeltop.core.diagnosis import (
    ROW_COUNT,
    BeforeAfter,
    ExpectedVsRealized,
    Pattern,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.incident import Incident, Note
from modeltop.core.metrics.registry import LABEL_COVERAGE, Metric
from modeltop.core.series import (
    Alert,
    ConcernKind,
    Condition,
    Direction,
    Series,
    segment_column,
    to_datetime,
    to_datetime64,
)
from modeltop.core.stats.spacing import period_unit, typical_period
from modeltop.diagnosis.before_after import (
    MIN_BEFORE,
    BeforeAfterWindows,
    compare,
    earlier_alerts,
    notes_about,
    onset_of,
    windows_around,
)
from modeltop.diagnosis.context import ALL, CONFIDENCE, ModelContext
from modeltop.diagnosis.feature_drift import FeatureShifts, feature_shifts
from modeltop.diagnosis.segments import Segmentation, decompose
from modeltop.diagnosis.timeseries.forecast import declines_from_first
from modeltop.diagnosis.timeseries.pattern import DECLINES
from modeltop.diagnosis.value_faults import ValueFault, lost_values, value_faults

ESTIMATED = "estimated_"
"""Prefix of metrics that are estimated without labels."""
MIN_OVERNIGHT_CONFIDENCE = 0.8
"""Confidence of a sudden pattern from which it is evidence."""
MAX_OVERNIGHT_PERIOD = timedelta(days=7)
"""Longest step between periods at which a change counts as sudden: within a month a slow one may hide."""
DRIFTED_SHARE = "drifted_share"
"""Share of the features whose distance is past a limit, whatever the number of rows."""
NOT_ADDITIVE = ("expected_calibration_error", "maximum_calibration_error", "rmse", "r2")
"""Metrics that rest on rows, but are no mean over them: contributions of segments do not add up to their change."""
MIN_NEW_SHARE = 0.02
"""Ratio of all rows from which a new segment matters."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The observations about one change of one model; every cause is computed from them."""

    context: ModelContext
    series: Series | None
    """The series that the diagnosis explains; None if the model has no series, or nothing happened to one."""
    pattern: SeriesPattern | None
    other_patterns: Sequence[SeriesPattern] = ()
    """Of the model's other metrics, those that are not steady."""
    no_data_alert: Alert | None = None
    """Alert that no data comes."""
    windows: BeforeAfterWindows | None = None
    focus: BeforeAfter | None = None
    """The series before and after; None if there are too few periods before or after."""
    before_after: Mapping[str, BeforeAfter] = field(default_factory=dict)
    """Over all rows, by metric; the number of rows itself is `rows`."""
    feature_shifts: FeatureShifts = field(default_factory=FeatureShifts)
    faults: Sequence[ValueFault] = ()
    """Faults of the values of features, lost ones first, worst first."""
    segmentations: Sequence[Segmentation] = ()
    pairs: Sequence[ExpectedVsRealized] = ()
    notes: Sequence[Note] = ()
    new_segments: Sequence[str] = ()
    """Segments that were not there before: foreign text."""
    labels_since_change: int | None = None
    """Labeled rows since the onset; None where unknown."""

    @property
    def metric(self) -> Metric:
        """The metric of the series; a neutral one without a series."""
        if self.series is not None and self.series.key.metric == ROW_COUNT:
            return Metric(ROW_COUNT, digits=0)
        return self.context.catalog.get(self.series.key.metric) if self.series else Metric("")

    @property
    def is_sudden(self) -> bool:
        """Whether the change happened from one period to the next."""
        return self.pattern is not None and self.pattern.pattern in (Pattern.DROP, Pattern.SPIKE)

    @property
    def is_overnight(self) -> bool:
        """Whether the change certainly happened from one period to the next, and periods are short."""
        pattern, series = self.pattern, self.series
        if not self.is_sudden or pattern is None or series is None:
            return False
        if pattern.confidence < MIN_OVERNIGHT_CONFIDENCE or pattern.duration > 1:
            return False
        return typical_period(series) <= MAX_OVERNIGHT_PERIOD

    @property
    def overnight(self) -> str:
        """How a sudden change came: `overnight`, or of shorter and longer periods `suddenly`."""
        return "overnight" if self.series is None or period_unit(self.series) == "day" else "suddenly"

    @property
    def is_within_noise(self) -> bool:
        """Whether the difference is no more than chance makes."""
        return self.focus is not None and not self.focus.is_significant

    @property
    def starts_with_change(self) -> bool:
        """Whether the change started with the history, so that nothing was before it."""
        if self.series is None or self.windows is None:
            return False
        return int((self.series.evaluable() & (self.series.times < self.windows.onset)).sum()) < MIN_BEFORE

    @property
    def is_declining(self) -> bool:
        """Whether the rules find that the series declines, inside its limits."""
        concerns = (each.key for each in self.context.concerns if each.kind is ConcernKind.DECLINING)
        return self.series is not None and self.series.key in concerns

    @property
    def is_over(self) -> bool:
        """Whether the change has passed: a resolved incident, or a spike that other periods followed, without alert."""
        if self.context.incident is not None:
            return self.context.incident.resolved_at is not None
        pattern, series, windows = self.pattern, self.series, self.windows
        if pattern is None or pattern.pattern is not Pattern.SPIKE or series is None or windows is None:
            return False
        is_alerting = any(alert.is_active and alert.key == series.key for alert in self.context.alerts)
        return not is_alerting and windows.end is not None and bool(series.times[-1] > windows.end)

    @property
    def periods_since_onset(self) -> int:
        """Number of evaluable periods since the onset."""
        if self.series is None or self.windows is None:
            return 0
        return int((self.series.evaluable() & (self.series.times >= self.windows.onset)).sum())

    @property
    def contributions(self) -> tuple[SegmentContribution, ...]:
        """Contributions to the change, of all segmentations."""
        return tuple(contribution for segmentation in self.segmentations for contribution in segmentation.contributions)

    def shown(self, change: BeforeAfter) -> BeforeAfter:
        """Return a change as a person is shown it: one size on every surface.

        Before is the baseline of the incident, and after its mean; of a decline the newest value, and of one from the
        first period on also the first. Causes are weighed by the levels of `compare`, which one value cannot move.
        """
        is_focus = self.focus is not None and change.key == self.focus.key
        series = self.series if is_focus else self.context.overall_series().get(change.key.metric)
        if series is None or series.key != change.key or self.windows is None:
            return change
        is_decline = self.pattern is not None and self.pattern.pattern is Pattern.DECLINE
        values = series.values[series.evaluable()]
        if self.starts_with_change and is_decline:
            support = series.latest_support
            shown = replace(change, low=None, high=None, periods=1, cases=support)
            return _moved(shown, float(values[0]), float(values[-1]))
        newest = compare(series, self.windows.newest_of(series)) if is_decline and not self.context.is_past else None
        if newest is not None:
            change = replace(newest, after=float(values[-1]), z=change.z, periods=change.periods)
        incident, before = self._explained_incident, None
        if incident is not None:
            before = incident.level_before(series)
        after = incident.after if incident is not None and is_focus and newest is None else None
        return _moved(change, change.before if before is None else before, change.after if after is None else after)

    @property
    def _explained_incident(self) -> Incident | None:
        """The incident, if the change is the one that it started with."""
        incident, windows = self.context.incident, self.windows
        is_same = incident is not None and windows is not None and to_datetime(windows.onset) == incident.started_at
        return incident if is_same else None

    def loss(self, change: BeforeAfter | None) -> float:
        """Return how much worse a metric got, in its unit; without a direction, how much it fell."""
        if change is None:
            return 0.0
        is_lower_better = self.context.catalog.get(change.key.metric).better is Direction.LOWER
        return change.delta if is_lower_better else -change.delta

    def got_worse(self, change: BeforeAfter | None) -> bool:
        """Return whether a metric got significantly worse."""
        return change is not None and change.is_significant and self.loss(change) > 0

    def is_near_onset(self, note: Note) -> bool:
        """Return whether a note is about the day of the onset, within one day."""
        return self.windows is not None and abs(note.at - to_datetime(self.windows.onset)) <= timedelta(days=1)


def _moved(change: BeforeAfter, before: float, after: float) -> BeforeAfter:
    """Return a change with these levels, and the interval around their difference."""
    by = after - before - change.delta
    low, high = (None if bound is None else bound + by for bound in (change.low, change.high))
    return replace(change, before=before, after=after, delta=after - before, low=low, high=high)


def observe_change(
    context: ModelContext,
    series: Series | None,
    pattern: SeriesPattern | None,
    other_patterns: Sequence[SeriesPattern],
) -> Observations:
    """Measure everything about the change of a series, which has `pattern`; None if nothing happened to any."""
    absences = (
        alert
        for alert in context.alerts
        if alert.is_active and alert.condition is Condition.NO_DATA and alert.is_model_wide
    )
    no_data_alert = next(absences, None)
    started_at = None if series is None else onset_of(context, series.key, pattern)
    if series is None or started_at is None:
        return Observations(context, series, pattern, other_patterns, no_data_alert)
    if not _is_sudden(pattern) and declines_from_first(series, to_datetime64(started_at)):
        values = series.values[series.evaluable()]
        started_at, size = to_datetime(series.times[series.evaluable()][0]), float(values[-1] - values[0])
        pattern = SeriesPattern(series.key, Pattern.DECLINE, started_at, size, 1.0)
    unrelated = (Pattern.SPIKE,) if context.incident is not None else (*DECLINES, Pattern.SPIKE)
    if pattern is not None and pattern.pattern in unrelated and started_at != pattern.started_at:
        pattern = replace(pattern, pattern=Pattern.STEADY)  # the alert is about something else
    if pattern is not None and pattern.pattern in (*DECLINES, Pattern.RECOVERING):
        pattern = replace(pattern, started_at=started_at)  # that of the incident
    windows = replace(windows_around(series, started_at, pattern), excluded=earlier_alerts(context, started_at))
    overall = context.overall_series()
    row_counts = _row_counts(overall.values())
    compared = {name: compare(metric_series, windows) for name, metric_series in overall.items()}
    compared[ROW_COUNT] = None if row_counts is None else compare(row_counts, windows)
    changes = {name: change for name, change in compared.items() if change is not None}
    shifts = feature_shifts(context.series, windows)
    if shifts.feature_count and not shifts.shifted and series.key.metric != DRIFTED_SHARE:
        changes.pop(DRIFTED_SHARE, None)  # it counts distances that few rows explain
    histograms = list(filter(None, (context.distributions.histograms.get(shift.feature) for shift in shifts.sound)))
    faults = (*map(lost_values, shifts.broken), *value_faults(histograms, started_at, context.now))
    faulty = {feature for fault in faults for feature in fault.features}
    return Observations(
        context,
        series,
        pattern,
        other_patterns,
        no_data_alert,
        windows=windows,
        focus=changes.get(series.key.metric) if series.key.segment == ALL else compare(series, windows),
        before_after=changes,
        feature_shifts=replace(shifts, sound=tuple(shift for shift in shifts.sound if shift.feature not in faulty)),
        faults=faults,
        segmentations=_segmentations(context, series, windows),
        pairs=tuple(_pairs(changes, series.key.metric)),
        notes=notes_about(context, series, windows),
        new_segments=tuple(_new_segments(context, row_counts, windows)),
        labels_since_change=labels_since(context, started_at),
    )


def _is_sudden(pattern: SeriesPattern | None) -> bool:
    return pattern is not None and pattern.pattern is Pattern.DROP and pattern.confidence >= MIN_OVERNIGHT_CONFIDENCE


def _row_counts(overall: Iterable[Series]) -> Series | None:
    """Return the number of rows per period as a series of its own."""
    longest = max((series for series in overall if series.rows is not None), key=len, default=None)
    if longest is None or longest.rows is None:
        return None
    finite = np.isfinite(longest.rows)
    key = longest.key._replace(metric=ROW_COUNT)
    return Series(key, Direction.NEITHER, longest.times[finite], longest.rows[finite], digits=0)


def _segmentations(context: ModelContext, series: Series, windows: BeforeAfterWindows) -> tuple[Segmentation, ...]:
    """Decompose the metric itself if it is a mean over a known number of cases, else accuracy or the mean error."""
    if series.key.segment != ALL and segment_column(series.key.segment) is None:
        return ()
    for name in dict.fromkeys((series.key.metric, "accuracy", "mae")):
        metric = context.catalog.get(name)
        if metric.name not in NOT_ADDITIVE and (metric.proportion or metric.support == ROW_COUNT):
            segmentations = decompose((other for other in context.series if other.key.metric == name), windows)
            if segmentations:
                return segmentations
    return ()


def _pairs(changes: Mapping[str, BeforeAfter], metric: str) -> Iterable[ExpectedVsRealized]:
    names = {ESTIMATED + metric: metric, ESTIMATED + "accuracy": "accuracy", CONFIDENCE: "accuracy"}
    for expected, realized in names.items():
        if expected in changes and realized in changes:
            yield ExpectedVsRealized(changes[expected], changes[realized])


def _new_segments(context: ModelContext, row_counts: Series | None, windows: BeforeAfterWindows) -> Iterable[str]:
    """Yield the segments whose first period is not before the onset, and that are not too small."""
    if row_counts is None or len(windows.before_indices(row_counts)) < 3:
        return
    total = float(row_counts.values[windows.after_indices(row_counts)].sum())
    segments = []
    for series in context.series:
        if segment_column(series.key.segment) is None or not len(series) or series.rows is None:
            continue
        rows = float(np.nansum(series.rows[windows.after_indices(series)]))
        if series.times[0] >= windows.onset and total and rows / total >= MIN_NEW_SHARE:
            segments.append(series.key.segment)
    yield from dict.fromkeys(segments)


def labels_since(context: ModelContext, started_at: datetime) -> int | None:
    """Count the labeled rows since the onset by the label coverage, else by the cases of accuracy."""
    overall, onset = context.overall_series(), to_datetime64(started_at)
    coverage, accuracy = overall.get(LABEL_COVERAGE), overall.get("accuracy")
    if coverage is not None and coverage.rows is not None:
        mask = coverage.times >= onset
        return int(np.nansum(coverage.values[mask] * coverage.rows[mask]))
    if accuracy is None or accuracy.support is None:
        return None
    return int(np.nansum(accuracy.support[accuracy.times >= onset]))
