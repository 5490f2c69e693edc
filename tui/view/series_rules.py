"""The rules of the selected series: its alerts, what each rule evaluates, and where it is configured."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.series import SeriesKey
from modeltop.core.text import pluralize, sanitize
from modeltop.report.phrases import alert_line, rule_sentence
from modeltop.rules.rule import Rule
from modeltop_tui.view.alerts import NOT_EVALUATED, OK, rule_state_lines
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import TINTS, Cells, wrap

BUILT_IN = "Rule: built in. It checks that data comes, and that it can be read."


def series_rule_lines(state: ScreenState, width: int, max_lines: int) -> list[Cells]:
    """Return the alerts of the selected series, each with its rule, then the rules without an alert.

    Args:
        state: The state that is shown.
        width: Width of a line in cells.
        max_lines: Where all do not fit, only the first rule is described; those beyond are counted in the last line.
    """
    key = state.selection.key
    if state.snapshot is None or key is None:
        return []
    out: list[Cells] = []
    entries = list(_entries(snapshot_index(state.snapshot), key, width))
    if sum(map(len, entries)) > max_lines:
        entries[1:] = [lines[:1] for lines in entries[1:]]
    for number, lines in enumerate(entries):
        rest = len(entries) - number
        if len(out) + len(lines) + (rest > 1) > max_lines:
            more = ((f"  and {pluralize(rest, 'more rule')}", "dim"),)
            return [*out, more] if out else [*lines[: max_lines - 1], (("    …", "dim"),)]
        out += lines
    return out


def _entries(index: SnapshotIndex, key: SeriesKey, width: int) -> Iterator[list[Cells]]:
    alerts = [alert for alert in index.alerts_by_model[key.model] if alert.key == key or alert.is_model_wide]
    for alert in alerts:
        role = TINTS[alert.severity] if alert.is_active else "dim"
        line = wrap(alert_line(alert, index.snapshot, with_model=False), width, role=role, indent="    ")
        yield [*line, *_rule_lines(index, index.rules.get(alert.rule), width)]
    alerting = {alert.rule for alert in alerts}
    for status in index.statuses_by_key[key]:
        if status.rule not in alerting:
            state_lines = rule_state_lines(
                sanitize(status.sentence, 300), width, OK if status.is_evaluated else NOT_EVALUATED
            )
            yield [*state_lines, *_rule_lines(index, index.rules.get(status.rule), width)]


def _rule_lines(index: SnapshotIndex, rule: Rule | None, width: int) -> list[Cells]:
    text = BUILT_IN if rule is None else f"Rule: {rule_sentence(rule, index.snapshot)}. {_origin(rule)}"
    return wrap(text, width, role="dim", indent="    ", lead=(("  ", ""),))


def _origin(rule: Rule) -> str:
    if rule.default:
        return "A default rule: `[defaults]` and `[[rules]]` of modeltop.toml change it."
    if rule.override:
        return "Given by --below or --above."
    return f"`{sanitize(rule.name, 40)}` of `[[rules]]` in modeltop.toml."
