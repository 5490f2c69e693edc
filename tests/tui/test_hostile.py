"""No foreign string reaches the terminal unescaped, and none is parsed as markup."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.diagnosis import Cause, Contribution, Course, Diagnosis, Finding, Fit, Moved, Pair, Pattern, Reading
from modeltop.core.distribution import Exhibits, Histogram, Reliability
from modeltop.core.incident import Health
from modeltop.core.series import Problem, SeriesKey, Severity
from modeltop.core.text import width
from modeltop_tui.view.alerts import entries
from modeltop_tui.view.changes import change_lines
from modeltop_tui.view.chart import chart_of, read_out
from modeltop_tui.view.clipboard import story
from modeltop_tui.view.diagnosis import diagnosis_lines, heading_lines
from modeltop_tui.view.header import header
from modeltop_tui.view.metrics import columns, heading, metric_cells, rows
from modeltop_tui.view.models import model_cells, nothing_listed
from modeltop_tui.view.navigation import hint
from modeltop_tui.view.periods import periods_of
from modeltop_tui.view.state import listed
from modeltop_tui.view.styled_text import plain_text
from modeltop_tui.widgets.pane import printed


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
        problems = [Problem(text, text, fatal=True), Problem(text, text, line=3)]
        made = make.scene(*lines, rules=rules, problems=problems, notices=[text])
        after = make.handled(made.snapshot, by=text, why=text, acks=[0], hushed=[0, 1], notes=[("*", text)])
        health = Health(make.clock, make.clock, 1, text, 60.0, error=text, broken=(text,))
        return replace(made, snapshot=replace(after, health=health, exhibits=exhibits(text)), trouble=text)

    return {text: scene(text) for text in make.hostile}


def diagnosis(text):
    """A diagnosis in which the string stands wherever foreign text may."""
    key, begin = SeriesKey(text, text, text), datetime(2025, 1, 7, tzinfo=UTC)
    course = Course(key, Pattern.DROP, begin, -0.1, 0.9, (Fit(text, 1.0, -9.0), Fit("step", 1.0, -8.0)))
    reading = Reading(key, 0.9, 0.8, -0.1, None, None, -9.0, "fell")
    return Diagnosis(
        text, Severity.CRITICAL, key, text, course, (Finding(Cause.UPSTREAM, 0.8, (text,), (text,)),), (), text,
        courses=(course,), evidence=(reading,), moved=(Moved(text, 0.5, 0.1, metric=text),),
        segments=(Contribution(text, (0.1, 0.2), (0.9, 0.8), -0.1, 0.0),), pairs=(Pair(reading, reading),),
    )  # fmt: skip


def exhibits(text):
    """What lies under it, under the same name."""
    counts = np.array([[1.0, 2.0, 0.0]])
    drawn = Histogram(text, (text, "other", "missing"), None, counts[0], (datetime(2025, 1, 8, tzinfo=UTC),), counts)
    curve = Reliability(text, (datetime(2025, 1, 8, tzinfo=UTC),), counts, counts / 3, counts / 3)
    return {text: Exhibits({text: drawn}, curve)}


def everything(scene, clock):
    """Each text that present makes of a scene, for a narrow pane and a wide one."""
    for wide in (16, 58):
        table = rows(scene)
        shape = columns(table, wide)
        yield from (plain_text(model_cells(scene, model)) for model in listed(scene))
        yield from (plain_text(metric_cells(row, shape, selected=True)) for row in table)
        yield from (plain_text(line) for entry in entries(scene, wide) for line in entry.lines)
        yield from (plain_text(line) for line in change_lines(scene, wide))
        yield from (plain_text(heading(shape)), plain_text(header(scene, clock, wide)))
        found = replace(scene, diagnosis=diagnosis(scene.view.key.model))
        yield from (plain_text(line) for line in (*heading_lines(found, wide), *diagnosis_lines(found, wide)))
    chart = chart_of(scene)
    yield from (note.caption for note in chart.overlays.notes)
    yield from (chart.title, chart.empty, read_out(scene), *(line.name for line in chart.lines))
    yield from (hint(scene, scene.view.model), nothing_listed(replace(scene, view=replace(scene.view, filter="\x1bz"))))
    periods = periods_of(scene)
    yield from (plain_text(periods.heading(0, 60)), plain_text(periods.line(0, 0)), *story(scene, clock).split("\n"))


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
            assert all(width(line) == 100 for line in screen.lines)
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
    assert printed(text, ascii_only=False).isprintable()
    assert printed(text, ascii_only=True).isascii()
