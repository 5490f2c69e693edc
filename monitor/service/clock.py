"""The daemon's clock: that of the machine while it can be trusted, else the last time that could be, running on.

The reference is a moment that was certainly reached. It is *anchored* if it is known how long ago that was, by a clock
that no one can set; then the machine's clock is reliable within `CLOCK_TOLERANCE` of it. Otherwise the moment is
a lower bound alone, such as the newest event of an earlier boot, and a machine's clock ahead of it is trusted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.core.incident import CLOCK_TOLERANCE
from modeltop.core.text import format_age
from modeltop.history.store.durable import write_atomically
from modeltop.service.leader import aware_datetime, read_state_file

FILE_NAME = "clock.json"
"""The anchor that the next process of the same boot goes on from."""
SAVE_INTERVAL = timedelta(minutes=1)
SETTLED_SECONDS = 3600.0
"""Seconds after a boot from which on no one has to wait for the machine to set its clock by the network."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def seconds_since_boot() -> float:
    """Return the seconds of a clock that no one can set and that goes on while the machine sleeps.

    On Linux `time.monotonic` stops meanwhile.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Return what distinguishes this boot of this machine from any other; empty where nothing does."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Clock:
    """A clock that never runs backwards, and knows whether the machine's is reliable.

    Args:
        wall: The machine's clock.
        steady: Seconds that no one can set.
        boot: Distinguishes the boots from which `steady` counts.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = seconds_since_boot,
        boot: Callable[[], str] = boot_id,
    ) -> None:
        self._wall, self._steady, self._boot = wall, steady, boot
        self._reference: datetime | None = None
        self._reference_read_at = 0.0
        self._is_anchored = False
        self._last: datetime | None = None
        self._last_unique: datetime | None = None
        self._bound: datetime | None = None
        """The lower bound that the machine's clock was trusted to be ahead of, until that is confirmed."""
        self._saved: datetime | None = None

    def now(self, floor: datetime | None = None) -> datetime:
        """Return the time, aware UTC: never before an earlier answer.

        Args:
            floor: The last event of any watcher of this log: the time is not before it, either.
        """
        if floor is not None:
            self._raise_floor(floor)
        wall, expected = self._wall(), self._expected()
        if expected is None or self._agrees(wall, expected):
            if not self._is_anchored:
                self._bound = expected if expected is not None and wall - expected > CLOCK_TOLERANCE else None
                self._set_reference(wall, is_anchored=True)
            expected = wall
        self._last = expected if self._last is None else max(expected, self._last)
        return self._last

    def unique_now(self) -> datetime:
        """Return the time, later than any earlier answer of this method."""
        now = self.now()
        if self._last_unique is not None and now <= self._last_unique:
            now = self._last_unique + timedelta(microseconds=1)
        self._last_unique = now
        return now

    def synchronize(self) -> None:
        """Count from the machine's clock as it is now, if it is reliable: once a cycle, so that small steps add up.

        The answers of one cycle all count from the same reference, or many small wrong steps would be trusted in turn.
        """
        self.now()
        if self.offset is None:
            self._set_reference(self._wall(), is_anchored=True)

    @property
    def wall(self) -> datetime:
        """The machine's clock, reliable or not."""
        return self._wall()

    @property
    def offset(self) -> timedelta | None:
        """By how much the machine's clock is off if it is unreliable, negative if it is behind; else None."""
        wall, expected = self._wall(), self._expected()
        return None if expected is None or self._agrees(wall, expected) else wall - expected

    def allows_no_data(self, newest: datetime | None) -> bool:
        """Return whether the absence of rows may be concluded from: not while the clock may be wrong.

        A clock that was ahead of the last event after a reboot is trusted, but only confirmed once the machine
        had time to set it, or once a row newer than that event has come.

        Args:
            newest: Newest period of any model that is not after `now`; None without any.
        """
        if self.offset is not None:
            return False
        if self._bound is not None and (
            self._steady() >= SETTLED_SECONDS or (newest is not None and newest > self._bound)
        ):
            self._bound = None
        return self._bound is None

    def witness(self, moment: datetime) -> None:
        """Take into account that a moment has been reached, as a file was written at it."""
        expected = self._expected()
        if not self._is_anchored and (expected is None or moment > expected):
            self._set_reference(moment, is_anchored=False)

    def accept(self) -> datetime:
        """Trust the machine's clock, as a person asked, and return its time, even if that is set back."""
        wall = self._wall()
        self._set_reference(wall, is_anchored=True)
        self._last, self._last_unique, self._bound, self._saved = wall, None, None, None
        return wall

    def load(self, folder: Path) -> None:
        """Go on from the anchor that an earlier process of the same boot saved in the state folder, if any."""

        def build(document: dict[str, str], _: float) -> tuple[datetime, float, str]:
            return aware_datetime(document["at"]), float(document["steady"]), document["boot"]

        saved = read_state_file(folder / FILE_NAME, build)
        if saved and saved[2] and saved[2] == self._boot() and saved[1] <= self._steady():
            self._reference, self._reference_read_at, self._is_anchored = *saved[:2], True

    def save(self, folder: Path) -> None:
        """Save the anchor in the state folder, at most once a minute, and never while the clock is unreliable."""
        if not self._is_anchored or self._reference is None or self.offset is not None:
            return
        if self._saved is not None and abs(self._reference - self._saved) < SAVE_INTERVAL:
            return
        document = {"at": self._reference.isoformat(), "steady": self._reference_read_at, "boot": self._boot()}
        with suppress(StoreError):  # the next process counts from the event log
            write_atomically(folder / FILE_NAME, json.dumps(document).encode("ascii"))
            self._saved = self._reference

    def _raise_floor(self, floor: datetime) -> None:
        expected = self._expected()
        margin = CLOCK_TOLERANCE if self._is_anchored else timedelta()
        if expected is None or floor > expected + margin:
            self._set_reference(floor, is_anchored=False)
        self._last = floor if self._last is None else max(floor, self._last)

    def _set_reference(self, moment: datetime, *, is_anchored: bool) -> None:
        self._reference, self._reference_read_at, self._is_anchored = moment, self._steady(), is_anchored

    def _expected(self) -> datetime | None:
        if self._reference is None:
            return None
        return self._reference + timedelta(seconds=self._steady() - self._reference_read_at)

    def _agrees(self, wall: datetime, expected: datetime) -> bool:
        if self._is_anchored:
            return abs(wall - expected) <= CLOCK_TOLERANCE
        return wall >= expected - CLOCK_TOLERANCE


def describe_offset(offset: timedelta, accept_command: str) -> str:
    """Return one clause about an unreliable clock, with the remedy: the clock is set, or trusted by a command."""
    direction = "ahead of" if offset > timedelta() else "behind"
    return (
        f"clock unreliable: {format_age(abs(offset))} {direction} the event log, so no-data alerts are paused; "
        f"set the clock, or if it is right: {accept_command}"
    )
