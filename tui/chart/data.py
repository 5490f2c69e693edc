"""The content of a chart, independent of how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modeltop.core.series import Severity
from modeltop.core.text import truncate

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
    """May be infinite: such a point is drawn at the edge."""
    breaches: NDArray[np.int8]
    """`Severity` of each point by the limits of the rules; 0 if none is exceeded."""
    unevaluated: Flags
    """True for a point that no rule evaluates: provisional, not finite, or of too little support."""
    gaps: Flags
    """True if periods are missing before this point, so that the line breaks."""


@dataclass(frozen=True, slots=True)
class LimitLine:
    """The horizontal line of a rule's limit."""

    value: float
    severity: Severity
    label: str
    """The text on the line, such as `< 0.90`."""


@dataclass(frozen=True, slots=True)
class VerticalMarker:
    """A vertical line, with a caption if there is room."""

    time: float
    """UTC, seconds since 1970."""
    caption: str
    """Fit for the terminal already."""
    short_caption: str = ""
    """What is written where there is no room for the caption; empty if the caption itself may be cut."""


@dataclass(frozen=True, slots=True)
class ChartTrend:
    """The straight line of a fitted trend and its extrapolation."""

    start: float
    """UTC, seconds since 1970."""
    end: float
    """Right end; later than the newest point for an extrapolation."""
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Annotations:
    """Annotations of the points, drawn only into free cells: no point and no limit is ever hidden."""

    change: VerticalMarker | None = None
    notes: tuple[VerticalMarker, ...] = ()
    trend: ChartTrend | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ChartData:
    """One chart; built once per content, so that its identity can key a cache."""

    traces: tuple[Trace, ...]
    """The selected series first, then the others of its family; all within the time axis."""
    limits: tuple[LimitLine, ...]
    title: str
    """Title for the frame around the chart, fit for the terminal."""
    digits: int
    start: float
    """Left end of the time axis, UTC, seconds since 1970."""
    end: float
    """Right end, later than the newest point for an extrapolation; equal to `start` for a single point."""
    cursor: float | None = None
    """Time of the cursor, a vertical line; None without one."""
    empty_message: str = "no points to draw"
    """Message in place of a chart without points."""
    annotations: Annotations = Annotations()
    has_legend: bool = True
    """Whether the lines are named above the chart, if there are several."""


@dataclass(frozen=True, slots=True)
class PlotTheme:
    """Terminal capabilities. Colors are the 16 of ANSI by name: the app's theme defines their shades."""

    ascii: bool = False
    colours: bool = True
    light: bool = False
    """Whether the text is dark on a light background."""

    def encode(self, text: str) -> str:
        """Return the text in characters that the terminal can draw."""
        return text.encode("ascii", "backslashreplace").decode("ascii") if self.ascii else text

    def truncate(self, text: str, width: int) -> str:
        """Return the text, encoded already, cut to `width` cells."""
        return self.encode_ellipsis(truncate(text, width))

    def encode_ellipsis(self, text: str) -> str:
        """Return a text that was encoded, and cut since, in characters that the terminal can draw."""
        return text.replace("…", "~") if self.ascii else text
