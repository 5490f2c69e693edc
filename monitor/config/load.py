"""TOML → ready objects. Nothing below this room knows that TOML exists.

A file is validated as a whole before anything runs: every error names the dotted key and the nearest valid name.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeltop.alerting.routing import MuteTimeInterval, Route, WatchSettings
from modeltop.config.alerting import parse_mutes, parse_routes, parse_watch, parse_zone
from modeltop.config.baselines import parse_past_baseline
from modeltop.config.rules import parse_metrics, parse_rules
from modeltop.config.table import TableReader
from modeltop.core.errors import ConfigError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity
from modeltop.rules.baselines.past import ROLLING, PastBaseline
from modeltop.rules.rule import Rule

if TYPE_CHECKING:
    from modeltop.alerting.notifiers.base import Receiver
    from modeltop.predictions.spec import LogSettings

NAME = "modeltop.toml"
SIZE_LIMIT = 1_000_000
"""Bytes; a configuration is written by hand, so a larger file is a mistake."""

SEVERITIES = {
    "ok": Severity.OK,
    "warning": Severity.WARNING,
    "unknown": Severity.UNKNOWN,
    "critical": Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Config:
    """What was configured, ready to use; without a file, what holds by default."""

    path: Path | None = None
    rules: tuple[Rule, ...] = ()
    """Empty where none are configured: then the default floors hold."""
    catalog: MetricRegistry = field(default_factory=MetricRegistry)
    store: Path | None = None
    zone: tzinfo = UTC
    """The zone of dates that carry none."""
    baseline: PastBaseline = ROLLING
    """With which earlier periods the change summary compares."""
    stale_after: timedelta | None = None
    """Age of a model's newest row at which no data is an alert; None: derived from its own past gaps."""
    on_no_data: Severity = Severity.UNKNOWN
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    """Who can be told, in the order in which one takes over from another."""
    routes: tuple[Route, ...] = ()
    mutes: tuple[MuteTimeInterval, ...] = ()
    watch: WatchSettings = field(default_factory=WatchSettings)
    logs: Mapping[str, LogSettings] = field(default_factory=dict)
    """Prediction logs that `compute` turns into history."""


def find(named: str | None = None) -> Path | None:
    """The configuration file: the named one, else in the working directory, else in the XDG config folder."""
    return Path(named) if named is not None else next((path for path in candidate_paths() if path.is_file()), None)


def candidate_paths(found: Path | None = None) -> tuple[Path, ...]:
    """Where a configuration is looked for, and the one that was found: what these files say decides what is judged."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111  never fails, unlike Path.home
    usual = (Path(NAME), Path(home) / "modeltop" / NAME)
    return usual if found is None or found in usual else (found, *usual)


def load(path: Path | None) -> Config:
    """Read and validate a configuration.

    Raises:
        ConfigError: One line per mistake; the file is used whole or not at all.
    """
    return Config() if path is None else from_tables(read_tables(path), path)


def from_tables(data: Mapping[str, Any], path: Path) -> Config:
    """The configuration that a file of these tables would be.

    Args:
        data: As `tomllib` gives them.
        path: The file, which need not exist: mistakes are said to be in it, and relative paths begin at its folder.

    Raises:
        ConfigError: As `load` does.
    """
    top = TableReader("", data)
    zone = parse_zone(top, "timezone") or UTC
    people = top.table("receivers")
    named = tuple(people.data)
    config = Config(
        path=path,
        catalog=(catalog := MetricRegistry(metrics := parse_metrics(top.table("metrics")))),
        baseline=parse_past_baseline(top, catalog),
        rules=parse_rules(top.tables("rules"), metrics, receivers=named),
        store=_store(top.table("store"), path.parent),
        zone=zone,
        receivers=_receivers(people, path.parent),
        routes=parse_routes(top.tables("routes"), named, zone),
        mutes=parse_mutes(top.tables("mutes"), zone),
        watch=parse_watch(top.table("watch"), path.parent),
        logs=_logs(top.table("logs"), path.parent, str(zone)),
        stale_after=top.duration("stale_after"),
        on_no_data=SEVERITIES[top.choice("on_no_data", tuple(SEVERITIES), "unknown")],
    )
    top.check_unknown_keys()
    if top.errors:
        raise ConfigError("\n".join(f"{path}: {mistake}" for mistake in top.errors))
    return config


def read_tables(path: Path) -> Mapping[str, Any]:
    """What a configuration says, unjudged. Raises ConfigError where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name another with --config") from error
    if len(data) > SIZE_LIMIT:
        raise ConfigError(f"{path}: larger than {SIZE_LIMIT:,} bytes; is this the configuration?")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _receivers(table: TableReader, base: Path) -> Mapping[str, Receiver]:
    if not table.data:
        return {}
    from modeltop.config.alerting import parse_receivers  # most files name nobody who is to be told

    return parse_receivers(table, base)


def _logs(table: TableReader, base: Path, timezone: str) -> Mapping[str, LogSettings]:
    if not table.data:
        return {}
    from modeltop.config.predictions import parse_logs  # most files configure no log

    return parse_logs(table, base, timezone)


def _store(table: TableReader, base: Path) -> Path | None:
    path = table.text("path")
    return None if path is None else base / os.path.expanduser(path)  # noqa: PTH111  never fails on an unknown user
