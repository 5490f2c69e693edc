"""The printed tables: found, false alerts, causes, steps, certainty, other tools."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from modeltop.core.stats.intervals import wilson
from tests.benchmarks.detection.front_door.answers import Answer
from tests.benchmarks.detection.front_door.kinds import KINDS
from tests.benchmarks.detection.front_door.outcomes import Outcome, RunResult
from tests.benchmarks.detection.front_door.rivals import Tally
from tests.benchmarks.detection.scoring import PERIODS_PER_YEAR, rate_interval

CERTAINTIES = ("certain", "likely", "possible", "unclear")
NO_ALERT, OTHER_NAME = "no alert", "not in the list"
MAX_WORST = 15
"""Wrong verdicts that are printed in full."""


def format_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a table: the first column to the left, the others to the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    texts = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]
    return "\n".join(["", title, texts[0], "-" * len(texts[0]), *texts[1:]])


def percent(flags: Iterable[bool]) -> str:
    """Format the share of true flags as a percentage; `-` without any.

    >>> percent([True, False, False]), percent([])
    ('33 %', '-')
    """
    values = list(flags)
    return f"{100 * sum(values) / len(values):.0f} %" if values else "-"


def alerted(results: Iterable[RunResult]) -> list[Outcome]:
    """Return the outcomes of faults that have been found and are explained, and those of false alerts."""
    return [outcome for result in results for outcome in result.outcomes if outcome.found and outcome.steps]


def _by_kind(results: Iterable[RunResult]) -> dict[str, list[RunResult]]:
    """Return the results by kind, in the order of the kinds."""
    grouped: dict[str, list[RunResult]] = defaultdict(list)
    for result in results:
        grouped[result.run.kind].append(result)
    return {name: grouped[name] for name in KINDS if name in grouped}


def _faults(results: Iterable[RunResult]) -> list[RunResult]:
    return [result for result in results if not KINDS[result.run.kind].is_healthy]


def _healthy(results: Iterable[RunResult]) -> list[RunResult]:
    return [result for result in results if KINDS[result.run.kind].is_healthy]


def found_table(results: Sequence[RunResult]) -> str:
    """Return the share of the faults found by each day, by kind, rows a day and task."""
    faults = _faults(results)
    days = sorted({day for result in faults for day in result.run.days})

    def row(name: str, group: Sequence[RunResult]) -> list[str]:
        outcomes = [outcome for result in group for outcome in result.outcomes]
        shares = [percent(outcome.found for outcome in outcomes if outcome.day == day) for day in days]
        return [name, str(len(group)), *shares]

    rows = [row(name, group) for name, group in _by_kind(faults).items()]
    splits: tuple[Callable[[RunResult], str], ...] = (
        lambda result: f"{result.run.rows:,} rows a day",
        lambda result: result.run.spec.task.value,
    )
    for key in splits:
        groups = {key(result): [other for other in faults if key(other) == key(result)] for result in faults}
        rows += [row(name, group) for name, group in groups.items()]
    rows.append(row("all faults", faults))
    return format_table("Faults found by day", ["kind", "logs", *(f"day {day}" for day in days)], rows)


def false_alert_table(results: Sequence[RunResult]) -> str:
    """Return incidents and alerts of mean ± 3σ a healthy model-year, by kind."""
    healthy = _healthy(results)

    def row(name: str, group: Sequence[RunResult]) -> list[str]:
        years = sum(result.healthy_days for result in group) / PERIODS_PER_YEAR
        counts = {tool: sum(len(result.alert_days[tool]) for result in group) for tool in ("modeltop", "mean ± 3σ")}
        low, high = rate_interval(counts["modeltop"], years)
        rates = [f"{count / years:.2f}" for count in counts.values()]
        return [name, str(len(group)), f"{years:.1f}", rates[0], f"{low:.2f} to {high:.2f}", rates[1]]

    rows = [row(name, group) for name, group in [*_by_kind(healthy).items(), ("all healthy", healthy)] if group]
    header = ["kind", "logs", "model-years", "modeltop", "95 %", "mean ± 3σ"]
    return format_table("False alerts (incidents) a healthy model-year", header, rows)


def cause_table(results: Sequence[RunResult]) -> str:
    """Return by kind how often cause and step are right on the days on which an alert is explained."""

    def row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
        causes = [outcome.is_right for outcome in outcomes]
        unclear = [outcome.certainty == "unclear" and not outcome.is_right for outcome in outcomes]
        steps = [outcome.is_step_right for outcome in outcomes]
        retrain = str(sum(outcome.advises_retraining for outcome in outcomes))
        both = [outcome.names_both for outcome in outcomes if outcome.kind.is_double]
        return [name, str(len(outcomes)), *map(percent, (causes, unclear, steps, both)), retrain]

    rows = [row(name, alerted(group)) for name, group in _by_kind(results).items()]
    faults = alerted(_faults(results))
    days = sorted({outcome.day for outcome in faults})
    rows += [row(f"all faults, day {day}", [each for each in faults if each.day == day]) for day in days]
    rows += [row("all faults", faults), row("all healthy", alerted(_healthy(results)))]
    header = ["kind", "verdicts", "cause right", "unclear", "step right", "names both", "retrain"]
    return format_table("Causes and steps where an alert is explained", header, rows)


def confusion_table(results: Sequence[RunResult]) -> str:
    """Return the verdicts by kind and first cause; right causes are marked."""
    columns = [NO_ALERT, *(answer.value for answer in Answer), OTHER_NAME]
    numbers = [f"{number}" for number in range(len(columns))]
    rows = []
    for name, group in _by_kind(results).items():
        outcomes = [outcome for result in group for outcome in result.outcomes]
        counts = Counter(_said(outcome) for outcome in outcomes)
        right = {answer.value for answer in KINDS[name].right}
        cells = [f"{counts[column] or '.'}{'*' if column in right else ' '}" for column in columns]
        rows.append([name, *cells])
    key = "; ".join(f"{number} {column}" for number, column in zip(numbers, columns, strict=True))
    title = f"Verdicts by kind and first cause, * right, days without an alert among them\n{key}"
    return format_table(title, ["kind", *(f"{number} " for number in numbers)], rows)


def _said(outcome: Outcome) -> str:
    if not outcome.steps:
        return NO_ALERT
    if not outcome.causes:
        return Answer.UNCLEAR.value
    return OTHER_NAME if outcome.answer is None else outcome.answer.value


def certainty_table(results: Sequence[RunResult]) -> str:
    """Return the share of right first causes by certainty, with its 95 % interval (Wilson 1927)."""
    outcomes = [outcome for outcome in alerted(results) if outcome.causes]
    rows = []
    for certainty in CERTAINTIES:
        right = [outcome.is_first_right for outcome in outcomes if outcome.certainty == certainty]
        low, high = wilson(sum(right) / len(right), len(right)) or (0.0, 1.0) if right else (0.0, 1.0)
        rows.append([certainty, str(len(right)), percent(right), f"{100 * low:.0f} to {100 * high:.0f}"])
    return format_table("Certainty against truth", ["called", "verdicts", "right", "95 %"], rows)


def worst_table(results: Sequence[RunResult]) -> str:
    """Return the wrong verdicts in full, harmful steps first, then by certainty; one of each kind, world and cause."""
    wrong = [each for each in alerted(results) if not (each.is_right and each.is_step_right)]
    wrong.sort(key=lambda each: (each.is_step_right, CERTAINTIES.index(each.certainty), each.day))
    first = {(each.run.kind, each.run.world, each.answer): each for each in reversed(wrong)}
    rows = [
        [f"{each.run.kind}, {each.run.world}, day {each.day}, {each.certainty}:", " ".join(each.verdict)]
        for each in sorted(first.values(), key=wrong.index)[:MAX_WORST]
    ]
    return "\n".join(["", "Worst of the wrong verdicts", *(f"{name}\n    {text}" for name, text in rows)])


def rival_table(tallies: Mapping[str, Tally], logs: int) -> str:
    """Return found faults and false alerts of each tool on the same logs."""
    days = sorted({day for tally in tallies.values() for day in tally.found})
    rows = []
    for tool, tally in tallies.items():
        years = tally.healthy_days / PERIODS_PER_YEAR
        rate = f"{tally.false_alerts / years:.1f}" if years else "-"
        rows.append([tool, *(percent(tally.found[day]) for day in days), f"{years:.1f}", rate])
    header = ["tool", *(f"day {day}" for day in days), "model-years", "false a year"]
    return format_table(f"Found by day and false alerts of each tool on the same {logs} logs", header, rows)


def all_tables(results: Sequence[RunResult]) -> Iterator[str]:
    """Yield every table of modeltop's own."""
    if _faults(results):
        yield found_table(results)
    if _healthy(results):
        yield false_alert_table(results)
    yield cause_table(results)
    yield confusion_table(results)
    yield certainty_table(results)
    yield worst_table(results)
