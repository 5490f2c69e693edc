"""What every command is handed, and the options that several share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize

if TYPE_CHECKING:
    from modeltop.config.load import Config
    from modeltop.core.incident import WatcherHealth
    from modeltop.rules.rule import Rule
    from modeltop.service.pipeline import Pipeline

COMMANDS = {
    "open": "the app; where there is no terminal for it, the summary",
    "check": "one-shot verdict with an exit code, for cron and CI",
    "alerts": "the alerts that stand, or all of the past",
    "ack": "take an alert: repeats and escalation stop, and the others see who has it",
    "unack": "give an alert back",
    "silence": "add, list or expire silences: alerts that nobody is told of for a while",
    "note": "write down what you know of a model, or list what others wrote",
    "story": "each incident of a model whole: fired, told, taken, worse, over",
    "watch": "look on change and on a timer, and tell receivers: a service, or one run from cron",
    "record": "append one period, or many from stdin, to the store",
    "compute": "prediction logs into history: metrics, drift, estimates",
    "export": "the periods as a table",
    "report": "text, markdown, json or html of everything",
    "init": "write a configuration from the history at hand, with limits and how often each would have fired",
    "rules": "`rules test`: replay rules over history: what would have fired when, how many a month",
    "demo": "the app on a sample fleet of today, in which an incident unfolds within a minute",
    "completion": "what bash, zsh or fish needs to complete this command",
}
"""What `modeltop --help` says of each command."""

_MODULES = {"ack": "acknowledge", "unack": "acknowledge", "alerts": "check", "demo": "open", "story": "timeline"}
"""The module of `modeltop.cli` that has a command, where it is not called as the command."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, imported when it is asked for."""

    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Context], int]


def load_command(name: str) -> Command:
    """Import one command.

    Args:
        name: A key of `COMMANDS`. Where a module has several commands, all but the main one have functions of
            their own, `configure_NAME` and `run_NAME`.
    """
    module = import_module(f"modeltop.cli.{_MODULES.get(name, name)}")
    own = f"_{name}" if hasattr(module, f"run_{name}") else ""
    return Command(getattr(module, f"configure{own}"), getattr(module, f"run{own}"))


_PLAIN = str.maketrans(
    {"▲": "X", "◆": "!", "●": ".", "○": "?", "…": "~", "−": "-", "→": ">", "Δ": "d", "±": "+/-", "×": "x", "·": "-"}
)


@dataclass(frozen=True, slots=True)
class AppOptions:
    """How the screen is to look and behave; None: as the terminal suggests."""

    mouse: bool = True
    ascii: bool | None = None
    theme: str | None = None


OpenApp = Callable[["Pipeline", AppOptions], int]
"""Runs the app until the person leaves it; returns the exit code."""

CoverTerminal = Callable[[], AbstractContextManager[object]]
"""What stands on the screen from the moment the app is wanted until it is there."""


