"""The configuration file, from TOML to ready objects; no package below this one knows that TOML exists.

The entire file is validated before anything runs: every error names the dotted key and the nearest valid name.
"""

from __future__ import annotations

import contextlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeltop.alerting.notifiers.base import Receiver
from modeltop.alerting.routing import MuteTimeInterval, Route, WatchSettings
from modeltop.config.alerting import parse_mutes, parse_receivers, parse_routes, parse_watch
from modeltop.config.baselines import parse_past_baseline
from modeltop.config.calendar import parse_calendar
from modeltop.config.locate import line_of
from modeltop.config.rules import parse_metrics, parse_rules
from modeltop.config.sources import parse_sources
from modeltop.config.table import TableReader
from modeltop.core.calendar import CalendarEvent
from modeltop.core.errors import ConfigError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity
from modeltop.history.csv.layout import NO_SOURCES, Sources
from modeltop.history.files import kind_of, xdg_folder
from modeltop.history.locations import nearest_path
from modeltop.rules.baselines.past import ROLLING, PastBaseline
from modeltop.rules.defaults import Defaults
from modeltop.rules.rule import Rule

if TYPE_CHECKING:
    from modeltop.predictions.spec import LogSettings

NAME = "modeltop.toml"
SIZE_LIMIT = 1_000_000
MAX_DEPTH = 50
"""Parts of a dotted key: the parser takes time and memory by their square."""
_KEY_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
DEEP_KEY = re.compile(rf"(?m)(?:^|[{{,\[])[ \t]*+(?:{_KEY_PART}){{{MAX_DEPTH}}}")
MAX_TABLES = 10_000
"""Tables in a file, nested ones included: each is validated."""
MAX_MISTAKES = 20
"""Mistakes that are each reported, with their lines: finding one takes time."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration, ready to use; without a file, the defaults."""

    path: Path | None = None
    rules: tuple[Rule, ...] = ()
    """Those that are configured; `modeltop.rules.defaults.rules_in_force` adds the default ones."""
    catalog: MetricRegistry = field(default_factory=MetricRegistry)
    model_aliases: Mapping[str, str] = field(default_factory=dict)
    store: Path | None = None
    zone: tzinfo = UTC
    """Time zone of dates that carry none."""
    sources: Sources = NO_SOURCES
    """What the columns of files are."""
    baseline: PastBaseline = ROLLING
    """The earlier periods with which the change summary compares."""
    stale_after: timedelta | None = None
    """Age of a model's newest row at which no data is an alert; None: derived from its own past gaps."""
    on_no_data: Severity = Severity.UNKNOWN
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    mutes: tuple[MuteTimeInterval, ...] = ()
    calendar: tuple[CalendarEvent, ...] = ()
    watch: WatchSettings = field(default_factory=WatchSettings)
    defaults: Defaults = field(default_factory=Defaults)
    logs: Mapping[str, LogSettings] = field(default_factory=dict)
    """By name, the prediction logs that `compute` turns into history."""


def find(name: str | None = None) -> Path | None:
    """Return the configuration file: the named one, else in the working directory, else in the XDG config folder."""
    return Path(name) if name is not None else next((path for path in candidate_paths() if path.is_file()), None)


def candidate_paths(path: Path | None = None) -> tuple[Path, ...]:
    """Return the paths that are searched for a configuration, with the one that was read."""
    candidates = [Path(NAME)]
    with contextlib.suppress(RuntimeError):  # without a home folder, the working directory alone
        candidates.append(xdg_folder("config") / NAME)
    return tuple(dict.fromkeys([path, *candidates] if path else candidates))


def load(path: Path | None) -> Config:
    """Read and validate a configuration, None for the defaults; raise ConfigError with a line per mistake."""
    if path is None:
        return Config()
    text = read_text(path)
    return from_tables(parse_tables(text, path), path, text)


