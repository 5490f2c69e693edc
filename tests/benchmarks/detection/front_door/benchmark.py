"""The benchmark `detection-causes`: found faults, named causes and advised steps, from logs through `check`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.base import BenchmarkContext, Result, Text, benchmark
from tests.benchmarks.detection.front_door.kinds import KINDS, Kind
from tests.benchmarks.detection.front_door.outcomes import Outcome, Run, RunResult, evaluate_run
from tests.benchmarks.detection.front_door.rivals import INSTALL, read_alerts, start_rival, tally_rivals
from tests.benchmarks.detection.front_door.tables import alerted, all_tables, rival_table
from tests.benchmarks.detection.front_door.worlds import WORLDS, Split, Task

USUAL_ROWS, FEW_ROWS, MANY_ROWS = 1_000, 200, 5_000
TARGET_CAUSES, TARGET_STEPS, TARGET_SECOND = 7.0, 5.0, 3.0
"""Percentages of wrong causes, steps and second causes that are promised at most, over all kinds in held-out worlds."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to the parser of all."""
    group = parser.add_argument_group("detection-causes")
    group.add_argument("--tuning", action="store_true", help="the worlds for tuning instead of those held out")
    group.add_argument("--quick", action="store_true", help="one log of each kind and task, two days of each")
    group.add_argument("--kind", action="append", choices=KINDS, metavar="KIND", help="only this kind (repeatable)")
    group.add_argument("--out", type=Path, metavar="FILE", help="every verdict as JSON, a line for each log")
    for tool, command in INSTALL.items():
        group.add_argument(f"--{tool}", type=Path, metavar="PYTHON", help=f"beside {tool}: {command}")


def plan_runs(split: Split, kinds: Iterable[str], *, is_quick: bool) -> list[Run]:
    """Return the logs to evaluate: of each kind and task 2 worlds x 2 seeds, and one of few and of many rows.

    Args:
        split: The worlds to use.
        kinds: Names of the kinds.
        is_quick: One log of each kind and task, on every second day.
    """
    return [
        run
        for kind in map(KINDS.__getitem__, kinds)
        for number, task in enumerate(kind.tasks)
        for run in _runs_of(kind, task, split, number if is_quick else None)
        if run.spec.has_categories or not kind.needs_categories
    ]


def _runs_of(kind: Kind, task: Task, split: Split, quick_number: int | None) -> Iterator[Run]:
    first, second, third = (spec.name for spec in WORLDS if spec.task is task and spec.split is split)
    some_days = kind.days[1::2]
    if quick_number is not None:
        is_second = kind.needs_categories or quick_number % 2
        yield Run(kind.name, second if is_second else first, USUAL_ROWS, 0, some_days)
        return
    for name in (first, second):
        yield Run(kind.name, name, USUAL_ROWS, 0, kind.days)
        yield Run(kind.name, name, USUAL_ROWS, 1, some_days)
    yield Run(kind.name, third, FEW_ROWS, 2, some_days)
    yield Run(kind.name, second, MANY_ROWS, 2, some_days)


