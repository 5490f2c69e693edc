"""No foreign string reaches the terminal unescaped, and none is parsed as markup."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.distribution import Distributions, Histogram, ReliabilityCurve
from modeltop.core.incident import WatcherHealth
from modeltop.core.series import ReadProblem
from modeltop.core.text import display_width
from modeltop_tui.view import goto
from modeltop_tui.view.alerts import alerts_title, entries
from modeltop_tui.view.changes import change_lines, changes_title
from modeltop_tui.view.chart import chart_data, cursor_readout, history_strip
from modeltop_tui.view.clipboard import model_text
from modeltop_tui.view.diagnosis import evidence_rows
from modeltop_tui.view.header import header_line
from modeltop_tui.view.metrics import heading, metric_cells, metric_rows, table_layout
from modeltop_tui.view.models import empty_list_message, model_cells, models_title
from modeltop_tui.view.periods import period_rows
from modeltop_tui.view.series_rules import series_rule_lines
from modeltop_tui.view.state import ChartComparison, visible_models
from modeltop_tui.view.styled_text import plain_text
from modeltop_tui.view.verdict import verdict_lines
from modeltop_tui.widgets.pane import sanitize_line

NO_WORDS = goto.CommandWords({}, {})


@pytest.fixture(scope="module")
def states(make):
    """One state per string, which is in it as model, metric, segment, rule, problem, notice, filter and error."""

    def make_state(text):
        lines = [
            make.series([0.95] * 9 + [0.5], model=text, metric=text, segment=text, support=[90] * 10),
            make.series([0.95] * 9 + [0.5], model=text),
            make.series([0.5] * 10, model=f"other {text}"),
        ]
        rules = [make.floor_rule(model="*", segment="*"), replace(make.floor_rule(metric="*", segment="*"), name=text)]
        problems = [ReadProblem(text, text, fatal=True), ReadProblem(text, text, line=3)]
        before = make.state(*lines, rules=rules, problems=problems, notices=[text])
        handled = make.handled(
            before.snapshot, by=text, reason=text, acknowledged=[0], suppressed=[0, 1], notes=[("*", text)]
        )
        health = WatcherHealth(make.clock, make.clock, 1, text, 60.0, error=text, disabled_receivers={text: text})
        return replace(
            before, snapshot=replace(handled, watcher_health=health, distributions=distributions(text)), error=text
        )

    return {text: make_state(text) for text in make.hostile}


def distributions(text):
    """The distributions of that model."""
    counts = np.array([[1.0, 2.0, 0.0]])
    histogram = Histogram(
        text, (text, "other", "missing"), None, counts[0], (datetime(2025, 1, 8, tzinfo=UTC),), counts
    )
    curve = ReliabilityCurve(text, (datetime(2025, 1, 8, tzinfo=UTC),), counts, counts / 3, counts / 3)
    return {text: Distributions({text: histogram}, curve)}


def all_texts(state, clock, diagnosis):
    """Each text that the view makes of a state, for a narrow pane and a wide one."""
    for width in (16, 58):
        rows = metric_rows(state)
        layout = table_layout(rows, width)
        yield from (plain_text(model_cells(state, model, width)) for model in visible_models(state))
        yield from (plain_text(metric_cells(row, layout)) for row in rows)
        yield from (plain_text(line) for entry in entries(state, width) for line in entry.lines)
        yield from (plain_text(line) for line in (*verdict_lines(state, width), history_strip(state, width)))
        yield from (models_title(state), alerts_title(state, width), changes_title(state))
        yield from (plain_text(line) for line in change_lines(state, width))
        yield from (plain_text(heading(layout)), plain_text(header_line(state, clock, width)))
        diagnosed = replace(state, diagnosis=diagnosis)
        for row in evidence_rows(diagnosed, width):
            yield from (plain_text(line) for line in (row.line, *(row.unfold() if row.unfold else ())))
    chart = chart_data(state)
    yield from (note.caption for note in chart.annotations.notes)
    compared = replace(
        state, selection=replace(state.selection, comparison=ChartComparison(by_segment=True), cursor=0.0)
    )
    yield from (chart_data(compared).title, cursor_readout(compared, 200))
    yield from (line.name for line in chart_data(compared).traces)
    yield from (chart.title, chart.empty_message, cursor_readout(state, 200), *(line.name for line in chart.traces))
    yield from (
        goto.hint(state, state.selection.model, NO_WORDS),
        goto.hint(state, f"compare {state.selection.model} x", NO_WORDS),
        empty_list_message(replace(state, selection=replace(state.selection, filter="\x1bz"))),
    )
    yield from (plain_text(line) for line in series_rule_lines(state, 60, 99))
    periods = period_rows(state)
    yield from (
        plain_text(periods.heading(60)),
        *(plain_text(line) for line in periods[0].unfold()),
        *model_text(state, clock).split("\n"),
    )


@pytest.mark.parametrize("at", range(50))
def test_whatever_a_name_is_only_what_prints_is_shown(make, states, complete_diagnosis, at):
    text = make.hostile[at]
    texts = all_texts(states[text], make.clock, complete_diagnosis(text, everywhere=True))
    assert [shown for shown in texts if not shown.isprintable()] == []


def test_the_list_of_strings_is_tried_as_a_whole(make):
    assert len(make.hostile) == 50


async def test_all_of_them_at_once_on_every_screen(make, run, complete_diagnosis):
    lines = [make.series([0.95] * 9 + [0.5], model=text, metric=text, segment=text) for text in make.hostile]
    snapshot = make.snapshot(*lines, rules=[make.floor_rule(metric="*", segment="*")])

    def diagnose(_snapshot, model):
        return complete_diagnosis(model, everywhere=True)

    async with run(snapshot, size=(100, 30), diagnose=diagnose) as screen:
        for _ in range(10):
            await screen.press("down", "down", "down", "down", "down", "m", "c")
            assert screen.text.replace("\n", "").isprintable()
            assert all(display_width(line) == 100 for line in screen.lines)
        for keys in (
            "d",
            "G",
            "q",
            "v",
            "q",
            "?",
            "q",
            "colon",
            *"compare",
            "enter",
            "c",
            "v",
            "q",
            "colon",
            "tab",
            "/",
        ):
            await screen.press(keys)
            assert screen.text.replace("\n", "").isprintable()


async def test_markup_in_names_is_text(make, run):
    names = ["[bold]x[/bold]", "[@click=app.quit]x[/]", "x[/x", "[eu] churn"]
    snapshot = make.snapshot(*(make.series([0.95] * 9 + [0.5], model=name, metric=name) for name in names))
    async with run(snapshot, size=(120, 36)) as screen:
        for name in names:
            assert name in screen.text
        await screen.pilot.click("#models", offset=(10, 2))
        assert screen.app.is_running


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "\x9b31m", "a\u202eb", "\ud800", "a\x00b"])
def test_the_last_sink_lets_nothing_through_that_does_not_print(text):
    assert sanitize_line(text, ascii_only=False).isprintable()
    assert sanitize_line(text, ascii_only=True).isascii()
