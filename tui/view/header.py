"""The first and the last line: counts of models, problems and the age of the data above, keys below."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from modeltop.core.series import Severity
from modeltop.core.text import display_width, format_age, format_day, pluralize, sanitize, truncate
from modeltop.rules.snapshot import Snapshot
from modeltop_tui.view.news import new_problems
from modeltop_tui.view.state import ScreenState, SnapshotIndex, SortOrder, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, Span, fit, plain_text

MIN_WIDTH_FOR_REASON = 24
"""Cells from which there is room for a reason or a name."""


def watcher_status(snapshot: Snapshot, limit: int) -> Span | None:
    """Return the state of the watcher in about `limit` cells, with a role; None if none has ever run.

    It is critical if notifications may be missed, or repeated.

    Evaluated at the clock of the snapshot, not at present: an idle screen polls once a minute only.
    """
    health = snapshot.watcher_health
    if health is None:
        return None
    if health.stopped:
        return "watch stopped", "critical"
    if health.is_overdue(snapshot.clock):
        return f"watch silent {format_age(snapshot.clock - health.at)}", "critical"
    texts = []
    if health.error:
        texts.append(f"watch: {sanitize(health.error, limit - 7)}" if limit >= MIN_WIDTH_FOR_REASON else "watch error")
    if health.disabled_receivers:
        first, *others = health.disabled_receivers
        texts.append(f"{1 + len(others) if others else sanitize(first, max(limit - 8, 8))} failing")
    if not texts:
        return "watch ok", "dim"
    return "; ".join(texts) if limit >= MIN_WIDTH_FOR_REASON else texts[0], "critical"


class HeaderDetail(NamedTuple):
    """How much of the first line is shown."""

    error_width: int
    """Maximum width of an error, in cells."""
    max_rank: int
    """The highest rank of the parts that are shown."""
    with_words: bool = True
    """Whether severities have their words."""


DETAIL_STEPS = (
    HeaderDetail(60, 5),
    HeaderDetail(40, 4),
    HeaderDetail(40, 3),
    HeaderDetail(40, 2),
    HeaderDetail(60, 4, with_words=False),
    HeaderDetail(34, 3, with_words=False),
    HeaderDetail(24, 3, with_words=False),
    HeaderDetail(12, 3, with_words=False),
    HeaderDetail(12, 2, with_words=False),
    HeaderDetail(12, 1, with_words=False),
    HeaderDetail(0, 0, with_words=False),
)
"""Levels of detail, from the widest to the narrowest."""
DATE_RANK = 3
"""Rank of the date of the newest row."""


def header_line(state: ScreenState, now: datetime, width: int) -> Cells:
    """Return the first line; if it is narrow the least important parts are dropped first, severities and age never.

    Args:
        state: The state that is shown.
        now: The present, from which the age of the data counts.
        width: Width of the line in cells.
    """
    line: Cells = ()
    right = ""
    for detail in DETAIL_STEPS:
        parts = [cells for rank, cells in _parts(state, detail) if rank <= detail.max_rank and plain_text(cells)]
        line, right = _join(parts), _age_text(state, now, with_date=detail.max_rank >= DATE_RANK)
        if display_width(plain_text(line)) + display_width(right) + 2 <= width:
            break
    gap = max(2, width - display_width(plain_text(line)) - display_width(right)) if right else 0
    return fit((*line, (" " * gap + right, "")), width)


def shared_line(state: ScreenState, width: int) -> Cells:
    """Return what several models have in common, the line below the first; the start of it if there is no room."""
    sentences = [] if state.snapshot is None else [shared.sentence for shared in state.snapshot.shared_starts]
    texts = (", ".join([*(one.partition(":")[0] for one in sentences[:-1]), *sentences[-1:]]), *sentences[:1])
    short = sentences[0].partition(":")[0] if sentences else ""
    text = next((text for text in texts if display_width(text) <= width), short)
    return fit(((text, "critical"),), width)


def _join(parts: list[Cells]) -> Cells:
    out: list[Span] = []
    for part in parts:
        out += [("  ", "")] if out else []
        out += part
    return tuple(out)


def _parts(state: ScreenState, detail: HeaderDetail) -> list[tuple[int, Cells]]:
    problem = _problem_text(state, detail.error_width)
    if state.snapshot is None:
        return [(5, (("modeltop", "strong"),)), (0, ((state.loading, "dim"),)), (0, problem)]
    watcher = watcher_status(state.snapshot, detail.error_width)
    return [
        (0, _counts(snapshot_index(state.snapshot), with_words=detail.with_words)),
        (4, ((new_problems(state, detail.error_width), "strong"),)),
        (1, problem),
        *([] if watcher is None else [(1 if watcher[1] == "critical" else 5, (watcher,))]),
        (2, ((_modes(state), "strong"),)),
    ]


def _counts(index: SnapshotIndex, *, with_words: bool) -> Cells:
    if not index.model_statuses:
        return (("nothing read", TINTS[Severity.UNKNOWN]),)
    out: list[Span] = []
    for (severity, word), count in sorted(index.state_counts.items(), key=lambda item: (-item[0][0], item[0][1])):
        out += [("  " if with_words else " ", "")] if out else []
        out += [(f"{SHAPES[severity]}{count}{f' {word}' if with_words else ''}", TINTS[severity])]
    return ((f"{pluralize(len(index.model_statuses), 'model')}: ", ""), *out) if with_words else tuple(out)


def _age_text(state: ScreenState, now: datetime, *, with_date: bool) -> str:
    if state.snapshot is None:
        return ""
    age, newest = data_age(state, now), state.snapshot.history.newest
    return f"data to {format_day(newest, now)}, {age}" if with_date and newest is not None else age


def _problem_text(state: ScreenState, limit: int) -> Cells:
    """Return that the clock is unreliable, how much could not be read, and the first problem if there is room."""
    problems = state.snapshot.history.problems if state.snapshot is not None else ()
    broken = [problem for problem in problems if problem.fatal]
    rows = sum(problem.count > 0 for problem in problems) - len(broken)
    out: list[str] = [sanitize(state.error, max(limit, 8))] if state.error else []
    doubt = state.snapshot.clock_doubt if state.snapshot is not None else None
    if doubt is not None:
        reason = f": {truncate(doubt, limit)}" if limit >= MIN_WIDTH_FOR_REASON else ""
        out.append(f"clock unreliable{reason}")
    if broken:
        reason = f": {sanitize(broken[0], limit - 10)}" if limit >= 24 else ""
        out.append(f"{pluralize(len(broken), 'error')}{reason}")
    if rows:
        out.append(pluralize(rows, "problem"))
    return (("; ".join(out), "critical" if state.error or broken or doubt else "warning"),) if out else ()


def _modes(state: ScreenState) -> str:
    selection = state.selection
    return " ".join(
        text
        for text, is_on in (
            ("PAUSED", state.paused),
            (selection.sort.value, selection.sort is not SortOrder.WORST),
        )
        if is_on
    )


def data_age(state: ScreenState, now: datetime) -> str:
    """Return the age of the newest row, in minutes or more: an idle screen is not written to each second."""
    newest = state.snapshot.history.newest if state.snapshot is not None else None
    if newest is None:
        return "no data"
    if newest > now:
        return "dated ahead"
    age = format_age(now - newest)
    return f"{age[:-1]} {age[-1]} old" if now - newest >= timedelta(minutes=1) else "<1 m old"


def keys_line(keys: Iterable[tuple[str, str]], width: int) -> Cells:
    """Return the last line: keys and their actions, as many as fit; the last two always.

    Args:
        keys: Each key as people read it, and a word or two; the most useful first, help and quit last.
        width: Width of the line in cells.
    """
    items = list(keys)
    first, last = items[:-2], items[-2:]
    while first and sum(display_width(key) + display_width(word) + 3 for key, word in (*first, *last)) - 2 > width:
        first.pop()
    return fit(_join([((key, "strong"), (f" {word}", "dim")) for key, word in (*first, *last)]), width)


def tabs_line(names: Iterable[str], active: int, width: int) -> Cells:
    """Return the panes by number and name, for one pane at a time; only numbers if it is narrow.

    Args:
        names: Titles of the panes.
        active: Number of the focused pane, from 1.
        width: Width of the line in cells.
    """
    full = [f"{number} {name}" for number, name in enumerate(names, 1)]
    digits = [text if number == active else text[0] for number, text in enumerate(full, 1)]
    texts = full if sum(display_width(text) + 2 for text in full) <= width else digits
    return fit(tuple((f" {text} ", "cursor" if n == active else "") for n, text in enumerate(texts, 1)), width)
