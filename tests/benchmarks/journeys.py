"""Five journeys through the code, traced while they run: the files and packages that each one enters.

A person who follows a journey through the code opens these files, and steps from package to package as often as there
are pairs. Each journey runs in a fresh process under `tests/benchmarks/tracer.py`, on data of its own. With
MODELTOP_OTHER=DIR the same is done to the checkout at DIR, and both are compared.
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

from tests.benchmarks.base import ROOT, BenchmarkContext, Result, benchmark
from tests.benchmarks.checkout import (
    Checkout,
    Measurement,
    compare_checkouts,
    other_checkout,
    package_of,
    this_checkout,
)
from tests.benchmarks.programs import READY_TEXT, environment
from tests.benchmarks.terminal import Terminal

TRACER = Path(__file__).with_name("tracer.py")
TIMEOUT_SECONDS = 60.0
"""Seconds that one step of a journey may take; the tracer slows a program down about threefold."""
QUIET_SECONDS = 1.0
"""Seconds without output after which the screen counts as complete."""
LOG = ROOT / "sample_data" / "predictions.csv.gz"
COLUMNS = """
    --model churn --timestamp timestamp --score score --prediction prediction --label churned --id id
    --segment country --feature tenure --feature calls --feature plan
    --reference 2025-06-01..2025-06-14 --now 2025-07-01
"""
RULE = '[[rules]]\nname = "floor"\nmetric = "accuracy"\ncritical = { below = 0.9 }\n'
RECEIVER = '[receivers.file]\ntype = "command"\ncommand = ["/bin/sh", "-c", "cat > {path}"]\n'


class Call(NamedTuple):
    """Call between two files of the checkout."""

    caller: str | None
    """File of the nearest caller in the checkout; None where there is none, as in a thread of a library."""
    called: str
    on_import: bool
    """Whether an import caused it: the body of a class, or a function that a module calls while it is imported."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Calls that were recorded on one journey."""

    calls: frozenset[Call]

    @property
    def run_time(self) -> Trace:
        """Trace without the calls that an import caused."""
        return Trace(frozenset(call for call in self.calls if not call.on_import))

    @property
    def files(self) -> set[str]:
        """Files of which a function ran."""
        return {call.called for call in self.calls} | {call.caller for call in self.calls if call.caller is not None}

    def packages(self, *, divide_tui: bool = False) -> set[str]:
        """Return the packages of these files."""
        return {package_of(file, divide_tui=divide_tui) for file in self.files}

    def package_pairs(self, *, divide_tui: bool = False) -> set[tuple[str, str]]:
        """Return caller and called package, of calls that lead from one package to another."""
        pairs = (
            (package_of(call.caller, divide_tui=divide_tui), package_of(call.called, divide_tui=divide_tui))
            for call in self.calls
            if call.caller is not None
        )
        return {(caller, called) for caller, called in pairs if caller != called}