def from_tables(data: Mapping[str, Any], path: Path, text: str = "") -> Config:
    """Return the configuration that a file of these tables would be.

    Args:
        data: As `tomllib` gives them.
        path: The file, which need not exist: mistakes are reported as in it, and relative paths start at its folder.
        text: Its text, so that mistakes name the line.

    Raises:
        ConfigError: One line per mistake.
    """
    top = TableReader("", data, path.parent)
    zone = top.zone("timezone") or UTC
    receivers = top.table("receivers")
    names = tuple(receivers.data)
    metrics = parse_metrics(top.table("metrics"))
    catalog = MetricRegistry(metrics)
    config = Config(
        path=path,
        catalog=catalog,
        model_aliases=_model_aliases(top.table("models")),
        baseline=parse_past_baseline(top, catalog),
        rules=parse_rules(top.tables("rules"), metrics, names),
        defaults=top.table("defaults").build(Defaults) or Defaults(),
        store=top.table("store").path("path"),
        zone=zone,
        sources=parse_sources(top.table("sources")),
        receivers=parse_receivers(receivers),
        routes=parse_routes(top.tables("routes"), names, zone),
        mutes=parse_mutes(top.tables("mutes"), zone),
        calendar=parse_calendar(top.tables("calendar"), zone),
        watch=parse_watch(top.table("watch")),
        logs=_logs(top.table("logs"), str(zone)),
        stale_after=top.duration("stale_after"),
        on_no_data=Severity[
            (top.choice("on_no_data", [level.name.lower() for level in Severity]) or "unknown").upper()
        ],
    )
    top.check_unknown_keys()
    if top.errors:
        lines = [f"{path}: {message}{_at_line(text, message)}" for message in top.errors[:MAX_MISTAKES]]
        if len(top.errors) > MAX_MISTAKES:
            lines.append(f"{path}: {len(top.errors) - MAX_MISTAKES:,} more mistakes")
        raise ConfigError("\n".join(lines))
    return config


def _at_line(text: str, message: str) -> str:
    line = line_of(text, message.partition(": ")[0])
    return "" if line is None else f" (line {line})"


def read_text(path: Path) -> str:
    """Return the text of a configuration; raise ConfigError if it cannot be read, is too large or not UTF-8."""
    try:
        kind = kind_of(path.stat().st_mode)
        if kind is not None and os.fspath(path) != os.devnull:
            raise ConfigError(f"{path}: this is a {kind}, not a file: name the configuration")
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        near = nearest_path(str(path)) if isinstance(error, FileNotFoundError) else None
        remedy = f"did you mean {near}?" if near else "check the path"
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; {remedy}") from error
    if len(data) > SIZE_LIMIT:
        raise ConfigError(f"{path}: larger than {SIZE_LIMIT:,} bytes; is this the configuration?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error


def parse_tables(text: str, path: Path) -> Mapping[str, Any]:
    """Return the tables of a configuration, not validated.

    Args:
        text: Its text.
        path: The file, to report mistakes.

    Raises:
        ConfigError: It is not TOML.
    """
    if (key := DEEP_KEY.search(text)) is not None:
        line = text.count("\n", 0, key.start()) + 1
        raise ConfigError(f"{path}:{line}: a key of more than {MAX_DEPTH} parts; is this the configuration?")
    try:
        tables = tomllib.loads(text)
        if (count := _count_tables(tables)) > MAX_TABLES:
            raise ConfigError(f"{path}: {count:,} tables, more than {MAX_TABLES:,}; is this the configuration?")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply; is this the configuration?") from None
    except ValueError:
        raise ConfigError(f"{path}: a number of thousands of digits; is this the configuration?") from None
    return tables


def _count_tables(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count_tables, value.values()))
    return sum(map(_count_tables, value)) if isinstance(value, list) else 0


def _model_aliases(table: TableReader) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for name in table.data:
        model = table.table(name)
        for alias in model.strings("aliases") or ():
            if alias in table.data:
                model.error("aliases", f"`{alias}` has a table of its own: remove that, or this alias")
            elif alias in aliases:
                model.error("aliases", f"`{alias}` is also an alias of `{aliases[alias]}`: give it to one model")
            else:
                aliases[alias] = name
    return aliases


def _logs(table: TableReader, timezone: str) -> Mapping[str, LogSettings]:
    if not table.data:
        return {}
    from modeltop.config.predictions import parse_logs  # late: most files configure no log

    return parse_logs(table, timezone)
