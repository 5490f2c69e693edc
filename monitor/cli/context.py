"""The commands, the context in which they run, and the arguments that several share."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from modeltop.cli.layout import add_layout, given_flags
from modeltop.core.errors import OutputError, UsageError
from modeltop.core.text import sanitize, to_encoding

if TYPE_CHECKING:
    from modeltop.config.load import Config
    from modeltop.core.incident import WatcherHealth
    from modeltop.core.series import History, ReadProblem
    from modeltop.rules.rule import Rule
    from modeltop.rules.snapshot import Snapshot
    from modeltop.service.pipeline import Pipeline

COMMANDS = {
    "open": "open the app; without a terminal, print a summary",
    "check": "one-shot verdict with an exit code, for cron and CI",
    "alerts": "active alerts, or all past ones",
    "ack": "acknowledge an incident: stops reminders and escalation",
    "unack": "undo an acknowledgement",
    "silence": "mute notifications for a model or matching alerts",
    "baseline": "accept the periods after a retraining or release as the new baseline",
    "note": "add a note to a model, or list its notes",
    "story": "incident timeline: fired, notified, acknowledged, escalated, resolved",
    "watch": "monitor continuously and notify receivers: a service, or one run from cron",
    "record": "append one period, or many from stdin, to the store",
    "compute": "compute metrics, drift and estimates from prediction logs",
    "export": "print the periods as a table",
    "report": "report on everything as text, markdown, json or html",
    "inspect": "what each column of a file is read as, and the settings for it",
    "init": "generate a config from existing history, with limits backtested on it",
    "rules": "`rules test`: backtest rules: what would have fired, and how often",
    "demo": "open the app on a sample fleet, with a live incident after 1 minute",
    "help": "the manual: topics such as rules, alerting, python, keys",
    "paths": "where configuration, history, store, state and cache lie",
    "prune": "delete old periods from the store; lists them without --apply",
    "completion": "shell completion for bash, zsh or fish",
}

_MODULES = {"ack": "acknowledge", "unack": "acknowledge", "alerts": "check", "story": "timeline"}
CONFIG_HELP = "the configuration (default: ./modeltop.toml, then the XDG config folder)"
MAX_PROBLEMS = 20
"""Problems of reading that are printed one by one."""
FAILURES_BEFORE_ALERT = 3
"""Runs in a row in which a source must fail before app or daemon raise an alert: a file may be between two names."""


def load_command(
    name: str,
) -> tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace, Context], int]]:
    """Import a command, a key of `COMMANDS`; return the functions that configure its parser and run it.

    If a module has several commands, all but the main one have functions called `configure_NAME` and `run_NAME`.
    """
    module = import_module(f"modeltop.cli.{_MODULES.get(name, name)}")
    suffix = f"_{name}" if hasattr(module, f"run_{name}") else ""
    return getattr(module, f"configure{suffix}"), getattr(module, f"run{suffix}")


@dataclass(frozen=True, slots=True)
class AppOptions:
    """How the app looks and behaves."""

    mouse: bool = True
    """Whether the app reacts to the mouse, so that the terminal cannot select text by it."""
    ascii: bool | None = None
    theme: str | None = None
    """A theme of the app or of Textual; None: by the background of the terminal."""
    bell: bool = True
    """Whether the terminal bell rings when a model gets a problem while the app is open."""
    guide: tuple[tuple[str, str], ...] = ()
    """Hints for the last line, one after the other: the keys that lead to the next one, and the text."""
    goto: str = ""


OpenApp = Callable[["Pipeline", AppOptions], int]

CoverTerminal = Callable[[], AbstractContextManager[object]]
"""A function whose context covers the screen from the moment the app is wanted until its first frame."""


def redirect_to_null(stream: TextIO) -> None:
    """Point the stream's descriptor elsewhere, so that the interpreter's last flush does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@dataclass(slots=True)
