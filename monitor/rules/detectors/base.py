"""What a check is, and the table of all that are known.

A check objects, or does not, to the points of a series. It is a frozen dataclass whose fields are its keys in the
configuration; `@check("name")` puts it into the table. What it needs to know of a series it works out once, for many
series at a time, as a basis: an object of its own kind with a row a point. It is causal: the rows of a basis depend on
no later point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

from modeltop.core.series import Breach, Series, SeriesKey, Severity
from modeltop.rules.baselines.base import NO_SERIES, Baseline
from modeltop.rules.baselines.past import ROLLING

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Levels
    from modeltop.rules.baselines.base import Places
    from modeltop.rules.detectors.limit import Limit

FILES = {
    "threshold": "threshold",
    "drop": "drop",
    "band": "band",
    "shift": "cusum",
    "trend": "trend",
    "spike": "outlier",
    "difference": "difference",
}
"""Module of this folder by the name of the check it registers, in the order in which checks are listed to people."""

_DETECTORS: dict[str, type] = {}
C = TypeVar("C", bound=type)


class QueryContext(NamedTuple):
    """How a rule asks."""

    baseline: Baseline = ROLLING
    """What a point is compared with."""
    min_count: float = 0
    """Support under which a period is neither judged nor a reference."""
    other_series: Mapping[SeriesKey, Series] = NO_SERIES
    """Where a reference that is another series is looked for: `history.series`."""


class Detector(Protocol):
    """A way to object. `basis`, wherever it is asked for, is what `bases` gave for the same series."""

    uses_baseline: ClassVar[bool]
    """Whether it compares with a reference, so that naming one makes sense."""

    is_sequential: ClassVar[bool]
    """Whether it goes through a series point by point: what costs time where there are many series."""

    @property
    def margin(self) -> float:
        """Distance back inside its limit that a recovering value must reach; 0 for a check without one."""

    @property
    def min_history(self) -> int:
        """Judged periods that it needs before the one it judges, besides those of its reference."""

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> Sequence[Any | None]:
        """Per series what its points are judged by; None where it objects to none of them. Can be cut by slices."""

    def __call__(self, past: Series, basis: Any, current_level: Severity) -> Breach | None:
        """Judge the last point of `past`, which is judged.

        Args:
            past: The series up to and including the judged point; its direction is `past.better`.
            basis: As many rows of its basis.
            current_level: The level now active, which a margin keeps alive.
        """

    def levels(self, series: Series, basis: Any, current_level: Severity) -> Levels:
        """Per point, the severity that a call gives it while `current_level` is active."""

    def excess(self, series: Series, basis: Any, level: Severity) -> Floats:
        """Per point, how far it lies beyond what `level` asks; larger is worse, in any unit."""

    def onsets(self, basis: Any) -> Places | None:
        """Per point, the place where what it objects to there began; None: with the point itself."""

    def limits(self) -> list[tuple[Severity, Limit]]:
        """Fixed limits for the chart, worst first; empty for a check that has none."""

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to, in a few words."""

    def possible_levels(self) -> list[Severity]:
        """The levels that it can give, worst first."""

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:
        """What it asks, in plain words, such as `accuracy below 0.90 is critical`; `against` names the reference."""

    def validate(self, kind: Baseline) -> None:
        """Raise ValueError, with the remedy, where it cannot compare with this kind of reference."""


def detector(name: str) -> Callable[[C], C]:
    """Put a check into the table under the name that rules use for it."""

    def enter(kind: C) -> C:
        _DETECTORS[name] = kind
        return kind

    return enter


def detectors() -> dict[str, type]:
    """All known checks by name; loads those that no rule has asked for yet."""
    for module in FILES.values():
        import_module(f"modeltop.rules.detectors.{module}")
    return {name: _DETECTORS[name] for name in FILES} | _DETECTORS
