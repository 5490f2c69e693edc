"""The row `detection-causes`: whether the likeliest cause is the planted one, and none where nothing tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from monitor.alerts import no_data, replay
from monitor.facts import Note
from monitor.findings import Cause
from monitor.ranking import ordered_episodes
from monitor.records import Episode, Severity, to_datetime
from monitor.rules import asked, default_rules, left_out
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.histories import CATALOG, Scenario
from tests.benchmarks.detection.truth import MODEL, Case
from tests.benchmarks.detection.why import CAUSED, STALE, UNTOLD, planted

if TYPE_CHECKING:
    from monitor.diagnosis import case as theirs
    from monitor.findings import Diagnosis

RIGHT = 0.8
"""Share of causes that must be right where the evidence exists."""


def episodes(case: Case, now: object) -> tuple[Episode, ...]:
    """What the default rules say of every series, worst first; and that no rows come, where none do."""
    found: list[Episode] = []
    for series in case.history.series.values():
        for rule in asked(default_rules(), series.key):
            found += [] if left_out(rule, series) else replay(series, rule, case.history.series)
    silent = no_data(MODEL, case.history.periods[MODEL], now)
    return ordered_episodes([*found, *([silent] if silent else [])])


def handed(case: Case) -> theirs.Case:
    """What a diagnosis is handed of a history, a day after its last period, or days later where it stopped."""
    from monitor.diagnosis.case import Case as Asked

    times = case.history.periods[MODEL]
    now = to_datetime(times[-1]) + (STALE if case.truth.kind == "stopped" else timedelta(days=1))
    known = episodes(case, now)
    worst = max((one.severity for one in known if one.stands), default=Severity.OK)
    notes = [Note(MODEL, text, "ops", to_datetime(times[place])) for place, text in case.notes]
    return Asked(MODEL, case.history.of_model(MODEL), now, CATALOG, known, worst, notes=notes)


def told(scenario: Scenario, many: int) -> list[Diagnosis]:
    """The diagnoses of many histories of a kind."""
    from monitor.diagnosis.diagnose import diagnose

    return [diagnose(handed(case)) for case in planted(scenario, many)]


@row("detection-causes")
def detection_causes(bench: Bench) -> Iterator[Finding]:
    """Generated histories of which another cause is named than the planted one."""
    if find_spec("monitor.diagnosis") is None:
        yield Finding("another cause than the planted one", None, 100 * (1 - RIGHT), " %", "nothing names causes yet")
        return
    many = 8 * bench.runs
    for what, scenarios in (("evidence exists", CAUSED), ("accuracy or decisions alone", UNTOLD)):
        found = {scenario: told(scenario, many) for scenario in scenarios}
        wrong = [one.cause is not scenario.cause for scenario, part in found.items() for one in part]
        yield Finding(f"another cause, {what}", 100 * float(np.mean(wrong)), 100 * (1 - RIGHT), " %", "all kinds alike")
        for scenario, part in found.items():
            assert scenario.cause is not None
            share = 100 * float(np.mean([one.cause is not scenario.cause for one in part]))
            yield Finding(
                f"{scenario.kind}: not {scenario.cause.value}", share, None, " %", _named(part, scenario.cause)
            )


def _named(part: Sequence[Diagnosis], right: Cause) -> str:
    count = Counter(one.cause.value if one.findings else "nothing found" for one in part)
    said = ", ".join(f"{name} {number / len(part):.0%}" for name, number in count.most_common())
    second = float(np.mean([any(one.cause is right for one in each.findings[:2]) for each in part]))
    return f"named {said}; among the first two {second:.0%}"