class Context:
    """The environment of a command: streams, the clock, and the app if it is installed."""

    stdin: BinaryIO
    out: TextIO
    err: TextIO
    open_app: OpenApp | None = None
    unusable_reason: Callable[[], str | None] = lambda: None
    """Why the app cannot be shown on this terminal; None if it can."""
    cover_terminal: CoverTerminal = nullcontext
    check_theme: Callable[[str], None] = lambda _: None
    """Raises UsageError if the app has no theme of that name."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Aware."""
    _piped: bytes | None = None

    def out_line(self, line: str = "") -> None:
        """Write a line of data to stdout, in the characters of its encoding."""
        self.write(encodable(line, self.out) + "\n")

    def write(self, text: str) -> None:
        """Write data to stdout as it is; raise BrokenPipeError, or OutputError if it cannot be written."""
        with self._output_errors():
            self.out.write(text)

    def flush(self) -> None:
        """Write what is buffered for stdout; raises as `write` does."""
        with self._output_errors():
            self.out.flush()

    @contextmanager
    def _output_errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            redirect_to_null(self.out)
            raise OutputError(f"standard output cannot be written: {error.strerror}") from None

    def out_lines(self, lines: Iterable[str]) -> None:
        """Write lines of data to stdout, in the characters of its encoding."""
        for line in lines:
            self.out_line(line)

    @contextmanager
    def output_may_be_closed(self) -> Iterator[None]:
        """Write to what may not take it, as `head` or a full disk: the exit code is still that of what was found."""
        try:
            yield
            self.flush()
        except BrokenPipeError:
            redirect_to_null(self.out)
        except OutputError as error:
            self.err_line(str(error))

    def out_json(self, value: object) -> None:
        """Write a value to stdout as JSON, ASCII-escaped; NaN is a programming error."""
        self.out_line(json.dumps(value, allow_nan=False, indent=1))

    def err_line(self, line: str) -> None:
        """Write a line for a person to stderr; that it cannot be written changes nothing of what was done."""
        try:
            self.err.write(encodable(f"modeltop: {line}", self.err) + "\n")
        except OSError:
            redirect_to_null(self.err)

    def err_problems(self, problems: Sequence[ReadProblem]) -> None:
        """Write read problems to stderr: a line a fault, for the first 20."""
        from modeltop.report.phrases import problem_lines  # late: few commands print any

        lines = problem_lines(problems)
        for line in lines[:MAX_PROBLEMS]:
            self.err_line(line)
        if len(lines) > MAX_PROBLEMS:
            self.err_line(f"and {len(lines) - MAX_PROBLEMS:,} more; --json lists them all")

    def nothing_read(self, history: History, start: str) -> str:
        """Return why there is no history, a line a fault, and commands to go on with."""
        from modeltop.report.phrases import next_commands, problem_lines  # late: as above

        lines = problem_lines(history.problems) or [f"{start}: no period of any metric could be read"]
        return "\n".join(filter(None, (*lines, next_commands(history.problems))))

    def load_config(self, args: argparse.Namespace) -> Config:
        """Load the configuration that `--config` names or the machine has; raise ConfigError if it is wrong."""
        from modeltop.config.load import find, load

        return with_flags(load(find(args.config)), args)

    def current_name(self, model: str, args: argparse.Namespace) -> str:
        """Return the name that a model has now, also of an earlier one; raises as `load_config` does."""
        return self.load_config(args).model_aliases.get(model, model)

    def store_folder(self, args: argparse.Namespace, config: Config | None = None) -> Path:
        """Return `--store`, else the store of the configuration, loaded if not given, else the XDG data folder."""
        from modeltop.history.locations import is_address
        from modeltop.history.store.paths import default_folder

        if args.store:
            if is_address(args.store):
                raise UsageError(f"--store {sanitize(args.store)} is an address: name a folder")
            return Path(args.store)
        return (config or self.load_config(args)).store or default_folder()

    def sources(self, args: argparse.Namespace, config: Config) -> list[str]:
        """Return the paths and addresses to read history from: those of the arguments, else the store.

        Raises:
            UsageError: Both are given, or there is no store.
        """
        check_paths_or_store(args)
        if args.paths:
            # A Path would take two of the slashes of `sqlite:///x.db`.
            paths = [path if ":" in path else str(Path(path)) for path in args.paths]
            return [f"{path}/**" if args.recursive and Path(path).is_dir() else path for path in paths]
        folder = self.store_folder(args, config)
        if not folder.is_dir():
            from modeltop.history.locations import nearest_path

            near = nearest_path(str(folder)) if args.store else None
            remedy = f"Did you mean {sanitize(near)}?" if near else "Try: modeltop FILE.csv, modeltop demo"
            raise UsageError(f"no history found in {sanitize(folder)}. {remedy}")
        return [str(folder)]

    def piped(self, args: argparse.Namespace) -> bytes | None:
        """Return what comes in by standard input, read once; None if `-` is none of the paths.

        Raises:
            UsageError: It is a terminal, or more than the largest file that is read.
        """
        from modeltop.history.files import MAX_BYTES, STDIN

        if STDIN not in args.paths:
            return None
        if self._piped is None:
            if self.stdin.isatty():
                raise UsageError("nothing is piped in. Try: COMMAND | modeltop check -")
            self._piped = self.stdin.read(MAX_BYTES + 1)
        if len(self._piped) > MAX_BYTES:
            raise UsageError(f"more than {MAX_BYTES // 2**20} MB came in: aggregate it by period")
        return self._piped

    def pipeline(self, args: argparse.Namespace, *, for_app: bool = False) -> Pipeline:
        """Return the pipeline over the data that the arguments name: the paths, else the store.

        Args:
            args: As `add_source` or `add_data` reads them.
            for_app: Whether it will be run again and again: a source is an alert once it has failed three times in a
                row, and the first snapshot comes without slow detectors.

        Raises:
            ConfigError: The configuration is wrong.
            UsageError: A limit is wrong, or there is neither a path nor a store.
        """
        from modeltop.rules.defaults import rules_in_force
        from modeltop.service.pipeline import Pipeline, make_reader, state_reader_for

        config = self.load_config(args)
        if limits := limit_rules(args, config):
            config = replace(config, rules=(*rules_in_force(config.rules, config.defaults), *limits))
        sources = self.sources(args, config)
        store = None if args.paths else Path(sources[0])
        state_reader = state_reader_for(store, args.paths, health=_watcher_health)
        return Pipeline(
            config,
            sources,
            live=not args.paths,
            now=args.now,
            failures_before_alert=FAILURES_BEFORE_ALERT if for_app else 1,
            state_reader=state_reader,
            defer_slow_detectors=for_app,
            reader=make_reader(config, sources, self.piped(args)),
        )

    def snapshot(self, args: argparse.Namespace) -> Snapshot:
        """Evaluate the data that the arguments name now, once; raises as `pipeline` does."""
        return self.pipeline(args).run(self.clock())


