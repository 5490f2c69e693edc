"""No foreign string reaches the terminal unescaped, and none is parsed as markup."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.diagnosis import (
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Diagnosis,
    ExpectedVsRealized,
    FeatureShift,
    Fit,
    Pattern,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.distribution import Distributions, Histogram, ReliabilityCurve
from modeltop.core.incident import WatcherHealth
from modeltop.core.series import ReadProblem, SeriesKey, Severity
from modeltop.core.text import display_width
from modeltop_tui.view.alerts import entries
from modeltop_tui.view.changes import change_lines
from modeltop_tui.view.chart import chart_data, cursor_readout
from modeltop_tui.view.clipboard import selection_text
from modeltop_tui.view.diagnosis import diagnosis_lines, heading_lines
from modeltop_tui.view.header import header_line
from modeltop_tui.view.metrics import column_widths, heading, metric_cells, metric_rows
from modeltop_tui.view.models import empty_list_message, model_cells
from modeltop_tui.view.navigation import jump_hint
from modeltop_tui.view.periods import periods_table
from modeltop_tui.view.state import visible_models
from modeltop_tui.view.styled_text import plain_text
from modeltop_tui.widgets.pane import sanitize_line


@pytest.fixture(scope="module")
def scenes(make):
    """One scene a string, which stands in it as model, metric, segment, rule, problem, notice, filter, trouble."""

    def scene(text):
        lines = [
            make.line([0.95] * 9 + [0.5], model=text, metric=text, segment=text, support=[90] * 10),
            make.line([0.95] * 9 + [0.5], model=text),
            make.line([0.5] * 10, model=f"other {text}"),
        ]
        rules = [make.floor(model="*", segment="*"), replace(make.floor(metric="*", segment="*"), name=text)]
        problems = [ReadProblem(text, text, fatal=True), ReadProblem(text, text, line=3)]
        made = make.scene(*lines, rules=rules, problems=problems, notices=[text])
        after = make.handled(made.snapshot, by=text, why=text, acks=[0], hushed=[0, 1], notes=[("*", text)])
        health = WatcherHealth(make.clock, make.clock, 1, text, 60.0, error=text, disabled_receivers=(text,))
        return replace(made, snapshot=replace(after, watcher_health=health, distributions=exhibits(text)), error=text)

    return {text: scene(text) for text in make.hostile}


def diagnosis(text):
    """A diagnosis in which the string stands wherever foreign text may."""
    key, begin = SeriesKey(text, text, text), datetime(2025, 1, 7, tzinfo=UTC)
    course = SeriesPattern(key, Pattern.DROP, begin, -0.1, 0.9, (Fit(text, 1.0, -9.0), Fit("step", 1.0, -8.0)))
    reading = BeforeAfter(key, 0.9, 0.8, -0.1, None, None, -9.0, "fell")
    return Diagnosis(
        text, Severity.CRITICAL, key, text, course, (CauseHypothesis(Cause.UPSTREAM, 0.8, (text,), (text,)),), (), text,
        other_patterns=(course,), metric_changes=(reading,), feature_shifts=(FeatureShift(text, 0.5, 0.1, metric=text),),
        segments=(SegmentContribution(text, (0.1, 0.2), (0.9, 0.8), -0.1, 0.0),), expectations=(ExpectedVsRealized(reading, reading),),
    )  # fmt: skip


def exhibits(text):
    """What lies under it, under the same name."""
    counts = np.array([[1.0, 2.0, 0.0]])
    drawn = Histogram(text, (text, "other", "missing"), None, counts[0], (datetime(2025, 1, 8, tzinfo=UTC),), counts)
    curve = ReliabilityCurve(text, (datetime(2025, 1, 8, tzinfo=UTC),), counts, counts / 3, counts / 3)
    return {text: Distributions({text: drawn}, curve)}


def everything(scene, clock):
    """Each text that present makes of a scene, for a narrow pane and a wide one."""
    for wide in (16, 58):
        table = metric_rows(scene)
        shape = column_widths(table, wide)
        yield from (plain_text(model_cells(scene, model)) for model in visible_models(scene))
        yield from (plain_text(metric_cells(row, shape, selected=True)) for row in table)
        yield from (plain_text(line) for entry in entries(scene, wide) for line in entry.lines)
        yield from (plain_text(line) for line in change_lines(scene, wide))
        yield from (plain_text(heading(shape)), plain_text(header_line(scene, clock, wide)))
        found = replace(scene, diagnosis=diagnosis(scene.selection.key.model))
        yield from (plain_text(line) for line in (*heading_lines(found, wide), *diagnosis_lines(found, wide)))
    chart = chart_data(scene)
    yield from (note.caption for note in chart.annotations.notes)
    yield from (chart.title, chart.empty_message, cursor_readout(scene), *(line.name for line in chart.traces))
    yield from (
        jump_hint(scene, scene.selection.model),
        empty_list_message(replace(scene, selection=replace(scene.selection, filter="\x1bz"))),
    )
    periods = periods_table(scene)
    yield from (
        plain_text(periods.heading(0, 60)),
        plain_text(periods.line(0, 0)),
        *selection_text(scene, clock).split("\n"),
    )


@pytest.mark.parametrize("at", range(50))
def test_whatever_a_name_is_only_what_prints_is_shown(make, scenes, at):
    text = make.hostile[at]
    shown = list(everything(scenes[text], make.clock))
    assert all(each.isprintable() for each in shown), [each for each in shown if not each.isprintable()]


def test_the_list_of_strings_is_tried_as_a_whole(make):
    assert len(make.hostile) == 50


async def test_all_of_them_at_once_on_every_screen(make, run):
    lines = [make.line([0.95] * 9 + [0.5], model=text, metric=text, segment=text) for text in make.hostile]
    snapshot = make.snapshot(*lines, rules=[make.floor(metric="*", segment="*")])
    async with run(snapshot, size=(100, 30), look=lambda _, model: diagnosis(model)) as screen:
        for _ in range(10):
            await screen.press("down", "down", "down", "down", "down", "m", "c")
            assert screen.text.replace("\n", "").isprintable()
            assert all(display_width(line) == 100 for line in screen.lines)
        for keys in ("d", "G", "q", "v", "q", "?", "q", "colon", "z", "enter", "/", "[", "enter"):
            await screen.press(keys)
            assert screen.text.replace("\n", "").isprintable()


async def test_markup_in_names_is_text(make, run):
    names = ["[bold]x[/bold]", "[@click=app.quit]x[/]", "x[/x", "[eu] churn"]
    snapshot = make.snapshot(*(make.line([0.95] * 9 + [0.5], model=name, metric=name) for name in names))
    async with run(snapshot, size=(120, 36)) as screen:
        for name in names:
            assert name in screen.text
        await screen.pilot.click("#models", offset=(10, 2))
        assert screen.app.is_running


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "\x9b31m", "a\u202eb", "\ud800", "a\x00b"])
def test_the_last_sink_lets_nothing_through_that_does_not_print(text):
    assert sanitize_line(text, ascii_only=False).isprintable()
    assert sanitize_line(text, ascii_only=True).isascii()
