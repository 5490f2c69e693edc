"""Other tools on the same logs: found by a day, and false alerts; causes and steps are not theirs to name."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.detection.front_door.kinds import KINDS
from tests.benchmarks.detection.front_door.outcomes import RunResult

SCRIPTS = {"nannyml": "nannyml_alerts.py", "evidently": "evidently_alerts.py"}
INSTALL = {
    "nannyml": "python -m venv ENV && ENV/bin/pip install nannyml statsmodels",
    "evidently": "python -m venv ENV && ENV/bin/pip install evidently 'pandas<3'",
}


@dataclass
class RivalAlerts:
    """What one tool says about one log."""

    starts: list[int]
    """Days on which any of its series starts to alert."""
    episodes: list[int]
    """Days on which it alerts after a day on which nothing did."""
    days: list[int]
    """Days on which it was asked."""


Alerts = dict[str, dict[str, RivalAlerts]]
"""By tool and by the name of the log."""


def start_rival(tool: str, python: Path, folder: Path, output: Path) -> subprocess.Popen[bytes]:
    """Start the script of a tool with the interpreter that has it."""
    script = Path(__file__).with_name(SCRIPTS[tool])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
        return subprocess.Popen([str(python), str(script), str(folder)], stdout=out, stderr=err, env=environment)


def read_alerts(outputs: Iterable[Path]) -> Alerts:
    """Return what the scripts have printed; other lines are the tools' own."""
    alerts: Alerts = defaultdict(dict)
    for output in outputs:
        for line in output.read_text(encoding="utf-8").splitlines():
            if not line.startswith('{"log"'):
                continue
            record = json.loads(line)
            for tool, series in record["alerts"].items():
                alerts[tool][record["log"]] = _rival_alerts(series, record["days"])
    return alerts


def _rival_alerts(series: Mapping[str, Sequence[int]], days: list[int]) -> RivalAlerts:
    starts = {start for each in series.values() for start in run_starts(each, days)}
    merged = sorted({day for each in series.values() for day in each})
    return RivalAlerts(sorted(starts), run_starts(merged, days), days)


def run_starts(alerting: Sequence[int], days: Sequence[int]) -> list[int]:
    """Return the alerting days whose day before, of those on which the tool was asked, did not alert.

    >>> run_starts([3, 4, 9], [1, 3, 4, 7, 9]), run_starts([3, 7], [1, 3, 7])
    ([3, 9], [3])
    """
    before = dict(zip(days[1:], days, strict=False))
    return [day for day in alerting if before.get(day) not in alerting]


@dataclass
class Tally:
    """Found faults and false alerts of one tool."""

    found: dict[int, list[bool]] = field(default_factory=lambda: defaultdict(list))
    """By day."""
    false_alerts: int = 0
    healthy_days: int = 0


def tally_rivals(results: Sequence[RunResult], alerts: Alerts) -> dict[str, Tally]:
    """Return the tally of modeltop, of mean ± 3σ and of each rival on the logs that all of them were given."""
    tallies: dict[str, Tally] = {}
    shared = [result for result in results if all(result.run.name in each for each in alerts.values())]
    for result in shared:
        ours = {outcome.day for outcome in result.outcomes if outcome.found}
        _add(tallies, "modeltop", result, result.alert_days["modeltop"], ours)
        starts = result.alert_days["mean ± 3σ"]
        _add(tallies, "mean ± 3σ", result, starts, _found_by(starts, result.run.days))
        for tool, by_log in alerts.items():
            said = by_log[result.run.name]
            _add(tallies, tool, result, said.episodes, _found_by(said.starts, result.run.days), said.days)
    return tallies


def _found_by(starts: Iterable[int], days: Sequence[int]) -> set[int]:
    return {day for day in days if any(0 <= start < day for start in starts)}


def _add(
    tallies: dict[str, Tally],
    tool: str,
    result: RunResult,
    false_alerts: Sequence[int],
    found: set[int],
    days: Sequence[int] | None = None,
) -> None:
    tally = tallies.setdefault(tool, Tally())
    if KINDS[result.run.kind].is_healthy:
        tally.false_alerts += len(false_alerts)
        tally.healthy_days += result.healthy_days if days is None else len(days)
        return
    for day in result.run.days:
        tally.found[day].append(day in found)