def _watcher_health(folder: Path) -> WatcherHealth | None:
    from modeltop.service.health import read_last_health  # late: only if there is a state folder

    return read_last_health(folder)


def check_paths_or_store(args: argparse.Namespace) -> None:
    """Raise UsageError if arguments name both paths and a store, or an empty path."""
    if not all(args.paths) or args.store == "":
        # pathlib would take it for the working directory.
        raise UsageError("a path is empty: is a variable not set?")
    if args.paths and args.store:
        raise UsageError("either paths or --store, not both")


def with_flags(config: Config, args: argparse.Namespace) -> Config:
    """Return the configuration with what flags of the command line say about the columns of files."""
    if not (given := given_flags(args)):
        return config
    from modeltop.config.sources import parse_flags  # late: few command lines have any

    return replace(config, sources=replace(config.sources, flags=parse_flags(given)))


def encodable(line: str, stream: TextIO) -> str:
    """Return the line in characters that the stream's encoding has."""
    return to_encoding(line, stream.encoding or "utf-8")


def add_config(parser: argparse.ArgumentParser, text: str = CONFIG_HELP) -> None:
    """Add `--config`, with its help, and `--store`."""
    parser.add_argument("--config", metavar="FILE", help=text)
    parser.add_argument("--store", metavar="DIR", help="the store (default: [store] path, then the XDG data folder)")


def add_data(parser: argparse.ArgumentParser, config_help: str = CONFIG_HELP) -> None:
    """Add the arguments for the data: paths, `--config` and `--store`; the defaults evaluate it as of its own time."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="metric files, folders of them, patterns, addresses, or - for standard input; without any, the store",
    )
    add_recursive(parser)
    add_config(parser, config_help)
    add_layout(parser)
    parser.set_defaults(now=None, below=[], above=[])


def add_recursive(parser: argparse.ArgumentParser) -> None:
    """Add `--recursive`, with its help."""
    parser.add_argument("--recursive", action="store_true", help="read the folders below each folder too")


def add_now(parser: argparse.ArgumentParser, text: str) -> None:
    """Add `--now`, a moment, with its help."""
    parser.add_argument("--now", type=parse_moment, metavar="DATE", help=text)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add arguments for the data, the moment as of which it is evaluated, and limits."""
    add_data(parser)
    add_now(parser, "evaluate as of DATE, ignoring later rows (default: the newest row; for a store, now)")
    for side, word in (("below", "falls below"), ("above", "rises above")):
        parser.add_argument(
            f"--{side}",
            action="append",
            default=[],
            metavar="METRIC=LIMIT",
            help=f"critical where METRIC {word} LIMIT; replaces all other rules of that metric",
        )


def parse_moment(text: str) -> datetime:
    """Return a date or time of the command line, aware; without a zone it is UTC.

    Raises:
        ArgumentTypeError: It is none of ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"invalid date {sanitize(text)!r}: write ISO 8601 such as 2025-01-10"
        ) from None


def limit_rules(args: argparse.Namespace, config: Config) -> list[Rule]:
    """Return `--below` and `--above` as rules, one per metric; raise UsageError if a limit makes no sense."""
    from modeltop.rules.rule import limit_rule

    limits: dict[tuple[str, str, str | None], dict[str, float]] = {}
    for side in ("below", "above"):
        for text in getattr(args, side):
            metric, value = _parse_limit(text, side)
            normalized = config.catalog.normalize(metric)
            if normalized.sign < 0:
                raise UsageError(
                    f"--{side} {sanitize(text)}: write it for {normalized.metric}, which has the other sign"
                )
            split = None if normalized.is_offline else normalized.split
            limits.setdefault((normalized.metric, normalized.own_segment, split), {})[side] = value
    try:
        return [limit_rule(metric, segment=seg, split=split, **sides) for (metric, seg, split), sides in limits.items()]
    except ValueError as error:
        raise UsageError(str(error)) from None


def _parse_limit(text: str, side: str) -> tuple[str, float]:
    metric, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not metric.strip() or not math.isfinite(value):
        raise UsageError(f"--{side} {sanitize(text)}: write METRIC=NUMBER, such as --{side} accuracy=0.8")
    return metric.strip(), value
