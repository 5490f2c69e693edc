"""A lasting change against the series' own past, however small it is a period."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Better, Evidence, Series, Severity
from modeltop.core.stats.cusum import Cusum, Sequences, fallen, runs
from modeltop.core.text import brief, plain
from modeltop.rules.detectors.base import Asking, check
from modeltop.rules.detectors.pointwise import graded, pairs, worse

if TYPE_CHECKING:
    from modeltop.core.series import Floats

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Kind, Places
    from modeltop.rules.detectors.limit import Limit


WIDE = 1_000
"""Series side by side: a call a step for as many costs little more than for one, and what is held of them at once
stays below 50 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Series of which the same is known."""

    places: NDArray[np.int64]
    """Which of the series each column is."""
    sequences: Sequences
    """Their judged values, so that falls are bad."""
    min_count: float


def sheets(many: Sequence[Series], asked: Sequence[int], min_count: float) -> Iterator[Sheet]:
    """The series of the places `asked`: those whose chance is known apart, those of like length together."""
    kinds: tuple[list[int], list[int]] = ([], [])
    for place in asked:
        one = many[place]
        if len(one):
            kinds[one.proportion and one.support is not None].append(place)
    for shares, places in enumerate(kinds):
        places.sort(key=lambda place: len(many[place]))
        for first in range(0, len(places), WIDE):
            yield _sheet(many, places[first : first + WIDE], min_count, shares=bool(shares))


def _sheet(many: Sequence[Series], places: list[int], min_count: float, *, shares: bool) -> Sheet:
    series = [many[place] for place in places]
    longest = max(map(len, series))
    values = np.full((len(series), longest), np.nan)
    support = values.copy() if any(one.support is not None for one in series) else None
    for row, one in enumerate(series):
        plain = min_count <= 0 and one.provisional is None and _finite(one.values)
        judged = slice(None) if plain else one.judged(min_count)
        own = one.values[judged]
        values[row, : len(own)] = own
        if one.support is not None and support is not None:
            support[row, : len(own)] = one.support[judged]
    signs = np.array([-1.0 if one.better is Better.LOWER else 1.0 for one in series])
    sequences = _sequences(values, support, shares=shares)
    turned = Sequences(*(None if one is None else np.ascontiguousarray(one.T) for one in sequences))  # type: ignore[arg-type]
    return Sheet(np.array(places), turned._replace(values=turned.values * signs), min_count)


def _finite(values: Floats) -> bool:
    return bool(np.isfinite(values).all())


def _sequences(values: Floats, support: Floats | None, *, shares: bool) -> Sequences:
    if support is None:
        return Sequences(values)
    if not shares:
        return Sequences(values, trust=_trust(support))
    known = np.where(support > 0, support, 1.0)  # of an unknown number of cases, one is known
    hits = np.clip(values * known, 0, known)
    return Sequences(np.arcsin(np.sqrt((hits + 0.375) / (known + 0.75))), noise=1 / (4 * known + 2))


def _trust(support: Floats) -> Floats:
    """What a value counts for that rests on fewer cases than those before it did on average."""
    known = np.nan_to_num(support)
    before = np.cumsum(known, axis=1) - known
    usual = before / np.maximum(np.arange(support.shape[1]), 1)
    share = np.divide(known, usual, out=np.ones_like(known), where=usual > 0)
    return np.sqrt(np.minimum(np.where(np.isnan(support), 1.0, share), 1.0))


FEW = 64
"""Series that cost no more to follow at once than to ask first whether they ever fall."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The cumulative sum at each point of a series."""

    judged: Flags
    score: Floats
    """0 outside of runs."""
    peak: Floats
    """Highest score in the run so far."""
    start: Places
    """Place of the first point of the run; the point itself outside of runs."""

    def __getitem__(self, part: slice) -> Course:
        """The rows of a part of the points."""
        cut: list[Any] = [getattr(self, one.name)[part] for one in fields(self)]
        return Course(*cut)