@dataclass(slots=True)
class Context:
    """The rim: streams, the clock, and the app if there is one."""

    stdin: BinaryIO
    out: TextIO
    err: TextIO
    open_app: OpenApp | None = None
    unusable_reason: Callable[[], str | None] = lambda: None
    """Why the app cannot be shown here; None where it can."""
    cover_terminal: CoverTerminal = nullcontext
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def out_line(self, line: str = "") -> None:
        """One line of data on stdout, in the characters that it can take."""
        self.out.write(encodable(line, self.out) + "\n")

    def err_line(self, line: str) -> None:
        """One line of narration on stderr."""
        self.err.write(encodable(f"modeltop: {line}", self.err) + "\n")

    def load_config(self, args: argparse.Namespace) -> Config:
        """The configuration that the arguments name or the machine has. Raises ConfigError."""
        from modeltop.config.load import find, load

        return load(find(args.config))

    def store_folder(self, args: argparse.Namespace) -> Path:
        """`--store`, else `[store] path`, else the XDG data folder."""
        if args.store:
            return Path(args.store)
        from modeltop.history.store.paths import default_folder

        return self.load_config(args).store or default_folder()

    def pipeline(
        self, args: argparse.Namespace, *, failures_before_alert: int = 1, defer_slow_detectors: bool = False
    ) -> Pipeline:
        """What the arguments ask to look at: the paths, else the store.

        Raises:
            ConfigError: The configuration is wrong.
            UsageError: A limit is wrong, or there is neither a path nor a store.
        """
        from modeltop.rules.rule import default_rules
        from modeltop.service.pipeline import Pipeline, state_reader_for

        config = self.load_config(args)
        if limits := limit_rules(args, config):
            config = replace(config, rules=(*(config.rules or default_rules()), *limits))
        paths = [Path(path) for path in args.paths]
        folder = self.store_folder(args)
        if paths and args.store:
            raise UsageError("either paths or --store, not both")
        if not paths and not folder.is_dir():
            raise UsageError(
                f"no history: {sanitize(folder)} is not there; name a CSV file or a folder, or `modeltop record` a period"
            )
        memory = state_reader_for(None if paths else folder, paths, health=_health)
        return Pipeline(
            config,
            paths or [folder],
            live=not paths,
            now=args.now,
            failures_before_alert=failures_before_alert,
            state_reader=memory,
            defer_slow_detectors=defer_slow_detectors,
        )


def _health(folder: Path) -> WatcherHealth | None:
    from modeltop.service.health import read_last_health  # only where something is remembered

    return read_last_health(folder)


def encodable(line: str, stream: TextIO) -> str:
    """The line in characters that the stream's encoding has."""
    encoding = stream.encoding or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return line.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return line
    return line


def add_config(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--store`, which every command knows."""
    parser.add_argument(
        "--config", metavar="FILE", help="the configuration (default: ./modeltop.toml, then the XDG config folder)"
    )
    parser.add_argument("--store", metavar="DIR", help="the store (default: [store] path, then the XDG data folder)")


def add_paths(parser: argparse.ArgumentParser) -> None:
    """What to look at."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="metric CSV files and folders of them; without any, the store"
    )


def add_source(parser: argparse.ArgumentParser) -> None:
    """What to look at, and for which moment."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="metric CSV files and folders of them; without any, the store"
    )
    add_config(parser)
    parser.add_argument(
        "--now",
        type=parse_moment,
        metavar="DATE",
        help="judge as of this moment (default: the newest row; for a store, the clock)",
    )
    for side, word in (("below", "falls below"), ("above", "rises above")):
        parser.add_argument(
            f"--{side}",
            action="append",
            default=[],
            metavar="METRIC=LIMIT",
            help=f"critical where METRIC {word} LIMIT; replaces all other rules of that metric",
        )


def parse_moment(text: str) -> datetime:
    """A date or time on the command line; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{sanitize(text)!r} is no ISO 8601 date such as 2025-01-10") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def limit_rules(args: argparse.Namespace, config: Config) -> list[Rule]:
    """`--below` and `--above` as rules, one a metric. Raises UsageError."""
    from modeltop.rules.rule import limit_rule

    sides: dict[str, dict[str, float]] = {}
    for side in ("below", "above"):
        for text in getattr(args, side):
            metric, value = _limit(text, side)
            sides.setdefault(config.catalog.canonical(metric), {})[side] = value
    try:
        return [limit_rule(metric, **limits) for metric, limits in sides.items()]
    except ValueError as error:
        raise UsageError(str(error)) from None


def _limit(text: str, side: str) -> tuple[str, float]:
    metric, equals, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not metric.strip() or not equals or value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
        raise UsageError(f"--{side} {sanitize(text)}: write METRIC=NUMBER, such as --{side} accuracy=0.8")
    return metric.strip(), value


def recorded_message(number: int, noun: str, models: Iterable[str], folder: Path) -> str:
    """What was kept, as one line for a person."""
    names = list(models)
    whose = f" of {sanitize(names[0], 60) if len(names) == 1 else pluralize(len(names), 'model')}" if names else ""
    return f"recorded {number:,} {noun if number == 1 else noun + 's'}{whose} in {sanitize(folder)}"
