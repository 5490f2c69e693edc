"""What is known of a change, once: every cause is arithmetic on this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from modeltop.core.diagnosis import ROWS, Contribution, Course, Pair, Pattern, Reading
from modeltop.core.incident import Note
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Better, Condition, Episode, Series, to_datetime
from modeltop.diagnosis.before_after import Span, begin_of, notes_about, period_of, reading, span_of
from modeltop.diagnosis.context import Case
from modeltop.diagnosis.feature_drift import Columns, columns, odd
from modeltop.diagnosis.patterns import TROUBLE
from modeltop.diagnosis.segments import Cut, cut_of, cuts
from modeltop.rules.label_coverage import COVERAGE

PAIRS = (("avg_confidence", "accuracy"),)
ESTIMATED = "estimated_"
SURE = 0.8
"""How sure a course must be called sudden for that to be evidence."""
OVERNIGHT = timedelta(days=7)
"""The longest period of which it tells anything that all came in one."""
UNMEAN = ("expected_calibration_error", "maximum_calibration_error", "rmse", "r2")
"""Rest on rows, but are no mean over them: what their segments show does not add up to the whole."""
NEW_SHARE = 0.02
"""Of all rows, from which a segment that was not there before is worth a word."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """One change of one model."""

    case: Case
    series: Series | None
    """The one that it is about; None where the model has no series, or nothing happened to one."""
    course: Course | None
    span: Span | None
    focus: Reading | None
    """The series before and after; None where there is too little before or after."""
    readings: Mapping[str, Reading]
    """Over all rows, by metric; the number of rows itself is `rows`."""
    columns: Columns
    odd: Sequence[str]
    """What is odd about the values of columns that moved, a clause each."""
    cuts: Sequence[Cut]
    pairs: Sequence[Pair]
    notes: Sequence[Note]
    """Those about the days of the begin."""
    novel: Sequence[str]
    """Segments that were not there before: foreign text."""
    silent: Episode | None
    """The alert that no data comes, or that a source cannot be read."""
    labels: int | None
    """Labelled rows since the begin; None where unknown."""
    courses: Sequence[Course]
    """Of the model's other metrics, those that are not steady."""

    @property
    def metric(self) -> Metric:
        """What the series is about; a neutral one without it."""
        return self.case.catalog.of(self.series.key.metric) if self.series else Metric("")

    @property
    def sudden(self) -> bool:
        """Whether it came from one period to the next."""
        return self.course is not None and self.course.pattern in (Pattern.DROP, Pattern.SPIKE)

    @property
    def overnight(self) -> bool:
        """Whether it surely came from one period to the next, and periods are short: a month may hold a slow change."""
        sure = self.sudden and self.course is not None and self.course.sure >= SURE
        return sure and self.series is not None and period_of(self.series) <= OVERNIGHT

    @property
    def chance(self) -> bool:
        """Whether the difference is no more than chance makes."""
        return self.focus is not None and not self.focus.moved

    @property
    def over(self) -> bool:
        """Whether what happened is past: a spike that other periods followed, and no alert of it stands."""
        if self.course is None or self.course.pattern is not Pattern.SPIKE or self.series is None or self.span is None:
            return False
        standing = any(one.stands and one.key == self.series.key for one in self.case.episodes)
        return not standing and self.span.end is not None and bool(self.series.times[-1] > self.span.end)

    def loss(self, found: Reading | None) -> float:
        """How much worse the metric got, in its unit; 0 or less: it did not. A metric without a direction: it fell."""
        if found is None:
            return 0.0
        worse_up = self.case.catalog.of(found.key.metric).better is Better.LOWER
        return found.delta if worse_up else -found.delta

    def held(self, name: str) -> bool:
        """Whether the metric is known and did not get worse by more than chance."""
        found = self.readings.get(name)
        return found is not None and (not found.moved or self.loss(found) <= 0)

    def course_of(self, name: str) -> Course | None:
        """The course of another metric over all rows, if it is not steady."""
        return next((one for one in self.courses if one.key.metric == name and one.key.segment == "all"), None)