def evaluate_runs(runs: Sequence[Run], rival_folder: Path | None, out: Path | None = None) -> list[RunResult]:
    """Evaluate all runs, one process a core; some logs are left for the rivals.

    Args:
        runs: The logs.
        rival_folder: Where they are left; None: nowhere.
        out: JSON, a line for each log, written as they come; None: nowhere.
    """
    # What is run first is a matrix by itself, for who stops it by ctrl+c.
    ordered = sorted(runs, key=lambda run: (run.seed, run.rows, run.world, run.kind))
    folders = [rival_folder if _is_for_rivals(run) else None for run in ordered]
    results: list[RunResult] = []
    with (
        _single_threaded(),
        # Only this process is interrupted: the others finish what they are at.
        ProcessPoolExecutor(
            os.cpu_count(), get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN)
        ) as pool,
        out.open("w", encoding="utf-8") if out else nullcontext() as lines,
    ):
        try:
            for result in pool.map(evaluate_run, ordered, folders):
                results.append(result)
                if lines is not None:
                    lines.write(f"{json.dumps(result.as_record(), ensure_ascii=False)}\n")
                    lines.flush()
                if sys.stderr.isatty():
                    print(f"\r{len(results)} of {len(ordered)} logs", end="", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    return results


def _is_for_rivals(run: Run) -> bool:
    """Return whether other tools are given a log: a generated world a task, as they take ten times as long."""
    return run.seed == 0 and run.rows == USUAL_ROWS and run.world.startswith("g-")


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let the processes that start here compute with one thread each."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@benchmark("detection-causes")
def detection_causes(context: BenchmarkContext) -> Iterator[Result | Text]:
    """Faults of real models through `compute` and `check`: found, cause, step, certainty, and other tools."""
    options = context.options
    split = Split.TUNING if options.tuning else Split.HELD_OUT
    tools = {tool: getattr(options, tool) for tool in INSTALL if getattr(options, tool)}
    folder = context.folder("rival-logs") if tools else None
    runs = plan_runs(split, options.kind or KINDS, is_quick=options.quick)
    results = evaluate_runs(runs, folder, options.out)
    yield Text(f"\n{len(results)} of {len(runs)} logs of {len({run.kind for run in runs})} kinds, worlds {split.value}")
    yield from map(Text, all_tables(results))
    yield from _compare_rivals(context, tools, folder, results)
    yield Text("")
    yield from _key_figures(results)


def _compare_rivals(
    context: BenchmarkContext, tools: dict[str, Path], folder: Path | None, results: Sequence[RunResult]
) -> Iterator[Text]:
    outputs = {tool: context.folder("rivals") / f"{tool}.jsonl" for tool in tools}
    if folder is not None:
        running = {tool: start_rival(tool, python, folder, outputs[tool]) for tool, python in tools.items()}
        for tool, process in running.items():
            if process.wait():
                lines = outputs[tool].with_suffix(".err").read_text(encoding="utf-8").strip().splitlines()
                yield Text(f"\n{tool} stopped: {lines[-1] if lines else process.returncode}")
    alerts = read_alerts(outputs.values())
    if alerts:
        logs = len(set.intersection(*(set(by_log) for by_log in alerts.values())))
        yield Text(rival_table(tally_rivals(results, alerts), logs))
    for tool in INSTALL.keys() - tools.keys():
        yield Text(f"\nwithout {tool}: {INSTALL[tool]}, then --{tool} ENV/bin/python")


def _key_figures(results: Sequence[RunResult]) -> Iterator[Result]:
    outcomes = alerted(results)
    upstream = [outcome for outcome in outcomes if outcome.kind.is_upstream]
    yield _wrong("causes wrong, of all verdicts", [not each.is_right for each in outcomes], TARGET_CAUSES)
    yield _wrong("steps wrong, of all verdicts", [not each.is_step_right for each in outcomes], TARGET_STEPS)
    single = [outcome.names_two for outcome in outcomes if not outcome.kind.is_double]
    yield _wrong("a second cause named beside a single fault", single, TARGET_SECOND)
    advised = sum(outcome.advises_retraining for outcome in upstream)
    yield Result("retraining advised on a fault upstream", advised, 0, "", f"of {len(upstream)} verdicts")
    yield from (_wrong(*figure) for figure in _calibration(outcomes))


def _calibration(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, list[bool], float]]:
    for certainty, target in (("certain", 3.0), ("likely", 15.0)):
        wrong = [not outcome.is_right for outcome in outcomes if outcome.certainty == certainty]
        yield f"wrong where a cause is called {certainty}", wrong, target


def _wrong(name: str, flags: Sequence[bool], target: float) -> Result:
    share = 100 * sum(flags) / len(flags) if flags else None
    return Result(name, share, target, " %", f"{sum(flags)} of {len(flags)}")
