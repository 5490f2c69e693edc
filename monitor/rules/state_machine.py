"""The machine behind a threshold alert: confirmation, hysteresis in time, and levels, point by point."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from modeltop.core.series import Severity, State
from modeltop.rules.rule import Rule


@dataclass(slots=True)
class _LevelState:
    """What the machine keeps for one level."""

    severity: Severity
    confirm: int
    window: int | None
    since: datetime | None = None
    count: int = 0
    points: int = 0
    """All that were fed."""
    breaches: deque[tuple[int, datetime]] = field(default_factory=deque)
    """Number and moment of each wrong one among the newest `of`; not kept where they must come in a row."""
    clear_count: int = 0
    active: bool = False

    def reset(self) -> None:
        self.since, self.count = None, 0
        self.breaches.clear()

    def advance(self, when: datetime, found: Severity, recover: int) -> None:
        self.points += 1
        if found >= self.severity:
            self._object(when)
            self.clear_count = 0
            self.active = self.active or self.count >= self.confirm
            return
        self.clear_count += 1
        ends = self.active and self.clear_count >= recover
        self.active = self.active and not ends
        if not self.active and (ends or self.window is None):
            self.reset()
        elif not self.active:
            self._slide()

    def _object(self, when: datetime) -> None:
        self.since = self.since or when
        if self.window is None or self.active:
            self.count += 1
            return
        self.breaches.append((self.points, when))
        self._slide()

    def _slide(self) -> None:
        """Let go of what is no longer among the newest `of`."""
        assert self.window is not None, "points in a row are counted without a window"
        while self.breaches and self.breaches[0][0] <= self.points - self.window:
            self.breaches.popleft()
        self.count = len(self.breaches)
        self.since = self.breaches[0][1] if self.breaches else None


class AlertStateMachine:
    """The condition of one rule on one series, fed with judged points in order of time.

    Moments may be of any one zone, or naive throughout; they are only compared and subtracted.
    """

    def __init__(self, rule: Rule) -> None:
        self._recover = rule.recover
        self._max_gap = rule.max_gap
        self._critical = _LevelState(Severity.CRITICAL, rule.confirm_for(Severity.CRITICAL), rule.window)
        self._warning = _LevelState(Severity.WARNING, rule.confirm_for(Severity.WARNING), rule.window)
        self._last: datetime | None = None
        self._found = Severity.OK

    def advance(self, when: datetime, found: Severity) -> bool:
        """Take the level found at a judged point; False, and no change, if it is not after the last one."""
        if self._last is not None and when <= self._last:
            return False
        broken = self._last is not None and self._max_gap is not None and when - self._last > self._max_gap
        for level in (self._critical, self._warning):
            if broken and not level.active:
                level.reset()
            level.advance(when, found, self._recover)
        self._warning.active = self._warning.active or self._critical.active
        self._last, self._found = when, found
        return True

    @property
    def level(self) -> Severity:
        """The highest level now active."""
        if self._critical.active:
            return Severity.CRITICAL
        return Severity.WARNING if self._warning.active else Severity.OK

    @property
    def pending_level(self) -> Severity:
        """The highest level that is active or waits for confirmation."""
        waiting = (level.severity for level in (self._critical, self._warning) if level.since is not None)
        return max(self.level, next(waiting, Severity.OK))

    @property
    def since(self) -> datetime | None:
        """The first moment of what is now active or pending; None if nothing is."""
        return min((level.since for level in (self._critical, self._warning) if level.since), default=None)

    @property
    def state(self) -> State | None:
        """FIRING, RECOVERING or PENDING; None while nothing is active or pending."""
        if self.level:
            return State.FIRING if self._found >= self.level else State.RECOVERING
        return State.PENDING if self.since else None
