"""An unexpected error: one line for the user, and a log without secrets."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from modeltop import __version__
from modeltop.core.text import sanitize
from modeltop.history.files import xdg_folder

EXIT_CRASH = 1


def report_crash(error: BaseException) -> int:
    """Write the log, report its path on stderr, and return the exit code."""
    name = f"{type(error).__name__}: {sanitize(error, 120)}" if str(error) else type(error).__name__
    path = write_log(error)
    where = f"details in {sanitize(path, 400)}" if path else "the log could not be written"
    line = f"modeltop: stopped by an error of its own ({name}); {where}\n"
    encoding = getattr(sys.stderr, "encoding", None) or "ascii"  # it may be a stream of the app's own
    sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
    return EXIT_CRASH


def write_log(error: BaseException) -> Path | None:
    """Write the log, readable by its owner alone; return its path, or None if the state folder cannot be written."""
    try:
        folder = xdg_folder("state")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes files of mode 0600 under names not in use.
        handle, name = tempfile.mkstemp(prefix=f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-", suffix=".log", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in log_lines(error))
    except (OSError, RuntimeError):  # xdg_folder: no home folder is known
        return None
    return Path(name)


def log_lines(error: BaseException) -> Iterator[str]:
    """Yield the lines of the log: versions, and type, message and stack of each error in the chain.

    Values of variables, lines of code and the environment stay out: they may hold secrets.
    """
    yield f"modeltop {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield ""
        yield f"{type(link).__module__}.{type(link).__qualname__}: {sanitize(link, 500)}"
        for frame in traceback.extract_tb(link.__traceback__):
            yield f"  {sanitize(frame.filename, 400)}:{frame.lineno} in {sanitize(frame.name)}"
        link = link.__cause__ or link.__context__
