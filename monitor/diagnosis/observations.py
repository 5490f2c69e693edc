"""What is known of a change, once: every cause is arithmetic on this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from modeltop.core.incident import Note
from modeltop.core.metrics.registry import LABEL_COVERAGE, Metric
from modeltop.core.series import Alert, Condition, Direction, Series, to_datetime
from modeltop.diagnosis.before_after import (
    BeforeAfterWindows,
    compare,
    notes_about,
    onset_of,
    typical_period,
    windows_around,
)
from modeltop.diagnosis.context import ModelContext
from modeltop.diagnosis.feature_drift import FeatureShifts, feature_shifts, value_anomaly
from modeltop.diagnosis.patterns import DECLINES
from modeltop.diagnosis.segments import Segmentation, decompose, segment_column

PAIRS = (("avg_confidence", "accuracy"),)
ESTIMATED = "estimated_"
MIN_CONFIDENCE = 0.8
"""How sure a course must be called sudden for that to be evidence."""
MAX_OVERNIGHT_PERIOD = timedelta(days=7)
"""The longest period of which it tells anything that all came in one."""
NOT_ADDITIVE = ("expected_calibration_error", "maximum_calibration_error", "rmse", "r2")
"""Rest on rows, but are no mean over them: what their segments show does not add up to the whole."""
MIN_NEW_SHARE = 0.02
"""Of all rows, from which a segment that was not there before is worth a word."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """One change of one model."""

    context: ModelContext
    series: Series | None
    """The one that it is about; None where the model has no series, or nothing happened to one."""
    pattern: SeriesPattern | None
    windows: BeforeAfterWindows | None
    focus: BeforeAfter | None
    """The series before and after; None where there is too little before or after."""
    before_after: Mapping[str, BeforeAfter]
    """Over all rows, by metric; the number of rows itself is `rows`."""
    feature_shifts: FeatureShifts
    value_anomalies: Sequence[str]
    """What is odd about the values of columns that moved, a clause each."""
    segmentations: Sequence[Segmentation]
    pairs: Sequence[ExpectedVsRealized]
    notes: Sequence[Note]
    """Those about the days of the begin."""
    new_segments: Sequence[str]
    """Segments that were not there before: foreign text."""
    no_data_alert: Alert | None
    """The alert that no data comes, or that a source cannot be read."""
    labels_since_change: int | None
    """Labelled rows since the begin; None where unknown."""
    other_patterns: Sequence[SeriesPattern]
    """Of the model's other metrics, those that are not steady."""

    @property
    def metric(self) -> Metric:
        """What the series is about; a neutral one without it."""
        return self.context.catalog.get(self.series.key.metric) if self.series else Metric("")

    @property
    def is_sudden(self) -> bool:
        """Whether it came from one period to the next."""
        return self.pattern is not None and self.pattern.pattern in (Pattern.DROP, Pattern.SPIKE)

    @property
    def is_overnight(self) -> bool:
        """Whether it surely came from one period to the next, and periods are short: a month may hold a slow change."""
        sure = self.is_sudden and self.pattern is not None and self.pattern.confidence >= MIN_CONFIDENCE
        return sure and self.series is not None and typical_period(self.series) <= MAX_OVERNIGHT_PERIOD

    @property
    def is_within_noise(self) -> bool:
        """Whether the difference is no more than chance makes."""
        return self.focus is not None and not self.focus.is_significant

    @property
    def is_over(self) -> bool:
        """Whether what happened is past: a spike that other periods followed, and no alert of it stands."""
        if (
            self.pattern is None
            or self.pattern.pattern is not Pattern.SPIKE
            or self.series is None
            or self.windows is None
        ):
            return False
        standing = any(one.is_active and one.key == self.series.key for one in self.context.alerts)
        return not standing and self.windows.end is not None and bool(self.series.times[-1] > self.windows.end)

    def loss(self, found: BeforeAfter | None) -> float:
        """How much worse the metric got, in its unit; 0 or less: it did not. A metric without a direction: it fell."""
        if found is None:
            return 0.0
        worse_up = self.context.catalog.get(found.key.metric).better is Direction.LOWER
        return found.delta if worse_up else -found.delta

    def is_unchanged(self, name: str) -> bool:
        """Whether the metric is known and did not get worse by more than chance."""
        found = self.before_after.get(name)
        return found is not None and (not found.is_significant or self.loss(found) <= 0)

    def pattern_of(self, name: str) -> SeriesPattern | None:
        """The course of another metric over all rows, if it is not steady."""
        return next((one for one in self.other_patterns if one.key.metric == name and one.key.segment == "all"), None)


