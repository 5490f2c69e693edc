"""The form for a silence: its fields, its effect, and the list of silences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modeltop.alerting.state import SILENCE_RETENTION
from modeltop.alerting.suppression import SilencePreview, preview_silence, silence_error
from modeltop.core.incident import Matchers, Silence
from modeltop.core.series import Alert
from modeltop.core.text import display_width, exact_glob, parse_duration, pluralize, sanitize
from modeltop.report.phrases import describe_matchers, describe_silence, format_moment
from modeltop_tui.view.alerts import describe_problem
from modeltop_tui.view.line_edit import MAX_LENGTH
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, fit, with_cursor, wrap

FIELDS = ("model", "metric", "segment", "rule", "severity", "for", "why")
GLOBS = len(FIELDS) - 2
"""Number of fields with a glob; the first ones."""
DURATION, REASON = GLOBS, GLOBS + 1
"""Indices of the last two fields."""
HINTS = {"for": "such as 30m, 8h, 2d; at most 30d", "why": 'e.g. "backfill running, ticket 123"'}
GLOB_HINT = "* is anything, ? one character"
LABEL_WIDTH = 11
DEFAULT_DURATION = "1h"
MAX_SPAN = timedelta(days=3650)
"""Longer than any silence may be, and near enough to have a date."""


@dataclass(frozen=True, slots=True)
class SilenceForm:
    """The typed texts, and the cursor."""

    texts: tuple[str, ...]
    """One per field, as typed: foreign text."""
    cursor: int = REASON
    """Index of the field that has the keys; from `len(FIELDS)` on, of a silence in the list."""
    message: str = ""
    """Result of the last action; until the next key."""


def prefilled(state: ScreenState, alert: Alert | None) -> SilenceForm:
    """Return the form for all that is wrong with an alert's model; without an alert, for the selected series."""
    if alert is not None:
        globs = [exact_glob(alert.key.model), *["*"] * (GLOBS - 1)]
        return SilenceForm((*globs, DEFAULT_DURATION, ""))
    model, selected = state.selection.model, state.selection.key
    names = [model] if model is not None else []
    names += [selected.metric, selected.segment] if selected is not None else []
    globs = [exact_glob(name) for name in names]
    return SilenceForm((*globs, *["*"] * (GLOBS - len(globs)), DEFAULT_DURATION, ""))


def move_cursor(form: SilenceForm, steps: int, silences: int) -> SilenceForm:
    """Move the cursor by fields and silences; from the last to the first."""
    return replace(form, cursor=(form.cursor + steps) % (len(FIELDS) + silences), message="")


def set_text(form: SilenceForm, text: str) -> SilenceForm:
    """Set the text of the field under the cursor."""
    texts = tuple(text[:MAX_LENGTH] if field == form.cursor else old for field, old in enumerate(form.texts))
    return replace(form, texts=texts, message="")


def matchers_of(form: SilenceForm) -> Matchers:
    """Return the matchers of the form; an empty field matches anything."""
    return Matchers(*(text.strip() or "*" for text in form.texts[:GLOBS]))


def silence_duration(form: SilenceForm) -> timedelta | None:
    """Return the duration of the silence, at most `MAX_SPAN`; None if the text is no duration."""
    duration = parse_duration(form.texts[DURATION])
    return duration and min(duration, MAX_SPAN)


def listed_silences(state: ScreenState) -> list[Silence]:
    """Return the active and pending silences, by their end; then those of the last 5 days, the newest first."""
    if state.snapshot is None:
        return []
    now = state.snapshot.clock
    recent = (each for each in state.snapshot.alerting_state.silences if each.end > now - SILENCE_RETENTION)
    silences = sorted(recent, key=lambda silence: silence.end)
    expired = [silence for silence in silences if silence.end <= now]
    return [*silences[len(expired) :], *reversed(expired)]


def selected_silence(form: SilenceForm, state: ScreenState) -> Silence | None:
    """Return the silence under the cursor; None where that is on a field."""
    silences = listed_silences(state)
    at = form.cursor - len(FIELDS)
    return silences[at] if 0 <= at < len(silences) else None


def preview_form(form: SilenceForm, state: ScreenState) -> SilencePreview:
    """Return what the silence would do to the open alerts."""
    alerts = snapshot_index(state.snapshot).open_alerts if state.snapshot is not None else ()
    return preview_silence(matchers_of(form), alerts)


