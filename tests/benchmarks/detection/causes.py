"""The row `detection-causes`: whether the likeliest cause is the planted one, and none where nothing tells it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

from modeltop.core.incident import Note
from modeltop.core.series import Alert, Severity, to_datetime
from modeltop.rules.priority import ordered_alerts
from modeltop.rules.replay import no_data_alert, replay
from modeltop.rules.rule import default_rules, rules_for, skip_reason
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.cause_scenarios import CAUSED, FAINT, PLAIN, STALE, UNTOLD, Grade, planted
from tests.benchmarks.detection.confusion import Answer, note, spoken, wrong
from tests.benchmarks.detection.ground_truth import MODEL, Case
from tests.benchmarks.detection.simulation import CATALOG, Scenario

if TYPE_CHECKING:
    from modeltop.diagnosis import context as theirs

RIGHT = 0.8
"""Share of causes that must be right where the evidence exists."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was diagnosed of one history."""

    answer: Answer
    second: bool
    """Whether the planted cause is among the first two."""


def moment(case: Case) -> datetime:
    """When it is looked at: a day after the last period, or days later where the rows stopped."""
    last = to_datetime(case.history.periods[MODEL][-1])
    return last + (STALE if case.truth.kind == "stopped" else timedelta(days=1))


def episodes(cases: Sequence[Case]) -> list[tuple[Alert, ...]]:
    """Per case what the default rules say of every series, worst first; and that no rows come, where none do."""
    owned = [(place, one) for place, case in enumerate(cases) for one in case.history.series.values()]
    found: list[list[Alert]] = [[] for _ in cases]
    rules = default_rules()
    for rule in rules:
        some = [
            (place, one) for place, one in owned if rule in rules_for(rules, one.key) and not skip_reason(rule, one)
        ]
        for (place, _), known in zip(some, replay([one for _, one in some], rule), strict=True):
            found[place] += known
    for place, case in enumerate(cases):
        silent = no_data_alert(MODEL, case.history.periods[MODEL], moment(case))
        found[place] += [silent] if silent else []
    return [ordered_alerts(known) for known in found]


def handed(case: Case, known: tuple[Alert, ...]) -> theirs.ModelContext:
    """What a diagnosis is handed of a history and its episodes."""
    from modeltop.diagnosis.context import ModelContext as Asked

    worst = max((one.severity for one in known if one.is_active), default=Severity.OK)
    times = case.history.periods[MODEL]
    notes = [Note(MODEL, text, "ops", to_datetime(times[place])) for place, text in case.notes]
    return Asked(MODEL, case.history.for_model(MODEL), CATALOG, known, worst, notes=notes)


def told(scenario: Scenario, many: int, grade: Grade = PLAIN) -> list[Told]:
    """The diagnoses of many histories of a kind."""
    from modeltop.diagnosis.diagnose import diagnose

    drawn = list(planted(scenario, many, grade))
    known = episodes([case for _, _, case in drawn])
    found = []
    for (index, frame, case), some in zip(drawn, known, strict=True):
        one = diagnose(handed(case, some))
        said = one.cause.value if one.hypotheses else "nothing found"
        traits = (("rows", f"{frame.rows}"), ("SE", f"{frame.size:g}"), ("days", f"{frame.before}+{frame.after}"))
        assert scenario.cause is not None
        answer = Answer(scenario.cause.value, said, index, traits)
        found.append(Told(answer, any(each.cause is scenario.cause for each in one.hypotheses[:2])))
    return found


@row("detection-causes")
def detection_causes(bench: Bench) -> Iterator[Finding]:
    """Generated histories of which another cause is named than the planted one."""
    if find_spec("modeltop.diagnosis") is None:
        yield Finding("another cause than the planted one", None, 100 * (1 - RIGHT), " %", "nothing names causes yet")
        return
    many = 8 * bench.runs
    groups = ((PLAIN.name, CAUSED, PLAIN), ("accuracy or decisions alone", UNTOLD, PLAIN), (FAINT.name, CAUSED, FAINT))
    for what, scenarios, grade in groups:
        found = {scenario: told(scenario, many, grade) for scenario in scenarios}
        answers = [one.answer for part in found.values() for one in part]
        yield Finding(
            f"another cause, {what}",
            wrong(answers),
            None if grade is FAINT else 100 * (1 - RIGHT),
            " %",
            note(answers, "models"),
        )
        for scenario, part in found.items():
            assert scenario.cause is not None
            share = wrong([one.answer for one in part])
            yield Finding(
                f"{'faint, ' * (grade is FAINT)}{scenario.kind}: not {scenario.cause.value}",
                share,
                None,
                " %",
                _named(part),
            )


def _named(part: Sequence[Told]) -> str:
    second = sum(one.second for one in part) / len(part)
    return f"among the first two {second:.0%}; named {spoken([one.answer for one in part])}"