def gathered(case: Case, series: Series | None, course: Course | None, courses: Sequence[Course]) -> Facts:
    """Everything there is to know of the change of a series.

    Args:
        case: The model.
        series: What it is about; None: nothing happened to any.
        course: That of the series.
        courses: Of the others that are not steady.
    """
    silent = next((one for one in case.episodes if one.stands and one.condition is not Condition.THRESHOLD), None)
    begin = None if series is None else begin_of(case, series.key, course)
    if series is None or begin is None:
        empty: Mapping[str, Reading] = {}
        return Facts(case, series, course, None, None, empty, Columns(), (), (), (), (), (), silent, None, courses)
    if course is not None and course.pattern in (*TROUBLE, Pattern.SPIKE) and begin != course.begin:
        course = replace(course, pattern=Pattern.STEADY)  # It is not what the alert is about.
    span = span_of(series, begin, course)
    whole = case.whole()
    readings = {name: found for name, one in whole.items() if (found := reading(one, span)) is not None}
    if (count := _rows(whole.values())) is not None and (found := reading(count, span)) is not None:
        readings[ROWS] = found
    return Facts(
        case=case,
        series=series,
        course=course,
        span=span,
        focus=readings.get(series.key.metric) if series.key.segment == "all" else reading(series, span),
        readings=readings,
        columns=(moved := columns(case.series, span)),
        odd=_odd(case, moved, to_datetime(span.begin)),
        cuts=_cuts(case, series, span),
        pairs=tuple(_pairs(readings, series.key.metric)),
        notes=notes_about(case, series, span),
        novel=_novel(case, span),
        silent=silent,
        labels=_labelled(whole, span),
        courses=courses,
    )


def _rows(whole: Iterable[Series]) -> Series | None:
    """How many rows the periods had, as a series of its own."""
    best = max((one for one in whole if one.rows is not None), key=len, default=None)
    if best is None or best.rows is None:
        return None
    known = np.isfinite(best.rows)
    return Series(replace(best.key, metric=ROWS), Better.NEITHER, best.times[known], best.rows[known])


def _cuts(case: Case, series: Series, span: Span) -> tuple[Cut, ...]:
    """Of the metric itself where it is a mean over cases that are known, else of accuracy."""
    if series.key.segment != "all":
        return ()
    for name in dict.fromkeys((series.key.metric, "accuracy")):
        metric = case.catalog.of(name)
        if metric.name not in UNMEAN and (metric.proportion or metric.support == ROWS):
            found = cuts((one for one in case.series if one.key.metric == name), span)
            if found:
                return found
    return ()


def _odd(case: Case, found: Columns, since: datetime) -> tuple[str, ...]:
    histograms = [case.exhibits.histograms.get(one.feature) for one in found.moved]
    return tuple(said for one in histograms if one is not None and (said := odd(one, since)) is not None)


def _pairs(readings: Mapping[str, Reading], metric: str) -> Iterable[Pair]:
    names = [(ESTIMATED + metric, metric), (ESTIMATED + "accuracy", "accuracy"), *PAIRS]
    for expected, realised in dict.fromkeys(names):
        if expected in readings and realised in readings:
            yield Pair(readings[expected], readings[realised])


def dated(facts: Facts, note: Note) -> bool:
    """Whether a note is about the day of the begin, give or take one."""
    return facts.span is not None and abs(note.at - to_datetime(facts.span.begin)) <= timedelta(days=1)


def _novel(case: Case, span: Span) -> tuple[str, ...]:
    """Segments whose first period is not before the begin, and that are not few."""
    whole = case.whole()
    counted = _rows(whole.values())
    if counted is None or len(span.before(counted)) < 3:
        return ()
    total = float(counted.values[span.later(counted)].sum())
    found: dict[str, None] = {}
    for one in case.series:
        if cut_of(one.key.segment) is not None and len(one) and one.times[0] >= span.begin and one.rows is not None:
            rows = float(np.nansum(one.rows[span.later(one)]))
            if total and rows / total >= NEW_SHARE:
                found[one.key.segment] = None
    return tuple(found)


def _labelled(whole: Mapping[str, Series], span: Span) -> int | None:
    """Rows with a label since the begin: of their coverage, else the cases of accuracy."""
    coverage = whole.get(COVERAGE)
    if coverage is not None and coverage.rows is not None:
        on = coverage.times >= span.begin
        return int(np.nansum(coverage.values[on] * coverage.rows[on]))
    resting = whole.get("accuracy")
    if resting is None or resting.support is None:
        return None
    on = resting.times >= span.begin
    return int(np.nansum(resting.support[on]))


def contributions(facts: Facts) -> tuple[Contribution, ...]:
    """Of every cut, the largest part in the change first."""
    return tuple(part for cut in facts.cuts for part in cut.parts)
