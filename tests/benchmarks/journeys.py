"""Five journeys through the code, traced while they run: the files and packages that each one enters.

A person who follows a journey through the code opens these files, and steps from package to package as often as there
are pairs. Each journey runs in a fresh process under `tests/benchmarks/tracer.py`, on data of its own. With
MODELTOP_OTHER=DIR the same is done to the checkout at DIR, and both stand side by side.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.base import ROOT, Bench, Finding, row
from tests.benchmarks.checkout import Figure, Tree, here, other, package, side_by_side
from tests.benchmarks.programs import READY, environment
from tests.benchmarks.terminal import Terminal

TRACER = Path(__file__).with_name("tracer.py")
LIMIT = 60.0
"""Seconds that one step of a journey may take; the tracer slows a program down about threefold."""
QUIET = 1.0
"""Seconds without output after which the screen is taken to be complete."""
LOG = ROOT / "sample_data" / "predictions.csv.gz"
COLUMNS = """
    --model churn --timestamp timestamp --score score --prediction prediction --label churned --id id
    --segment country --feature tenure --feature calls --feature plan
    --reference 2025-06-01..2025-06-14 --now 2025-07-01
"""
RULE = '[[rules]]\nname = "floor"\nmetric = "accuracy"\ncritical = { below = 0.9 }\n'
RECEIVER = '[receivers.file]\ntype = "command"\ncommand = ["/bin/sh", "-c", "cat > {path}"]\n'


class Call(NamedTuple):
    """A call between two of our files."""

    caller: str | None
    """The nearest function of ours up the stack; None where a library began it all, as in a thread."""
    called: str
    on_import: bool
    """Whether an import caused it: the body of a class, or a function that a module calls while it is imported."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What one journey entered."""

    calls: frozenset[Call]

    @property
    def run_time(self) -> Trace:
        """The calls that no import caused."""
        return Trace(frozenset(call for call in self.calls if not call.on_import))

    @property
    def files(self) -> set[str]:
        """The files of which something ran."""
        return {call.called for call in self.calls} | {call.caller for call in self.calls if call.caller is not None}

    def packages(self, *, divide_tui: bool = False) -> set[str]:
        """Return the packages of these files."""
        return {package(file, divide_tui=divide_tui) for file in self.files}

    def pairs(self, *, divide_tui: bool = False) -> set[tuple[str, str]]:
        """Return caller and called package, of calls that lead from one package to another."""
        ends = (
            (package(call.caller, divide_tui=divide_tui), package(call.called, divide_tui=divide_tui))
            for call in self.calls
            if call.caller is not None
        )
        return {(caller, called) for caller, called in ends if caller != called}


def read_record(path: Path) -> Trace:
    """Read what the tracer wrote, once it is there.

    Raises:
        TimeoutError: Nothing was written.
    """
    end = time.monotonic() + LIMIT
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"the tracer did not write {path.name}")
        time.sleep(0.02)
    return Trace(frozenset(Call(*call) for call in json.loads(path.read_text(encoding="utf-8"))))


