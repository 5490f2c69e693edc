"""The clock of a test machine: Python loads this file in each process whose PYTHONPATH names this folder.

`TRUST_CLOCK` names a file with two numbers of seconds: how far the wall clock is off, and how far the monotonic clocks
have jumped. It is read at every call, so a test moves the clock of a process that runs. Only what Python reads is
moved: time-outs in C keep to the true clock, and nothing hangs. Under libfaketime that library moves the wall clock.
"""

import datetime as dt
import os
import select
import sys
import time

OURS = ("modeltop", "modeltop_tui", "monitor", "tui")
"""Packages whose `datetime.now` is moved where there is no libfaketime."""


def shift(place):
    """Seconds by which the wall clock (0) or the monotonic clocks (1) are off now."""
    with open(os.environ["TRUST_CLOCK"], encoding="ascii") as file:  # noqa: PTH123  pathlib takes long to import
        return float(file.read().split()[place])


def moved(read, place, unit):
    """A clock of the module `time`, in seconds or nanoseconds, as it is read on the test machine."""
    return lambda: read() + type(unit)(shift(place) * unit)


def gettime(read, unit, *, wall):
    """The same for `clock_gettime`, which is asked for one of several clocks."""

    def gettime_of(clock):
        place = 0 if clock == time.CLOCK_REALTIME else 1
        return read(clock) + (type(unit)(shift(place) * unit) if place or wall else 0)

    return gettime_of


class Kind(type):
    """Makes `Moved` pass for the class that it stands for."""

    def __instancecheck__(cls, value):
        return isinstance(value, REAL)

    def __eq__(cls, other):
        return other is REAL or other is cls

    def __hash__(cls):
        return hash(REAL)


REAL = dt.datetime


class Moved(REAL, metaclass=Kind):
    """`datetime` with the present of `time.time`; what it makes are plain datetimes."""

    @classmethod
    def now(cls, tz=None):
        return REAL.fromtimestamp(time.time(), tz)


class Imports:
    """Gives `Moved` to each module of ours, and to nobody else: pandas asks for the real class by its size."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in OURS:
            return None
        finders = (one for one in sys.meta_path if one is not self and hasattr(one, "find_spec"))
        spec = next((found for one in finders if (found := one.find_spec(name, path, target))), None)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                if vars(module).get("datetime") is REAL:
                    module.datetime = Moved

            spec.loader.exec_module = exec_module
        return spec


def install(*, wall):
    """Move the clocks, the wall clock only if asked."""
    time.clock_gettime = gettime(time.clock_gettime, 1.0, wall=wall)
    time.clock_gettime_ns = gettime(time.clock_gettime_ns, 10**9, wall=wall)
    time.monotonic, time.monotonic_ns = moved(time.monotonic, 1, 1.0), moved(time.monotonic_ns, 1, 10**9)
    # That of Python 3.11 fails under libfaketime, which moves the moment at which it is to end.
    time.sleep = lambda seconds: select.select([], [], [], seconds) and None
    if wall:
        time.time, time.time_ns = moved(time.time, 0, 1.0), moved(time.time_ns, 0, 10**9)
        sys.meta_path.insert(0, Imports())


if os.environ.get("TRUST_CLOCK"):
    install(wall="faketime" not in os.environ.get("LD_PRELOAD", ""))
