"""What a check is, and the table of all that are known.

A check objects, or does not, to the last point of a series. It is a frozen dataclass whose fields are its keys
in the configuration; `@check("name")` puts it into the table. It is causal: it reads the past only. One that
compares is handed a `Ground` with a row a point, made by the rule's kind of reference; one that does not gets None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from monitor.records import Evidence, Series, Severity

if TYPE_CHECKING:
    from monitor.checks.limit import Limit
    from monitor.records import Flags, Floats, Levels
    from monitor.reference import Ground, Kind, Places

_CHECKS: dict[str, type] = {}
C = TypeVar("C", bound=type)


class Check(Protocol):
    """A way to object."""

    compares: ClassVar[bool]
    """Whether it compares with a reference: then every `ground` below is given, else None."""

    @property
    def margin(self) -> float:
        """Distance back inside its limit that a recovering value must reach; 0 for a check without one."""

    def __call__(self, past: Series, ground: Ground | None, held: Severity) -> Evidence | None:
        """Judge the last point of `past`, which is judged.

        Args:
            past: The series up to and including the judged point; its direction is `past.better`.
            ground: What its points are compared with, one row a point.
            held: The level now active, which a margin keeps alive.
        """

    def may_object(self, series: Series, ground: Ground | None = None) -> Flags:
        """Per point of `series`, False only where no call could object with nothing held: the vectorised pre-filter."""

    def levels(self, series: Series, held: Severity, ground: Ground | None = None) -> Levels:
        """Per point of `series`, the severity that a call gives it while `held` is active."""

    def beyond(self, series: Series, level: Severity, ground: Ground | None = None) -> Floats:
        """Per point of `series`, how far it lies beyond what `level` asks; larger is worse, in any unit."""

    def begins(self, series: Series, ground: Ground | None = None) -> Places | None:
        """Per point of `series`, the place where what it objects to there began; None: with the point itself."""

    def limits(self) -> list[tuple[Severity, Limit]]:
        """Fixed limits for the chart, worst first; empty for a check that has none."""

    def sentence(self, name: str, show: Callable[[float], str], against: str = "") -> str:
        """What it asks, in plain words, such as `accuracy below 0.90 is critical`; `against` names the reference."""

    def refuse(self, kind: Kind) -> None:
        """Raise ValueError, with the remedy, where it cannot compare with this kind of reference."""


def check(name: str) -> Callable[[C], C]:
    """Put a check into the table under the name that rules use for it."""

    def enter(kind: C) -> C:
        _CHECKS[name] = kind
        return kind

    return enter


def checks() -> dict[str, type]:
    """All known checks by name."""
    return dict(_CHECKS)
