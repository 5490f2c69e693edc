"""Which series, which check, how many points: the configured question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from monitor.checks.base import Check
from monitor.records import SeriesKey, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One question asked of every series whose labels match.

    Globs are those of `fnmatch.fnmatchcase`: `*`, `?`, `[abc]`.
    """

    name: str
    check: Check
    metric: str
    model: str = "*"
    segment: str = "all"
    confirm: tuple[int, int] = (1, 1)
    """Judged points in a row before it fires as a warning, and as critical; 1 or more each."""
    recover: int = 1
    """Good judged points in a row before it resolves; 1 or more."""
    min_count: int = 0
    """Support under which a point is not judged."""
    max_gap: timedelta | None = None
    """A longer silence between judged points starts the count of `confirm` anew; None: never."""
    default: bool = False
    """True for the floors that hold where nothing is configured; they may be left out of a series."""

    def matches(self, key: SeriesKey) -> bool:
        """Whether the rule asks about this series."""
        return (
            fnmatchcase(key.metric, self.metric)
            and fnmatchcase(key.segment, self.segment)
            and fnmatchcase(key.model, self.model)
        )

    def confirm_for(self, level: Severity) -> int:
        """Points in a row that this level waits for."""
        return self.confirm[1] if level is Severity.CRITICAL else self.confirm[0]