def read_record(path: Path) -> Trace:
    """Read what the tracer wrote, once it is there.

    Raises:
        TimeoutError: Nothing was written.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the tracer did not write {path.name}")
        time.sleep(0.02)
    return Trace(frozenset(Call(*call) for call in json.loads(path.read_text(encoding="utf-8"))))


@dataclass(frozen=True, slots=True)
class TracedProgram:
    """A program of one checkout, run under the tracer in a folder of its own.

    Args:
        checkout: Checkout of the code.
        folder: An empty folder for home directory and data.
    """

    checkout: Checkout
    folder: Path

    def run(self, *args: str | Path, codes: Sequence[int] = (0,)) -> Trace:
        """Run one command to its end.

        Args:
            args: The command line.
            codes: Exit codes with which it may end.

        Raises:
            RuntimeError: It ended with another code.
        """
        completed = subprocess.run(
            self._command(args),
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        if completed.returncode not in codes:
            raise RuntimeError(f"{args[0]} ended with {completed.returncode}: {completed.stderr.strip()[-300:]}")
        return read_record(self._record(0))

    def open(self, *args: str | Path) -> Terminal:
        """Open the app in a terminal, and return once its screen is full and complete."""
        terminal = Terminal(self._command(args), env=self._environment(), cwd=self.folder)
        try:
            terminal.wait_for(READY_TEXT, TIMEOUT_SECONDS)
            terminal.wait_until_live(QUIET_SECONDS, TIMEOUT_SECONDS)
            terminal.wait_until_quiet(QUIET_SECONDS, TIMEOUT_SECONDS)
        except BaseException:
            terminal.__exit__(None, None, None)
            raise
        return terminal

    def split_trace(self, terminal: Terminal, number: int) -> Trace:
        """End the record with this number, from 0 on, and begin the next one while the app runs on."""
        os.kill(terminal.process.pid, signal.SIGUSR1)
        return read_record(self._record(number))

    def _command(self, args: Sequence[str | Path]) -> list[str]:
        # -P: the folder of the tracer holds modules with common names, which must not be imported.
        command = [sys.executable, "-P", str(TRACER), str(self.checkout.root), str(self.folder / "record")]
        return [*command, self.checkout.program, *map(str, args)]

    def _environment(self) -> dict[str, str]:
        return environment(self.folder / "home") | {"PYTHONPATH": self.checkout.python_path}

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


def write_config(folder: Path, *sections: str) -> Path:
    """Write a configuration of one rule, and more."""
    path = folder / "modeltop.toml"
    path.write_text(RULE + "".join(sections), encoding="ascii")
    return path


def write_store(folder: Path, message: Path) -> list[str | Path]:
    """Write a store and a configuration whose receiver writes to a file, and return the options that name them."""
    store = folder / "store"
    write_metrics(store)
    return ["--config", write_config(folder, RECEIVER.format(path=message)), "--store", store]


def check(program: TracedProgram) -> Trace:
    """Trace `check FILE.csv --config`: from rows and one rule in TOML to an alert."""
    metrics, config = write_metrics(program.folder), write_config(program.folder)
    return program.run("check", metrics, "--config", config, codes=(2,))  # 2: critical


def compute(program: TracedProgram) -> Trace:
    """Trace `compute LOG`: from rows of a prediction log to rows of metrics in a store."""
    store = program.folder / "store"
    trace = program.run("compute", LOG, *COLUMNS.split(), "--store", store)
    if not list(store.glob("*.computed.csv")):
        raise RuntimeError("compute left no periods in the store")
    return trace


def watch(program: TracedProgram) -> Trace:
    """Trace `watch --once`: from rows of metrics to a message that a receiver has."""
    message = program.folder / "message"
    trace = program.run("watch", "--once", *write_store(program.folder, message))
    if "accuracy" not in message.read_text(encoding="utf-8"):
        raise RuntimeError("the receiver was told nothing of the alert")
    return trace


def open_store(program: TracedProgram) -> Terminal:
    """Open the app on a store, with a rule and a receiver."""
    return program.open(*write_store(program.folder, program.folder / "message"))


def first_frame(program: TracedProgram) -> Trace:
    """Trace the app, from its start until its first screen is complete."""
    with open_store(program) as terminal:
        return program.split_trace(terminal, 0)


def acknowledge(program: TracedProgram) -> Trace:
    """Trace key `a` and enter: from the key to the event log, and back on the screen."""
    with open_store(program) as terminal:
        program.split_trace(terminal, 0)
        terminal.send_keys(b"a")
        terminal.wait_until_quiet(QUIET_SECONDS, TIMEOUT_SECONDS)
        terminal.send_keys(b"\r")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not any(path.stat().st_size for path in (program.folder / "store" / "state").glob("*.jsonl")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing was acknowledged:\n{terminal.text}")
            terminal.read(0.05)
        terminal.wait_until_quiet(QUIET_SECONDS, TIMEOUT_SECONDS)
        return program.split_trace(terminal, 1)


JOURNEYS: dict[str, Callable[[TracedProgram], Trace]] = {
    "check": check,
    "compute": compute,
    "watch --once": watch,
    "first frame": first_frame,
    "key a": acknowledge,
}


@benchmark("journeys")
def journeys(context: BenchmarkContext) -> Iterator[Result]:
    """Trace five journeys: files and packages entered, calls between packages (MODELTOP_OTHER=DIR: beside another)."""
    other = other_checkout()
    for name in JOURNEYS:
        other_measurements = trace_journey(name, other, context) if other is not None else None
        yield from compare_checkouts(trace_journey(name, this_checkout(), context), other_measurements)


def trace_journey(name: str, checkout: Checkout, context: BenchmarkContext) -> list[Measurement]:
    """Trace one journey through one checkout."""
    folder = context.folder("journey")
    shutil.rmtree(folder)
    folder.mkdir()
    return measure_trace(name, JOURNEYS[name](TracedProgram(checkout, folder)))


def measure_trace(name: str, trace: Trace) -> list[Measurement]:
    """Count files and packages of a trace; tui is one package, and bodies of classes count.

    The notes hold stricter counts: without calls that imports cause, and with tui divided into its folders and files.
    """
    run_time = trace.run_time
    counts = {
        "files entered": (len(trace.files), len(run_time.files), None),
        "packages entered": (len(trace.packages()), len(run_time.packages()), len(trace.packages(divide_tui=True))),
        "calls between packages": (
            len(trace.package_pairs()),
            len(run_time.package_pairs()),
            len(trace.package_pairs(divide_tui=True)),
        ),
    }
    return [
        Measurement(
            f"{name}: {label}",
            value,
            note=f"no imports {without_imports}" + (f", tui divided {divided}" if divided else ""),
        )
        for label, (value, without_imports, divided) in counts.items()
    ]
