"""The programs to measure: modeltop, an empty Textual app, and `wandb leet` where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.base import ROOT
from tests.benchmarks.terminal import SMALL, Terminal

SAMPLE_FLEET = ROOT / "sample_data" / "fleet"
MODELTOP = (sys.executable, "-m", "modeltop_tui")
EMPTY_APP = (sys.executable, str(Path(__file__).with_name("empty_app.py")))
READY_TEXT = ["q quit"]
"""Text of the footer, which the first frame has with or without data."""


def environment(home: Path) -> dict[str, str]:
    """Return environment variables with all folders of the user under `home`."""
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


def modeltop(home: Path, *args: str | Path, rate: int | None = None, size: tuple[int, int] = SMALL) -> Terminal:
    """Start the app on these paths in 256 colors; `rate` is in bytes per second, `size` in columns and rows."""
    return Terminal([*MODELTOP, *map(str, args)], env=environment(home), cwd=home, rate=rate, size=size)


def clear_state(home: Path) -> None:
    """Remove the state of earlier runs of the app."""
    shutil.rmtree(home, ignore_errors=True)


def time_to_show(home: Path, path: Path, texts: Sequence[str], quiet_seconds: float) -> float:
    """Return the seconds from exec until the app shows all texts, and quit it.

    Args:
        home: Home directory of the app.
        path: Metrics to open.
        texts: Texts to wait for.
        quiet_seconds: Seconds without output after which the app has shown everything and is quit.
    """
    with modeltop(home, path) as terminal:
        match = terminal.wait_for(texts)
        terminal.wait_until_live(quiet_seconds)
        terminal.send_keys(b"q")
        terminal.wait_for_exit()
    return match.seconds


class ProcessRun(NamedTuple):
    """A process from exec to its end."""

    seconds: float
    cpu: float
    """Seconds of processors, those of its children included."""
    peak: int
    """Largest resident size in bytes, of it or of a child."""


def run_process(argv: Sequence[str], home: Path) -> ProcessRun:
    """Run a program whose output and exit code do not matter."""
    started_at = time.perf_counter()
    process = subprocess.Popen(argv, env=environment(home), cwd=home, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    seconds = time.perf_counter() - started_at
    return ProcessRun(seconds, usage.ru_utime + usage.ru_stime, 1024 * usage.ru_maxrss)


class WorstAlert(NamedTuple):
    """Alert that the app must show first."""

    model: str
    message: str


def worst_alert(home: Path, *paths: Path) -> WorstAlert:
    """Return the first alert that `check` prints: app and `check` have the same order."""
    argv = [*MODELTOP, "check", "--json", *map(str, paths)]
    completed = subprocess.run(argv, env=environment(home), cwd=home, capture_output=True, text=True, check=False)
    first = json.loads(completed.stdout)["alerts"][0]
    return WorstAlert(first["model"], first["message"])


class LeetRun(NamedTuple):
    """Recorded run that `wandb leet` opens."""

    argv: Sequence[str]
    expected_text: Sequence[str]
    """Name of the run's first metric and its last value."""
    home: Path

    def time_to_open(self) -> float:
        """Return the seconds from exec until the screen shows name and value of a chart."""
        with Terminal(self.argv, env=_wandb_environment(self.home), cwd=self.home) as terminal:
            return terminal.wait_for(self.expected_text).seconds


def record_leet_run(home: Path, rows: Sequence[Mapping[str, float]]) -> LeetRun | None:
    """Record an offline run with one step for each row of metrics; None where `wandb` is not installed."""
    executable = os.environ.get("MODELTOP_BENCH_WANDB") or shutil.which("wandb")
    if executable is None or not Path(executable).exists():
        return None
    script = Path(executable).read_text(encoding="utf-8", errors="replace").splitlines()[0]
    argv = [script.removeprefix("#!").strip(), "-c", _LOG_SCRIPT, str(home)]
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        argv, env=_wandb_environment(home), input=json.dumps(rows), text=True, check=True, capture_output=True, cwd=home
    )
    [run] = home.glob("wandb/offline-run-*/*.wandb")
    name = min(name for row in rows for name in row)
    value = [row[name] for row in rows if name in row][-1]
    return LeetRun([executable, "leet", "run", str(run)], [name, f"{value:g}"], home)


def _wandb_environment(home: Path) -> dict[str, str]:
    return environment(home) | {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}


_LOG_SCRIPT = """
import json, sys, wandb
settings = wandb.Settings(x_disable_stats=True, silent=True, console="off")
run = wandb.init(project="benchmark", mode="offline", dir=sys.argv[1], settings=settings)
for row in json.load(sys.stdin):
    run.log(row)
run.finish()
"""
