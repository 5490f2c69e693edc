"""The command line: which command is meant, its arguments, and one line for any error."""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from modeltop import __version__
from modeltop.cli.context import COMMANDS, AppOptions, Context, CoverTerminal, OpenApp, load_command, redirect_to_null
from modeltop.core.errors import MonitorError, OutputError
from modeltop.core.text import sanitize

__all__ = ["AppOptions", "main"]

EXIT_USAGE = 2
EXIT_CHECK_USAGE = 3
"""Exit code of `check` for usage errors: 2 means critical there, and 3 unknown, as for monitoring plugins."""


class _HelpFormatter(argparse.HelpFormatter):
    """Keeps the lines of an epilog apart: one for each exit code."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(super(_HelpFormatter, self)._fill_text(line, width, indent) for line in text.splitlines())


class _ArgumentParser(argparse.ArgumentParser):
    """A parser that reports a usage error in one line, foreign text sanitized."""

    exit_code = EXIT_USAGE

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"modeltop: {sanitize(message, 300)}; see {self.prog} --help\n")
        raise SystemExit(self.exit_code)


def main(
    argv: Sequence[str] | None = None,
    *,
    open_app: OpenApp | None = None,
    unusable_reason: Callable[[], str | None] = lambda: None,
    cover_terminal: CoverTerminal = contextlib.nullcontext,
    check_theme: Callable[[str], None] = lambda _: None,
) -> int:
    """Run one command line.

    Args:
        argv: The words after the program's name; default: those of the process.
        open_app: Runs the app; None if it is not installed.
        unusable_reason: Returns why the app cannot be shown on this terminal; None if it can.
        cover_terminal: Entered as soon as the app is wanted, before anything heavy is imported.
        check_theme: Raises UsageError if the app has no theme of that name.

    Returns:
        The exit code: of `check` 0 ok, 1 warning, 2 critical, 3 unknown or usage; of others 0, or 2 for usage.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    is_check = words[:1] == ["check"]
    # numpy would start one thread per core for linear algebra that is never done here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if words[:1] == ["watch"] and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the configuration, which it asks to reload, is yet to be read
    if is_check:  # its process ends soon, and of the many objects that it makes nearly none is garbage
        gc.disable()
    context = Context(sys.stdin.buffer, sys.stdout, sys.stderr, open_app, unusable_reason, cover_terminal, check_theme)
    try:
        code = _run(words, context)
        context.flush()
    except OutputError as error:
        context.err_line(str(error))
        return EXIT_CHECK_USAGE if is_check else EXIT_USAGE
    except SystemExit as stop:  # argparse has printed the error, or the help
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except BrokenPipeError:
        redirect_to_null(sys.stdout)
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  whatever it is, it ends in one line
        from modeltop.cli.crash_log import report_crash

        code = report_crash(error)
        return EXIT_CHECK_USAGE if is_check else code  # 1 would be a warning, which is not known
    else:
        return code
    finally:
        if is_check:
            gc.enable()


def _open_closed_streams() -> None:
    """Replace what the caller has closed, as `>&-` does, by the null device: the exit code is the answer then."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115  until the process ends


def _run(words: list[str], context: Context) -> int:
    if words[:1] in (["--version"], ["-V"]):
        context.out_line(f"modeltop {__version__}")
        return 0
    if words[:1] in (["--help"], ["-h"]):
        context.out_line(_overview())
        return 0
    name = words.pop(0) if words and words[0] in COMMANDS else "open"
    if name == "open" and (nearest := _misspelt(words)):
        context.err_line(f"no file or command is called {sanitize(words[0], 60)!r}: did you mean `modeltop {nearest}`?")
        return EXIT_USAGE
    configure, run = load_command(name)
    usage_code = EXIT_CHECK_USAGE if name == "check" else EXIT_USAGE
    parser = _ArgumentParser(
        prog=f"modeltop {name}", description=COMMANDS[name], allow_abbrev=False, formatter_class=_HelpFormatter
    )
    parser.exit_code = usage_code
    configure(parser)
    # Options may appear between paths; but argparse then parses what follows `--` as options all the same.
    args = parser.parse_args(words) if "--" in words else parser.parse_intermixed_args(words)
    try:
        code = run(args, context)
    except MonitorError as error:
        for line in str(error).splitlines():
            context.err_line(sanitize(line, 400))
    except ModuleNotFoundError as error:
        context.err_line(f"{sanitize(error.name, 60)} is not installed here: pip install modeltop")
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        context.err_line(f"{sanitize(error.filename, 100)} is longer than file systems allow: name another path")
    else:
        return code
    return usage_code


def _misspelt(words: Sequence[str]) -> str | None:
    if not words or words[0].startswith("-") or os.path.lexists(words[0]):
        return None
    import difflib

    return next(iter(difflib.get_close_matches(words[0], COMMANDS, n=1, cutoff=0.75)), None)


def _overview() -> str:
    width = max(map(len, COMMANDS)) + 2
    rows = [f"  {name:{width}}{text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: modeltop [COMMAND] [PATH ...]",
            "",
            "htop for machine-learning models in production: which one got worse, since when, by how much.",
            "",
            *rows,
            "",
            "`modeltop PATH ...` opens the app; without PATH the store is read. `modeltop COMMAND --help` lists the",
            "options of a command, `modeltop help` the topics of the manual.",
        ]
    )