@check("shift")
@dataclass(frozen=True, slots=True)
class Shift:
    """Objects while a one-sided cumulative sum says that the metric has got worse and stayed so.

    See `modeltop.core.stats.cusum.Cusum` for the method, its sources and its error rates. A share of a known number of
    cases is compared as an angle, whose chance is known (Anscombe 1948, Biometrika 35); a value on fewer cases than
    usual counts for less.

    Raises ValueError if a parameter has no sense.
    """

    compares: ClassVar[bool] = False
    follows: ClassVar[bool] = True

    warn: float | None = 3.7
    """The sum beyond which it warns, in standard deviations."""
    critical: float | None = None
    """The sum beyond which it is critical."""
    slack: float = 1.1
    """Deviations of a period that are nothing: half of the smallest change that is looked for."""
    periods: int = 60
    """Periods before the change that it is compared with, at most."""
    least: int = 10
    """With fewer there is too little history."""
    back: int = 3
    """Periods in a row near the old level that end it."""
    usual: int = 120
    """After so many periods the new level is what is usual, and it ends."""
    outside: bool = False
    """Whether it objects to a change for the better too."""

    def __post_init__(self) -> None:
        given = [value for _, value in pairs(self.warn, self.critical)]
        if not given:
            raise ValueError("a shift needs `warn`, `critical` or both: such as warn = 3.7")
        if not all(math.isfinite(value) and value > 0 for value in (*given, self.slack)):
            raise ValueError("warn, critical and slack are numbers of deviations: give finite ones above 0")
        if len(given) == 2 and given[0] < given[1]:
            raise ValueError("warn lies above critical, so it would never be said: warn at the lower number")
        if self.least < 2 or self.periods < self.least or min(self.back, self.usual) < 1:
            raise ValueError("periods, least, back and usual are numbers of periods: least from 2 up to periods")

    @property
    def margin(self) -> float:
        """0: `back` says when it is over."""
        return 0.0

    @property
    def history(self) -> int:
        """Judged periods that it needs before the one it judges."""
        return self.least

    @property
    def _how(self) -> Cusum:
        first = min(value for _, value in pairs(self.warn, self.critical))
        return Cusum(
            self.slack, first, most=self.periods, least=self.least, back=self.back, usual=max(self.usual, self.least)
        )

    def bases(self, many: Sequence[Series], asking: Asking) -> list[Course | None]:
        """Per series, how its sum goes; None where it never reaches a limit. Many at once cost little more than one."""
        found: list[Course | None] = [None] * len(many)
        sides = (1.0, -1.0) if self.outside else (1.0,)
        asked = [place for place, one in enumerate(many) if self.outside or one.better is not Better.NEITHER]
        for sheet in sheets(many, asked, asking.min_count):
            for side in sides:
                self._follow(sheet, side, many, found)
        return found

    def _follow(self, sheet: Sheet, side: float, many: Sequence[Series], found: list[Course | None]) -> None:
        sequences = sheet.sequences if side > 0 else sheet.sequences._replace(values=-sheet.sequences.values)
        few = len(sheet.places) <= FEW
        some = np.arange(len(sheet.places)) if few else np.flatnonzero(fallen(sequences, self._how))
        if not len(some):
            return
        scores = runs(sequences.take(some), self._how)
        for column in np.flatnonzero((scores.peak > self._how.limit).any(axis=0)).tolist():
            place = int(sheet.places[some[column]])
            judged = many[place].judged(sheet.min_count)
            rows = slice(int(judged.sum()))
            course = _course(judged, scores.score[rows, column], scores.peak[rows, column], scores.start[rows, column])
            known = found[place]
            found[place] = course if known is None else _wider(known, course)

    def __call__(self, past: Series, basis: Course, held: Severity) -> Evidence | None:
        """Say by how much the newest value differs from what was usual before the run that it is in."""
        level = int(self.levels(past, basis, held)[-1])
        if not level:
            return None
        before = past.values[: basis.start[-1]][basis.judged[: basis.start[-1]]][-self.periods :]
        usual, value = float(before.mean()), past.latest
        return Evidence(Severity(level), value, usual, self._message(past, value, usual), past=True)

    def _message(self, past: Series, value: float, usual: float) -> str:
        (size,) = worse(np.array([value - usual]), past.better, outside=self.outside).tolist()
        if size <= 0:  # a run ends with the last of several good values
            return f"{brief(value)} near its usual {brief(usual)} again"
        return f"{brief(value)} {'below' if value < usual else 'above'} its usual {brief(usual)}"

    def levels(self, series: Series, basis: Course, held: Severity) -> Levels:  # noqa: ARG002
        """Per point the level that the run it is in has reached."""
        return graded(basis.peak, self.warn, self.critical)

    def beyond(self, series: Series, basis: Course, level: Severity) -> Floats:  # noqa: ARG002
        """Per point the sum."""
        return basis.score

    def begins(self, basis: Course) -> Places:
        """Per point the first of the run that it is in."""
        return basis.start

    def limits(self) -> list[tuple[Severity, Limit]]:
        """None: it has no fixed ones."""
        return []

    def inside(self) -> str:
        """What is true of a value that it does not object to."""
        return "not lastingly changed" if self.outside else "not lastingly worse"

    def asks(self) -> list[Severity]:
        """The levels that have a number, worst first."""
        return [severity for severity, _ in pairs(self.warn, self.critical)]

    def sentence(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks.

        >>> Shift().sentence("recall", brief, "")
        'recall lastingly worse than over its past 60 periods warns (CUSUM above 3.7 deviations)'
        """
        said = {Severity.CRITICAL: "is critical", Severity.WARNING: "warns"}
        given = reversed(pairs(self.warn, self.critical))
        parts = [f"{said[severity]} (CUSUM above {plain(value)} deviations)" for severity, value in given]
        what = "lastingly other than" if self.outside else "lastingly worse than"
        return f"{name} {what} over its past {self.periods} periods {', '.join(parts)}"

    def refuse(self, kind: Kind) -> None:
        """It has a reference of its own: the periods before a run."""


def _course(judged: Flags, score: Floats, peak: Floats, start: NDArray[np.int32]) -> Course:
    """From the judged points to all of them."""
    points = np.flatnonzero(judged)
    none = np.zeros((2, len(judged)))
    whole = Course(judged, none[0], none[1], np.arange(len(judged), dtype=np.int64))
    whole.score[points], whole.peak[points], whole.start[points] = score, peak, points[start]
    return whole


def _wider(one: Course, other: Course) -> Course:
    """Of two sides, at each point the one that lies further out."""
    mine = one.peak >= other.peak
    both: list[Any] = [np.where(mine, getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    return Course(*both)