def observe_change(
    case: ModelContext, series: Series | None, course: SeriesPattern | None, courses: Sequence[SeriesPattern]
) -> Observations:
    """Everything there is to know of the change of a series.

    Args:
        case: The model.
        series: What it is about; None: nothing happened to any.
        course: That of the series.
        courses: Of the others that are not steady.
    """
    silent = next((one for one in case.alerts if one.is_active and one.condition is not Condition.THRESHOLD), None)
    begin = None if series is None else onset_of(case, series.key, course)
    if series is None or begin is None:
        empty: Mapping[str, BeforeAfter] = {}
        return Observations(
            case, series, course, None, None, empty, FeatureShifts(), (), (), (), (), (), silent, None, courses
        )
    if course is not None and course.pattern in (*DECLINES, Pattern.SPIKE) and begin != course.started_at:
        course = replace(course, pattern=Pattern.STEADY)  # It is not what the alert is about.
    span = windows_around(series, begin, course)
    whole = case.overall_series()
    readings = {name: found for name, one in whole.items() if (found := compare(one, span)) is not None}
    if (count := _rows(whole.values())) is not None and (found := compare(count, span)) is not None:
        readings[ROW_COUNT] = found
    return Observations(
        context=case,
        series=series,
        pattern=course,
        windows=span,
        focus=readings.get(series.key.metric) if series.key.segment == "all" else compare(series, span),
        before_after=readings,
        feature_shifts=(moved := feature_shifts(case.series, span)),
        value_anomalies=_odd(case, moved, to_datetime(span.onset)),
        segmentations=_cuts(case, series, span),
        pairs=tuple(_pairs(readings, series.key.metric)),
        notes=notes_about(case, series, span),
        new_segments=_novel(case, span),
        no_data_alert=silent,
        labels_since_change=_labelled(whole, span),
        other_patterns=courses,
    )


def _rows(whole: Iterable[Series]) -> Series | None:
    """How many rows the periods had, as a series of its own."""
    best = max((one for one in whole if one.rows is not None), key=len, default=None)
    if best is None or best.rows is None:
        return None
    known = np.isfinite(best.rows)
    return Series(replace(best.key, metric=ROW_COUNT), Direction.NEITHER, best.times[known], best.rows[known])


def _cuts(case: ModelContext, series: Series, span: BeforeAfterWindows) -> tuple[Segmentation, ...]:
    """Of the metric itself where it is a mean over cases that are known, else of accuracy."""
    if series.key.segment != "all":
        return ()
    for name in dict.fromkeys((series.key.metric, "accuracy")):
        metric = case.catalog.get(name)
        if metric.name not in NOT_ADDITIVE and (metric.proportion or metric.support == ROW_COUNT):
            found = decompose((one for one in case.series if one.key.metric == name), span)
            if found:
                return found
    return ()


def _odd(case: ModelContext, found: FeatureShifts, since: datetime) -> tuple[str, ...]:
    histograms = [case.distributions.histograms.get(one.feature) for one in found.shifted]
    return tuple(said for one in histograms if one is not None and (said := value_anomaly(one, since)) is not None)


def _pairs(readings: Mapping[str, BeforeAfter], metric: str) -> Iterable[ExpectedVsRealized]:
    names = [(ESTIMATED + metric, metric), (ESTIMATED + "accuracy", "accuracy"), *PAIRS]
    for expected, realised in dict.fromkeys(names):
        if expected in readings and realised in readings:
            yield ExpectedVsRealized(readings[expected], readings[realised])


def is_near_onset(facts: Observations, note: Note) -> bool:
    """Whether a note is about the day of the begin, give or take one."""
    return facts.windows is not None and abs(note.at - to_datetime(facts.windows.onset)) <= timedelta(days=1)


def _novel(case: ModelContext, span: BeforeAfterWindows) -> tuple[str, ...]:
    """Segments whose first period is not before the begin, and that are not few."""
    whole = case.overall_series()
    counted = _rows(whole.values())
    if counted is None or len(span.before_indices(counted)) < 3:
        return ()
    total = float(counted.values[span.after_indices(counted)].sum())
    found: dict[str, None] = {}
    for one in case.series:
        if (
            segment_column(one.key.segment) is not None
            and len(one)
            and one.times[0] >= span.onset
            and one.rows is not None
        ):
            rows = float(np.nansum(one.rows[span.after_indices(one)]))
            if total and rows / total >= MIN_NEW_SHARE:
                found[one.key.segment] = None
    return tuple(found)


def _labelled(whole: Mapping[str, Series], span: BeforeAfterWindows) -> int | None:
    """Rows with a label since the begin: of their coverage, else the cases of accuracy."""
    coverage = whole.get(LABEL_COVERAGE)
    if coverage is not None and coverage.rows is not None:
        on = coverage.times >= span.onset
        return int(np.nansum(coverage.values[on] * coverage.rows[on]))
    resting = whole.get("accuracy")
    if resting is None or resting.support is None:
        return None
    on = resting.times >= span.onset
    return int(np.nansum(resting.support[on]))


def contributions(facts: Observations) -> tuple[SegmentContribution, ...]:
    """Of every cut, the largest part in the change first."""
    return tuple(part for cut in facts.segmentations for part in cut.contributions)
