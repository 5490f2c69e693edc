"""The programs that are watched: modeltop, an empty Textual app, and `wandb leet` where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.base import ROOT
from tests.benchmarks.terminal import Terminal

SAMPLE = ROOT / "sample_data" / "fleet"
MODELTOP = (sys.executable, "-m", "modeltop_tui")
EMPTY = (sys.executable, str(Path(__file__).with_name("empty_app.py")))
READY = ["q quit"]
"""In the footer: what a first frame has, with or without data."""


def environment(home: Path) -> dict[str, str]:
    """A bare one in which nothing of the machine's owner is found."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / ".dev"),
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


def modeltop(home: Path, *args: str | Path, rate: int | None = None) -> Terminal:
    """The app on these paths, in 80x24 and 256 colours."""
    return Terminal([*MODELTOP, *map(str, args)], env=environment(home), cwd=home, rate=rate)


def forget(home: Path) -> None:
    """Remove whatever the app has kept of earlier runs."""
    shutil.rmtree(home, ignore_errors=True)


class Worst(NamedTuple):
    """What the app must show first."""

    model: str
    message: str


def worst(home: Path, *paths: Path) -> Worst:
    """The first of the alerts that `check` prints: both use one order."""
    argv = [*MODELTOP, "check", "--json", *map(str, paths)]
    done = subprocess.run(argv, env=environment(home), cwd=home, capture_output=True, text=True, check=False)
    first = json.loads(done.stdout)["alerts"][0]
    return Worst(first["model"], first["message"])


class Leet(NamedTuple):
    """`wandb leet` with a run to open."""

    argv: Sequence[str]
    words: Sequence[str]
    """The name of the run's first metric and its last value."""
    home: Path

    def opens(self) -> float:
        """Seconds from exec until a chart's name and its value stand on the screen."""
        with Terminal(self.argv, env=_quiet(self.home), cwd=self.home) as terminal:
            return terminal.until(self.words).seconds


def leet(home: Path, rows: Sequence[Mapping[str, float]]) -> Leet | None:
    """An offline run with these metrics, a step a row; None where `wandb` is not installed."""
    found = os.environ.get("MODELTOP_BENCH_WANDB") or shutil.which("wandb")
    if found is None or not Path(found).exists():
        return None
    script = Path(found).read_text(encoding="utf-8", errors="replace").splitlines()[0]
    argv = [script.removeprefix("#!").strip(), "-c", _LOG, str(home)]
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(argv, env=_quiet(home), input=json.dumps(rows), text=True, check=True, capture_output=True, cwd=home)
    [run] = home.glob("wandb/offline-run-*/*.wandb")
    name = min(name for row in rows for name in row)
    value = [row[name] for row in rows if name in row][-1]
    return Leet([found, "leet", "run", str(run)], [name, f"{value:g}"], home)


def _quiet(home: Path) -> dict[str, str]:
    return environment(home) | {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}


_LOG = """
import json, sys, wandb
settings = wandb.Settings(x_disable_stats=True, silent=True, console="off")
run = wandb.init(project="benchmark", mode="offline", dir=sys.argv[1], settings=settings)
for row in json.load(sys.stdin):
    run.log(row)
run.finish()
"""