@dataclass(frozen=True, slots=True)
class Traced:
    """A program of one checkout, run under the tracer in a folder of its own.

    Args:
        tree: The checkout.
        folder: An empty folder: home directory, and place of all data.
    """

    tree: Tree
    folder: Path

    def run(self, *words: str | Path, codes: Sequence[int] = (0,)) -> Trace:
        """Run one command to its end.

        Args:
            words: The command line.
            codes: Exit codes with which it may end.

        Raises:
            RuntimeError: It ended with another code.
        """
        done = subprocess.run(
            self._command(words),
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        if done.returncode not in codes:
            raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return read_record(self._record(0))

    def open(self, *words: str | Path) -> Terminal:
        """Open the app in a terminal, and return once its screen is full and complete."""
        terminal = Terminal(self._command(words), env=self._environment(), cwd=self.folder)
        try:
            terminal.until(READY, LIMIT)
            terminal.live(QUIET, LIMIT)
            terminal.settle(QUIET, LIMIT)
        except BaseException:
            terminal.__exit__(None, None, None)
            raise
        return terminal

    def cut(self, terminal: Terminal, number: int) -> Trace:
        """End the record with this number, from 0 on, and begin the next one while the app runs on."""
        os.kill(terminal.process.pid, signal.SIGUSR1)
        return read_record(self._record(number))

    def _command(self, words: Sequence[str | Path]) -> list[str]:
        # -P: the folder of the tracer holds modules with common names, none of which is to be found.
        fixed = [sys.executable, "-P", str(TRACER), str(self.tree.root), str(self.folder / "record")]
        return [*fixed, self.tree.program, *map(str, words)]

    def _environment(self) -> dict[str, str]:
        return environment(self.folder / "home") | {"PYTHONPATH": self.tree.python_path}

    def _record(self, number: int) -> Path:
        return self.folder / f"record.{number}"


def write_metrics(folder: Path) -> Path:
    """Write 30 days of one model up to yesterday, of which the last three are bad, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    days = [datetime.now(UTC).date() - timedelta(days=back) for back in range(30, 0, -1)]
    values = [0.95 + number % 3 / 1000 for number in range(27)] + 3 * [0.7]
    rows = [f"{day},m,{value:.3f},1000" for day, value in zip(days, values, strict=True)]
    (folder / "m.csv").write_text("\n".join(["date,model,accuracy,count", *rows]) + "\n", encoding="ascii")
    return folder / "m.csv"


def write_config(folder: Path, *more: str) -> Path:
    """Write a configuration of one rule, and more."""
    path = folder / "modeltop.toml"
    path.write_text(RULE + "".join(more), encoding="ascii")
    return path


def check(traced: Traced) -> Trace:
    """Trace `check FILE.csv --config`: from rows and one rule in TOML to an alert."""
    metrics, config = write_metrics(traced.folder), write_config(traced.folder)
    return traced.run("check", metrics, "--config", config, codes=(2,))  # 2: critical


def compute(traced: Traced) -> Trace:
    """Trace `compute LOG`: from rows of a prediction log to rows of metrics in a store."""
    store = traced.folder / "store"
    trace = traced.run("compute", LOG, *COLUMNS.split(), "--store", store)
    if not list(store.glob("*.computed.csv")):
        raise RuntimeError("compute left no periods in the store")
    return trace


def watch(traced: Traced) -> Trace:
    """Trace `watch --once`: from rows of metrics to a message that a receiver has."""
    store, message = traced.folder / "store", traced.folder / "message"
    write_metrics(store)
    config = write_config(traced.folder, RECEIVER.format(path=message))
    trace = traced.run("watch", "--once", "--config", config, "--store", store)
    if "accuracy" not in message.read_text(encoding="utf-8"):
        raise RuntimeError("the receiver was told nothing of the alert")
    return trace


def open_store(traced: Traced) -> Terminal:
    """Open the app on a store, with a rule and a receiver."""
    store, message = traced.folder / "store", traced.folder / "message"
    write_metrics(store)
    config = write_config(traced.folder, RECEIVER.format(path=message))
    return traced.open("--config", config, "--store", store)


def first_frame(traced: Traced) -> Trace:
    """Trace the app, from its start until its first screen is complete."""
    with open_store(traced) as terminal:
        return traced.cut(terminal, 0)


def acknowledge(traced: Traced) -> Trace:
    """Trace key `a` and enter: from the key to the event log, and back on the screen."""
    with open_store(traced) as terminal:
        traced.cut(terminal, 0)
        terminal.type(b"a")
        terminal.settle(QUIET, LIMIT)
        terminal.type(b"\r")
        end = time.monotonic() + LIMIT
        while not any(path.stat().st_size for path in (traced.folder / "store" / "state").glob("*.jsonl")):
            if time.monotonic() > end:
                raise TimeoutError(f"nothing was acknowledged:\n{terminal.text}")
            terminal.read(0.05)
        terminal.settle(QUIET, LIMIT)
        return traced.cut(terminal, 1)


JOURNEYS: dict[str, Callable[[Traced], Trace]] = {
    "check": check,
    "compute": compute,
    "watch --once": watch,
    "first frame": first_frame,
    "key a": acknowledge,
}


@row("journeys")
def journeys(bench: Bench) -> Iterator[Finding]:
    """Trace five journeys: files and packages entered, calls between packages (MODELTOP_OTHER=DIR: beside another)."""
    compared = other()
    for name in JOURNEYS:
        others = figures(name, compared, bench) if compared is not None else None
        yield from side_by_side(figures(name, here(), bench), others)


def figures(name: str, tree: Tree, bench: Bench) -> list[Figure]:
    """Trace one journey through one checkout."""
    folder = bench.folder("journey")
    shutil.rmtree(folder)
    folder.mkdir()
    return counted(name, JOURNEYS[name](Traced(tree, folder)))


def counted(name: str, trace: Trace) -> list[Figure]:
    """Count a trace as the plan of the restructuring does: tui is one package, and the bodies of classes count.

    The notes count more strictly: without what imports cause; and with tui divided into its folders and files.
    """
    late = trace.run_time
    rows = {
        "files entered": (len(trace.files), len(late.files), None),
        "packages entered": (len(trace.packages()), len(late.packages()), len(trace.packages(divide_tui=True))),
        "calls between packages": (len(trace.pairs()), len(late.pairs()), len(trace.pairs(divide_tui=True))),
    }
    return [
        Figure(f"{name}: {what}", value, note=f"no imports {strict}" + (f", tui divided {parts}" if parts else ""))
        for what, (value, strict, parts) in rows.items()
    ]