def form_error(form: SilenceForm, state: ScreenState, now: datetime) -> str | None:
    """Return why the form cannot be saved; None where it can.

    Args:
        form: The typed texts.
        state: Has the alerts that the silence would match.
        now: The present, when the silence would start.
    """
    duration = silence_duration(form)
    if duration is None:
        return f"invalid duration {sanitize(form.texts[DURATION], 20)!r}: write it such as 30m, 8h, 2d"
    alerts = state.snapshot.alerts if state.snapshot is not None else ()
    return silence_error(matchers_of(form), now, now + duration, form.texts[REASON], alerts)


def field_lines(form: SilenceForm, width: int) -> list[Cells]:
    """Return one line per field; a long text shows its end, where the person is typing."""
    return [_field_line(form, field, width) for field in range(len(FIELDS))]


def _field_line(form: SilenceForm, field: int, width: int) -> Cells:
    name, text = FIELDS[field], sanitize(form.texts[field], 4 * MAX_LENGTH)
    room = max(8, width - LABEL_WIDTH - 3)
    selected = field == form.cursor
    if display_width(text) > room:
        text = "…" + text[-(room // 2) :]
    hint = HINTS.get(name, GLOB_HINT)
    hint = f"  {hint}" if selected and display_width(text) + display_width(hint) + 3 <= room else ""
    lead = (f"{'>' if selected else ' '} {name:<{LABEL_WIDTH - 2}}", "strong" if selected else "dim")
    return lead, (text, ""), (" ", "cursor" if selected else ""), (hint, "dim")


def effect_lines(form: SilenceForm, state: ScreenState, now: datetime, width: int) -> list[Cells]:
    """Return how many active alerts would be silenced and until when, then errors and warnings.

    Args:
        form: The typed texts.
        state: Has the alerts.
        now: The present, when the silence would start.
        width: Width of a line in cells.
    """
    preview, duration = preview_form(form, state), silence_duration(form)
    until = f" until {format_moment(now + duration, now)} UTC" if duration is not None else ""
    count = f"{len(preview.matching)} of {pluralize(preview.active_count, 'active alert')}"
    lines = wrap(f"silences {count}{until}", width, indent="  ", lead=(("  ", ""),))
    messages = [(form.message, "strong")] if form.message else [(form_error(form, state, now) or "", "warning")]
    messages += [(preview.warning or "", "warning")]
    for text, role in messages:
        lines += wrap(sanitize(text, 300), width, role=role, indent="  ", lead=(("  ", ""),)) if text else []
    return lines


def matching_alert_lines(form: SilenceForm, state: ScreenState, width: int, max_lines: int) -> list[Cells]:
    """Return the active alerts that would be silenced, one per line.

    Args:
        form: The typed texts.
        state: Has the alerts.
        width: Width of a line in cells.
        max_lines: Where there are more, the last line is their number.
    """
    alerts = preview_form(form, state).matching
    shown = alerts if len(alerts) <= max_lines else alerts[: max_lines - 1]
    lines: list[Cells] = []
    for alert in shown:
        text = f" {sanitize(alert.key.model, 60)}: {describe_problem(alert)}"
        lines.append(((f"    {SHAPES[alert.severity]}", TINTS[alert.severity]), (text, "")))
    if len(alerts) > len(shown):
        lines.append(((f"    and {len(alerts) - len(shown)} more", "dim"),))
    return [fit(line, width) for line in lines]


def silence_lines(form: SilenceForm, state: ScreenState, width: int) -> list[list[Cells]]:
    """Return the listed silences, each as its lines.

    Args:
        form: Its cursor marks one of them.
        state: Has the silences.
        width: Width of a line in cells.
    """
    if state.snapshot is None:
        return []
    now, selected = state.snapshot.clock, selected_silence(form, state)
    out: list[list[Cells]] = []
    for silence in listed_silences(state):
        sign = ">" if silence is selected else " "
        role = "dim" if silence.end <= now else ""
        text = f"{describe_matchers(silence.matchers)}: {describe_silence(silence, now)}"
        lines = wrap(text, width, role=role, indent="    ", lead=((f"{sign} ", "strong"),))
        out.append([with_cursor(line, width) for line in lines] if silence is selected else lines)
    return out
