"""The state machine behind a threshold alert: confirmation, hysteresis in time, and levels, point by point."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from modeltop.core.series import Severity, State
from modeltop.rules.rule import Rule


@dataclass(slots=True)
class _LevelState:
    """The breaches of one severity level, and whether they made it active."""

    severity: Severity
    confirm: int
    window: int | None
    since: datetime | None = None
    count: int = 0
    points: int = 0
    """All points so far."""
    breaches: deque[tuple[int, datetime]] = field(default_factory=deque)
    """Number and moment of each breach among the newest `window` points; empty if they must come in a row."""
    clear_count: int = 0
    active: bool = False

    def reset(self) -> None:
        self.since, self.count = None, 0
        self.breaches.clear()

    def is_settled_at(self, severity: Severity) -> bool:
        """Return whether points of this severity, however many, change nothing but counts."""
        return self.active == (severity >= self.severity) and (self.active or self.since is None)

    def advance(self, when: datetime, severity: Severity, recover: int, points: int) -> None:
        self.points += points
        if severity >= self.severity:
            self.since = self.since or when
            if self.window is None or self.active:
                self.count += points
            else:
                self.breaches.append((self.points, when))
                self._slide_window()
            self.clear_count = 0
            self.active = self.active or self.count >= self.confirm
            return
        self.clear_count += points
        resolves = self.active and self.clear_count >= recover
        self.active = self.active and not resolves
        if not self.active and (resolves or self.window is None):
            self.reset()
        elif not self.active:
            self._slide_window()

    def _slide_window(self) -> None:
        assert self.window is not None, "points in a row are counted without a window"
        while self.breaches and self.breaches[0][0] <= self.points - self.window:
            self.breaches.popleft()
        self.count = len(self.breaches)
        self.since = self.breaches[0][1] if self.breaches else None


class AlertStateMachine:
    """The alert of one rule on one series, fed with evaluable points in order of time, of any one zone or of none."""

    def __init__(self, rule: Rule) -> None:
        self._recover = rule.recover
        self._max_gap = rule.max_gap
        self._critical = _LevelState(Severity.CRITICAL, rule.confirm_for(Severity.CRITICAL), rule.window)
        self._warning = _LevelState(Severity.WARNING, rule.confirm_for(Severity.WARNING), rule.window)
        self._last: datetime | None = None
        self._severity = Severity.OK

    def is_settled_at(self, severity: int) -> bool:
        """Return whether points of this severity, however many and whenever, change nothing but counts."""
        return all(level.is_settled_at(Severity(severity)) for level in (self._critical, self._warning))

    def advance(self, when: datetime, severity: Severity, points: int = 1) -> None:
        """Process the severity of the next evaluable point, which is later than the last one.

        Args:
            when: Its time; of several points, that of the last.
            severity: Its severity.
            points: Number of points with it, if the machine is settled at this severity.
        """
        has_gap = self._last is not None and self._max_gap is not None and when - self._last > self._max_gap
        for level in (self._critical, self._warning):
            if has_gap and not level.active:
                level.reset()
            level.advance(when, severity, self._recover, points)
        self._warning.active = self._warning.active or self._critical.active
        self._last, self._severity = when, severity

    @property
    def level(self) -> Severity:
        """The highest level now active."""
        if self._critical.active:
            return Severity.CRITICAL
        return Severity.WARNING if self._warning.active else Severity.OK

    @property
    def pending_level(self) -> Severity:
        """The highest level that is active or waits for confirmation."""
        pending = (level.severity for level in (self._critical, self._warning) if level.since is not None)
        return max(self.level, next(pending, Severity.OK))

    @property
    def since(self) -> datetime | None:
        """The start of the active or pending alert; None if there is none."""
        return min((level.since for level in (self._critical, self._warning) if level.since), default=None)

    @property
    def state(self) -> State | None:
        """FIRING, RECOVERING or PENDING; None while nothing is active or pending."""
        if self.level:
            return State.FIRING if self._severity >= self.level else State.RECOVERING
        return State.PENDING if self.since else None
