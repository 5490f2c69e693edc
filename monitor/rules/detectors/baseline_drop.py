"""A drop below the series' own baseline: a sustained one warns, a collapse or a long slide is critical."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, Flags, Floats, Series, Severity
from modeltop.core.stats.clipped_moments import Blocks
from modeltop.core.stats.collapse import WEEK, Normal, far_falls, normal_of
from modeltop.core.stats.cusum import AlarmRun, Sequences, alarm_runs
from modeltop.core.stats.robust import MAX_MAGNITUDE, median
from modeltop.core.stats.slides import Slide, slides
from modeltop.core.text import format_exact
from modeltop.rules.baselines.base import Places
from modeltop.rules.detectors.base import Detector, QueryContext, Scan
from modeltop.rules.detectors.confidence import fit_turn
from modeltop.rules.detectors.cusum import SKEWED_CASES, LastingShift, batch_series
from modeltop.rules.detectors.material import Material, material_drop
from modeltop.rules.detectors.pointwise import adverse_difference

MIN_BASELINE = 8
"""Earlier periods without which no collapse is evaluated."""
AT_ONCE, TWICE = 8.0, 5.0
"""Deviations below the baseline of a collapse: of one period alone, and of two in a row."""
BEYOND_CHANCE, BEYOND_CASES = 5.0, 50
"""Binomial deviations from which on one period alone warns, where the baseline varies by no more than chance; and its
cases without which the tail of chance is not that of a normal distribution."""
RECOVERED = 3.0
"""A value within so many deviations of the baseline is good."""
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class BaselineDrop(LastingShift):
    """Breached while the metric is worse than its baseline: the periods before the drop that were in no earlier one.

    It warns of a sustained drop, see `LastingShift`; of a slide that its baseline would follow, see `slides`; and at
    once of one value that chance does not reach where chance is known: a material fall of a share by 5 binomial
    deviations. It is critical from a collapse on, a period at least 8 deviations worse or two in a row at least 5, and
    once a sustained drop has become large; both only if they are material (see `Material`). A deviation is the largest
    of three estimates (see `Normal`), a weekly season allowed for. Critical ends after three good periods in a row.
    """

    material: Material | None = None
    """What makes a drop critical; None: it warns at most. `for_metric` sets it."""

    def for_metric(self, metric: Metric) -> Self:
        """Return the detector for a metric: critical for performance metrics alone."""
        return self if self.outside else replace(self, material=material_drop(metric))

    @property
    def _collapse_level(self) -> Severity:
        if self.material is not None:
            return Severity.CRITICAL
        return Severity.WARNING if self.outside else Severity.OK

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Return the scan of each series; None if it never breaches. Many at once cost little more than one."""
        scans: list[Scan | None] = [None] * len(series_batch)
        for sign in (1.0, -1.0) if self.outside else (1.0,):
            for index, suspects in self._suspects(series_batch, sign, context.min_count):
                scan = self._scan_drops(series_batch[index], sign, suspects, context.min_count)
                other = scans[index]
                if scan is not None:
                    scans[index] = scan if other is None else other.where(other.levels >= scan.levels, scan)
        return scans

    def _suspects(
        self, series_batch: Sequence[Series], sign: float, min_count: float
    ) -> Iterator[tuple[int, _Suspects]]:
        """Yield the series with a sustained drop, a slide, or values that may be a collapse."""
        known = range(len(series_batch))
        selected = [i for i in known if self.outside or series_batch[i].better is not Direction.NEITHER]
        # The mean may lie a fifth of the drop nearer than the median, see `far_falls`.
        min_fall = self.material.smallest * 0.8 if self.material else 0.0
        min_ratio = self.material.fraction * 0.6 if self.material else 0.0
        for batch in batch_series(series_batch, selected, min_count):
            sequences = batch.sequences._replace(values=sign * batch.sequences.values)
            falls: Mapping[int, Places] = {}
            blocks = None
            if self._collapse_level:
                plain = Blocks(sign * batch.values, sequences.lengths, self.periods, self.least)
                falls = dict(far_falls(plain, min_size=MIN_BASELINE, min_fall=min_fall, min_ratio=min_ratio))
                blocks = plain if sequences.noise is None else None  # shares of known cases are compared as angles
            runs: dict[int, list[_Alarmed]] = {}
            for run in alarm_runs(sequences, self._cusum, blocks=blocks):
                runs.setdefault(run.sequence, []).append(self._alarmed(run))
            slow = self._slow(sequences._replace(values=sign * batch.values), runs)
            for number in sorted(runs.keys() | falls.keys() | slow.keys()):
                places = falls[number].tolist() if number in falls else []
                yield batch.indices[number], _Suspects(runs.get(number, []), places, slow.get(number, []))

    def _slow(self, sequences: Sequences, runs: Mapping[int, Sequence[_Alarmed]]) -> Mapping[int, list[Slide]]:
        """Return the slides by sequence, but for those that end in a sustained drop."""
        found: dict[int, list[Slide]] = {}
        if self.material is None:
            return found
        firsts, explained = np.cumsum(sequences.lengths) - sequences.lengths, np.zeros(len(sequences.values), np.bool_)
        for number, drop in ((number, drop) for number, own in runs.items() for drop in own):
            explained[firsts[number] + drop.alarm : firsts[number] + drop.end] = True
        for number, slide in slides(sequences, explained, self.material.slow):
            found.setdefault(number, []).append(slide)
        return found

    def _alarmed(self, run: AlarmRun) -> _Alarmed:
        alarm = run.start + int(np.argmax(np.maximum.accumulate(run.scores) > (self.warn or 0.0)))
        end = run.start + len(run.scores)
        return _Alarmed(run.start, alarm, end, is_accepted=len(run.scores) >= self._cusum.max_run)

    def _scan_drops(self, series: Series, sign: float, suspects: _Suspects, min_count: float) -> Scan | None:
        points = np.flatnonzero(series.evaluable(min_count))
        drops = Drops(series[points], sign, self.periods)
        zeros, places = np.zeros(len(series)), np.arange(len(series))
        levels, weights = zeros.astype(np.int8), np.ones(len(series), dtype=np.int64)
        scan = Scan(levels=levels, excess=zeros, baseline=zeros.copy(), start=places, weights=weights)
        alarmed = [*suspects.runs, *self._slides(drops, suspects)]
        collapses = self._settle(drops, alarmed, suspects.falls)
        singles = list(self._beyond_chance(drops, alarmed, suspects.falls)) if self.material is not None else []
        for level, own in ((Severity.WARNING, [*alarmed, *singles]), (self._collapse_level, collapses)):
            for drop in own:
                self._mark(scan, points, drops, drop, level)
        excess = adverse_difference(series.values - scan.baseline, series.better, outside=self.outside)
        return replace(scan, excess=excess) if levels.any() else None

    def _slides(self, drops: Drops, suspects: _Suspects) -> Iterator[_Alarmed]:
        """Yield the slides, each to its end, of which little lies before what was accepted."""
        over = list(suspects.runs)
        for slide in sorted(suspects.slides):
            accepted = max((drop.end for drop in over if drop.is_accepted and drop.alarm <= slide.end), default=0)
            first = slide.end + 1 - slide.length
            if first < accepted - self.usual // 2 or any(drop.alarm <= slide.end < drop.end for drop in over):
                continue
            start = first + fit_turn(drops.values[first : slide.end + 1]).start
            over.append(self._to_end(drops, _Alarmed(start, slide.end, slide.end, drops.normal_before_slide(slide))))
            yield over[-1]

    def _to_end(self, drops: Drops, drop: _Alarmed) -> _Alarmed:
        end = drops.end_of(drop.alarm, drops.normal_of(drop), max_length=self.usual, good=self.back)
        return drop._replace(end=end, is_accepted=end == drop.alarm + self.usual)

    def _settle(self, drops: Drops, alarmed: Sequence[_Alarmed], falls: Sequence[int]) -> list[_Alarmed]:
        """Return the collapses and slides, and leave what has ended out of the baseline of what comes later.

        What has ended by a point depends on earlier points alone, so that each round settles one more of them at least.
        """
        drops.leave_out(drop for drop in alarmed if not drop.is_accepted)
        while True:
            suspects = sorted({*falls, *drops.far_after_drops()}) if self._collapse_level else []
            collapses = list(self._collapses(drops, alarmed, suspects)) if self._collapse_level else []
            if not drops.leave_out(drop for drop in (*alarmed, *collapses) if not drop.is_accepted):
                return collapses

    def _mark(self, scan: Scan, points: Places, drops: Drops, drop: _Alarmed, level: Severity) -> None:
        """Enter a drop, from where it is known to its end; good values, of weight 0, neither breach nor end it."""
        own, normal = points[drop.alarm : drop.end], drops.normal_of(drop)
        cutoff = self.slack if level is Severity.WARNING and drop.normal is None else RECOVERED
        is_good = drops.deviations(slice(drop.alarm, drop.end), normal) < cutoff
        is_good[0] = False
        scan.levels[own] = np.where(is_good, scan.levels[own], level)
        scan.weights[own] = np.where(is_good, 0, 1)
        scan.baseline[own] = normal.level
        scan.start[own] = np.minimum(scan.start[own], points[drop.start])

    def _beyond_chance(self, drops: Drops, alarmed: Sequence[_Alarmed], falls: Sequence[int]) -> Iterator[_Alarmed]:
        """Yield the material falls that chance does not reach where it is known, each to its end."""
        free_from, covered = MIN_BASELINE, drops.covered(alarmed)
        for first in falls:
            if first < free_from or covered[first]:
                continue
            normal = drops.normal_before(first)
            size = float(self._material_deviations(drops, slice(first, first + 1), normal)[0]) * normal.deviation
            if size >= BEYOND_CHANCE * normal.chance > 0 and drops.cases[first] >= BEYOND_CASES:
                free_from = drops.end_of(first, normal, max_length=self.usual, good=self.back)
                is_low = drops.deviations(slice(0, first), normal) >= RECOVERED
                yield _Alarmed(first - int(np.argmin([*is_low[::-1], False])), first, free_from)

    def _collapses(self, drops: Drops, alarmed: Sequence[_Alarmed], falls: Sequence[int]) -> Iterator[_Alarmed]:
        """Yield the collapses and the slides, in order of time, each to its end."""
        free_from = 0
        found = [*self._sudden(drops, alarmed, falls), *self._sustained(drops, alarmed)]
        for drop in sorted(found, key=attrgetter("alarm", "start")):
            if drop.alarm >= free_from:
                collapse = self._to_end(drops, drop)
                free_from = collapse.end
                yield collapse

    def _sudden(self, drops: Drops, alarmed: Sequence[_Alarmed], falls: Sequence[int]) -> Iterator[_Alarmed]:
        """Yield where a collapse fires, and its first period, before a sustained drop is known."""
        covered = drops.covered(run for run in alarmed if run.normal is None)
        for first in falls:
            if first < MIN_BASELINE or covered[first]:
                continue
            sizes = self._material_deviations(drops, slice(first, first + 2), drops.normal_before(first))
            if sizes[0] >= AT_ONCE:
                yield _Alarmed(first, first, first)
            elif len(sizes) == 2 and sizes.min() >= TWICE:
                yield _Alarmed(first, first + 1, first + 1)

    def _sustained(self, drops: Drops, alarmed: Sequence[_Alarmed]) -> Iterator[_Alarmed]:
        """Yield where a sustained drop is critical, against the baseline before it."""
        for run in alarmed:
            if run.start < MIN_BASELINE and run.normal is None:
                continue
            normal, rows = drops.normal_of(run), slice(run.alarm, run.end)
            is_severe = np.zeros(run.end - run.alarm, dtype=np.bool_)
            if run.normal is None:
                sizes = self._material_deviations(drops, rows, normal)
                is_severe = sizes >= AT_ONCE
                is_severe[1:] |= (sizes[1:] >= TWICE) & (sizes[:-1] >= TWICE)
            if self.material is not None:
                lasting = drops.lasting(rows, normal, periods=3 if run.normal is None else WEEK)
                is_severe |= lasting >= self.material.sustained(normal.level)
            for alarm in (run.alarm + np.flatnonzero(is_severe)).tolist():
                yield run._replace(alarm=alarm)

    def _material_deviations(self, drops: Drops, rows: slice, normal: Normal) -> Floats:
        """Return how many deviations points lie below the baseline; 0 where that is not material."""
        smallest = self.material.sudden(normal.level) if self.material else 0.0
        return np.where(drops.below(rows, normal) >= smallest - 1e-12, drops.deviations(rows, normal), 0.0)

    breach = Detector.breach  # a drop ends with its last bad value

    @property
    def good_periods(self) -> int:
        """Good points in a row that end a drop."""
        return self.back

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "as its baseline" if self.outside else "no sustained drop below its baseline"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition in words."""
        if self.outside:
            return f"{name}: a collapse or sustained change from its {self.periods}-period baseline warns"
        threshold = format_exact(self.warn or 0.0)
        return (
            f"{name}: a sustained drop below its {self.periods}-period baseline warns (CUSUM, threshold {threshold} "
            "sigma), a collapse or a large drop of a performance metric is critical"
        )


class _Alarmed(NamedTuple):
    """A drop: its first value, the one at which it is known, and the one behind its last."""

    start: int
    alarm: int
    end: int
    normal: Normal | None = None
    """What was normal before a slide; None: see `Drops.normal_before`."""
    is_accepted: bool = False
    """Whether it ends because its level is the normal one."""


class _Suspects(NamedTuple):
    """Where a series may have dropped."""

    runs: list[_Alarmed]
    falls: list[int]
    """Values that may be a collapse."""
    slides: list[Slide]


class Drops:
    """The evaluated values of a series, and how far they lie below what was normal.

    Args:
        pool: The series at its evaluated points.
        sign: 1 if its bad side is looked at, -1 for the good one.
        periods: Values before a point that it is compared with, at most.
    """

    def __init__(self, pool: Series, sign: float = 1.0, periods: int = 60) -> None:
        self._direction = -sign if pool.better is Direction.LOWER else sign
        self.values = self._direction * np.clip(pool.values, -MAX_MAGNITUDE, MAX_MAGNITUDE)
        self._periods, self._are_shares = periods, pool.proportion
        self._times = pool.times
        self._knows_cases = pool.support is not None
        self.cases = pool.effective_support()
        # Values of few cases are skewed where their sampling error is not known.
        skew = 0.0 if pool.support is not None else SKEWED_CASES
        self._widening = np.nan_to_num(np.sqrt(1 + skew / np.maximum(self.cases, 1)), nan=1.0)
        self._weekdays = pool.times.astype("datetime64[D]").astype(np.int64) % WEEK
        self._left_out: list[_Alarmed] = []
        self._normals: dict[int, Normal] = {}

    def leave_out(self, drops: Iterable[_Alarmed]) -> bool:
        """Leave the drops that are over out of what is normal after them; return whether others were before."""
        ended = sorted((drop for drop in drops if drop.end < len(self.values)), key=attrgetter("end"))
        changed = {drop[:3] for drop in ended}.symmetric_difference(drop[:3] for drop in self._left_out)
        first = min((end for _, _, end in changed), default=len(self.values))
        self._normals = {start: normal for start, normal in self._normals.items() if start < first}
        self._left_out = ended
        return bool(changed)

    def covered(self, drops: Iterable[_Alarmed]) -> Flags:
        """Return at which values a drop is known."""
        flags = np.zeros(len(self.values), dtype=np.bool_)
        for drop in drops:
            flags[drop.alarm : drop.end] = True
        return flags

    def far_after_drops(self) -> Iterator[int]:
        """Yield the values soon after a drop that are no better than in it."""
        for drop in self._left_out:
            rows = slice(drop.end, drop.end + self._periods)
            is_far = self.deviations(rows, self.normal_of(drop)) >= RECOVERED
            yield from (drop.end + np.flatnonzero(is_far)).tolist()

    def _window(self, end: int) -> Places:
        """Return the newest values before a point that are in no drop which was over by then."""
        parts: list[Places] = []
        stop, missing = end, self._periods
        for drop in reversed(self._left_out[: bisect_right(self._left_out, end, key=attrgetter("end"))]):
            if stop - drop.end >= missing:
                break
            if drop.end < stop:
                parts.append(np.arange(drop.end, stop))
                missing -= stop - drop.end
            stop = min(stop, drop.start)
        return np.concatenate([np.arange(max(stop - missing, 0), stop), *reversed(parts)])

    def normal_before(self, start: int) -> Normal:
        """Return what the values before a point show to be normal; its level is that of the values as they are."""
        if start not in self._normals:
            window = self._window(start)
            gaps = np.diff(self._times[window])
            is_daily = len(gaps) > 0 and bool(median(gaps / DAY) == 1.0)
            weekdays = self._weekdays[window] if is_daily else None
            normal = normal_of(self.values[window], self.cases[window], weekdays, are_shares=self._are_shares)
            chance = normal.chance if self._knows_cases else 0.0
            self._normals[start] = replace(normal, level=self._direction * normal.level, chance=chance)
        return self._normals[start]

    def normal_of(self, drop: _Alarmed) -> Normal:
        """Return what was normal before a drop."""
        return drop.normal or self.normal_before(drop.start)

    def normal_before_slide(self, slide: Slide) -> Normal:
        """Return a normal from which values are good again that lie at most half as low as the slide must."""
        return Normal(self._direction * slide.level, slide.smallest / (2 * RECOVERED), math.nan)

    def below(self, rows: slice, normal: Normal) -> Floats:
        """Return how far values lie on the bad side of what is normal, in the metric's unit."""
        level = self._direction * normal.level
        return replace(normal, level=level).drops(self.values[rows], self._weekdays[rows])

    def lasting(self, rows: slice, normal: Normal, *, periods: int) -> Floats:
        """Return how far the median of the newest values at each one, so many, lies on the bad side."""
        below = self.below(slice(rows.start + 1 - periods, rows.stop), normal)
        return np.asarray(median(sliding_window_view(below, periods)))

    def deviations(self, rows: slice, normal: Normal) -> Floats:
        """Return how many deviations values lie on the bad side."""
        return np.asarray(normal.deviations(self.below(rows, normal), self.cases[rows]) / self._widening[rows])

    def end_of(self, fired: int, normal: Normal, *, max_length: int, good: int) -> int:
        """Return the index of the last of `good` values in a row within three deviations, or behind the last value."""
        rows = slice(fired, fired + max_length)
        is_good = self.deviations(rows, normal) < RECOVERED
        in_a_row = 0
        for offset, flag in enumerate(is_good.tolist()):
            in_a_row = in_a_row + 1 if flag else 0
            if in_a_row == good:
                return fired + offset
        return fired + len(is_good)
