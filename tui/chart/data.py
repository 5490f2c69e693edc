"""What a chart shows, before anybody knows how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modeltop.core.series import Severity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The points of one series; all arrays have the length of `times`."""

    name: str
    """Fit for the terminal already."""
    times: Floats
    """Period starts, UTC, seconds since 1970, strictly increasing."""
    values: Floats
    """May be infinite where the data says so: no place on the axis, but a point all the same."""
    breaches: NDArray[np.int8]
    """`Severity` of each point by the rules' limits; 0 where none was crossed."""
    unevaluated: Flags
    """True for a point that no rule judges: provisional, not finite, or resting on too few cases."""
    gaps: Flags
    """True where periods are missing before this point, so that the line does not reach it from the one before."""


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A horizontal line that a rule drew."""

    value: float
    severity: Severity
    label: str
    """Such as `< 0.90`."""


@dataclass(frozen=True, slots=True)
class VerticalMarker:
    """A vertical line, with a few words at its end where there is room."""

    time: float
    """UTC, seconds since 1970."""
    caption: str
    """Fit for the terminal already."""


@dataclass(frozen=True, slots=True)
class ChartBand:
    """Where the values are usual: two faint lines."""

    start: float
    """UTC, seconds since 1970."""
    end: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChartTrend:
    """A straight line through what was fitted, and on to where it leads."""

    start: float
    """UTC, seconds since 1970."""
    end: float
    """After the newest point where it leads beyond it."""
    first: float
    """Its value at `start`."""
    last: float
    """Its value at `end`."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """What was found out about the points. Drawn where nothing else is: no point and no limit is ever hidden."""

    change: VerticalMarker | None = None
    """Where a change began."""
    notes: tuple[VerticalMarker, ...] = ()
    """What people wrote down, oldest first."""
    band: ChartBand | None = None
    trend: ChartTrend | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ChartData:
    """One chart. Made once per content, so that its identity can key a cache."""

    traces: tuple[Trace, ...]
    """The selected series first, then the rest of its family."""
    limits: tuple[LimitLine, ...]
    title: str
    """Fit for the terminal already; the pane's border shows it, the plot itself need not."""
    digits: int
    """Decimals of the values."""
    start: float
    """Left end of the time axis, UTC, seconds since 1970."""
    end: float
    """Right end, after the newest point where a trend leads on; equal to `start` where there is one point only."""
    cursor: float | None = None
    """The time that the read-out is about: a vertical line; None without one."""
    empty_message: str = "no points to draw"
    """Said in place of a chart without points."""
    annotations: Annotations = Annotations()

    @property
    def points(self) -> int:
        """The number of points of all lines."""
        return sum(len(line.times) for line in self.traces)


@dataclass(frozen=True, slots=True)
class PlotTheme:
    """What the terminal can show. Colours are the 16 of ANSI by name: the app's theme gives them their shade."""

    ascii: bool = False
    """Only characters below 128."""
    colours: bool = True
    light: bool = False
    """Dark text on a light background."""
