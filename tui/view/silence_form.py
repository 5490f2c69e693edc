"""The form for a silence: what stands in it, what it would do, and the silences there are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modeltop.alerting.suppression import SilencePreview, preview_silence, silence_error
from modeltop.core.incident import Matchers, Silence
from modeltop.core.series import Alert, Severity
from modeltop.core.text import display_width, pluralize, sanitize
from modeltop.report.phrases import describe_matchers, describe_silence, format_moment
from modeltop_tui.view.alerts import describe_problem
from modeltop_tui.view.line_edit import LONGEST
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, fit, wrap

FIELDS = ("model", "metric", "segment", "rule", "severity", "for", "why")
GLOBS = len(FIELDS) - 2
FOR, WHY = GLOBS, GLOBS + 1
HINTS = {"for": "such as 30m, 8h, 2d; at most 30d", "why": "for the others, and for you tomorrow"}
GLOB_HINT = "* is anything, ? one character"
LEAD = 11
DEFAULT_DURATION = "1h"
MAX_SPAN = timedelta(days=3650)
"""Longer than any silence may be, and near enough to have a date."""
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


@dataclass(frozen=True, slots=True)
class SilenceForm:
    """What a person has typed, and where the keys go."""

    texts: tuple[str, ...]
    """One a field, as typed: foreign text."""
    cursor: int = WHY
    """The field, or behind the fields the silence, that has the keys."""
    message: str = ""
    """What became of the last try; until the next key."""


def exact_glob(name: str) -> str:
    """The glob that matches this name and no other.

    >>> exact_glob("[eu] churn*")
    '[[]eu] churn[*]'
    """
    return re.sub(r"[*?[]", r"[\g<0>]", name)


def prefilled(scene: ScreenState, alert: Alert | None) -> SilenceForm:
    """The form about an alert, else about the selected series.

    A warning is silenced as a warning: if it gets worse, people are told.
    """
    if alert is not None:
        key, rule = alert.key, exact_glob(alert.rule)
        severity = "*" if alert.severity is Severity.CRITICAL else alert.severity.name.lower()
        metric = "*" if key.metric == "*" else exact_glob(key.metric)
        return SilenceForm(
            (exact_glob(key.model), metric, exact_glob(key.segment), rule, severity, DEFAULT_DURATION, "")
        )
    chosen = scene.selection.key
    places = (chosen.metric, chosen.segment) if chosen is not None else ()
    globs = [
        exact_glob(text) for text in (*([scene.selection.model] if scene.selection.model is not None else []), *places)
    ]
    return SilenceForm((*globs, *["*"] * (GLOBS - len(globs)), DEFAULT_DURATION, ""))


def move_cursor(form: SilenceForm, steps: int, silences: int) -> SilenceForm:
    """The keys go `steps` fields or silences further; round at the ends."""
    return replace(form, cursor=(form.cursor + steps) % (len(FIELDS) + silences), message="")


def set_text(form: SilenceForm, text: str) -> SilenceForm:
    """The field that has the keys holds this text now."""
    texts = tuple(text[:LONGEST] if at == form.cursor else old for at, old in enumerate(form.texts))
    return replace(form, texts=texts, message="")


def matchers_of(form: SilenceForm) -> Matchers:
    """Which alerts; an empty field is anything."""
    return Matchers(*(text.strip() or "*" for text in form.texts[:GLOBS]))


def parse_duration(form: SilenceForm) -> timedelta | None:
    """For how long; None where that is no length of time.

    >>> parse_duration(SilenceForm((*"*****", "90m", ""))), parse_duration(SilenceForm((*"*****", "soon", "")))
    (datetime.timedelta(seconds=5400), None)
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([mhdw])", form.texts[FOR].strip())
    return min(timedelta(seconds=float(found[1]) * UNITS[found[2]]), MAX_SPAN) if found else None


def listed_silences(scene: ScreenState) -> list[Silence]:
    """Those that hold or will, the one that ends first on top; then those that ended, the newest first."""
    if scene.snapshot is None:
        return []
    now = scene.snapshot.clock
    open_ones = sorted(
        (one for one in scene.snapshot.alerting_state.silences if one.end > now), key=lambda one: one.end
    )
    over = sorted((one for one in scene.snapshot.alerting_state.silences if one.end <= now), key=lambda one: one.end)
    return [*open_ones, *reversed(over)]


def chosen_silence(form: SilenceForm, scene: ScreenState) -> Silence | None:
    """The silence that has the keys."""
    found = listed_silences(scene)
    at = form.cursor - len(FIELDS)
    return found[at] if 0 <= at < len(found) else None


def preview_form(form: SilenceForm, scene: ScreenState) -> SilencePreview:
    """What it would do to the alerts that stand, worst first."""
    return preview_silence(
        matchers_of(form), snapshot_index(scene.snapshot).open_alerts if scene.snapshot is not None else ()
    )


def form_error(form: SilenceForm, scene: ScreenState, now: datetime) -> str | None:
    """Why it may not be saved as it is; None where it may."""
    length = parse_duration(form)
    if length is None:
        return f"{sanitize(form.texts[FOR], 20) or 'nothing'} is no length of time: write it such as 30m, 8h, 2d"
    episodes = scene.snapshot.alerts if scene.snapshot is not None else ()
    return silence_error(matchers_of(form), now, now + length, form.texts[WHY], episodes)


def field_lines(form: SilenceForm, cells_wide: int) -> list[Cells]:
    """One line a field; a long text shows its end, where the person is typing."""
    return [_field(form, at, cells_wide) for at in range(len(FIELDS))]


def _field(form: SilenceForm, at: int, cells_wide: int) -> Cells:
    name, text = FIELDS[at], sanitize(form.texts[at], 4 * LONGEST)
    room = max(8, cells_wide - LEAD - 3)
    chosen = at == form.cursor
    if display_width(text) > room:
        text = "…" + text[-(room // 2) :]
    hint = HINTS.get(name, GLOB_HINT)
    hint = f"  {hint}" if chosen and display_width(text) + display_width(hint) + 3 <= room else ""
    lead = (f"{'>' if chosen else ' '} {name:<{LEAD - 2}}", "strong" if chosen else "head")
    return lead, (text, ""), (" ", "cursor" if chosen else ""), (hint, "dim")


def effect_lines(form: SilenceForm, scene: ScreenState, now: datetime, cells_wide: int) -> list[Cells]:
    """How many of the standing alerts it would silence and until when, and what speaks against it."""
    found, length = preview_form(form, scene), parse_duration(form)
    until = f" until {format_moment(now + length, now)} UTC" if length is not None else ""
    count = f"{len(found.matching)} of {pluralize(found.active_count, 'alert')} that stand{'s' if found.active_count == 1 else ''}"
    lines = wrap(f"silences {count}{until}", cells_wide, indent="  ", lead=(("  ", ""),))
    told = [(form.message, "strong")] if form.message else [(form_error(form, scene, now) or "", "warning")]
    told += [(found.warning or "", "warning")]
    for text, role in told:
        lines += wrap(sanitize(text, 300), cells_wide, role=role, indent="  ", lead=(("  ", ""),)) if text else []
    return lines


def matching_alert_lines(form: SilenceForm, scene: ScreenState, cells_wide: int, most: int) -> list[Cells]:
    """The standing alerts that it would silence, a line each, at most so many."""
    found = preview_form(form, scene).matching
    shown = found if len(found) <= most else found[: most - 1]
    lines: list[Cells] = []
    for one in shown:
        tint = TINTS[one.severity]
        lines.append(((f"    {SHAPES[one.severity]} {sanitize(one.key.model, 60)}: {describe_problem(one)}", tint),))
    if len(found) > len(shown):
        lines.append(((f"    and {len(found) - len(shown)} more", "dim"),))
    return [fit(line, cells_wide) for line in lines]


def silence_lines(form: SilenceForm, scene: ScreenState, cells_wide: int) -> list[list[Cells]]:
    """The silences there are, each in as many lines as it takes."""
    if scene.snapshot is None:
        return []
    now, chosen = scene.snapshot.clock, chosen_silence(form, scene)
    out = []
    for one in listed_silences(scene):
        sign = ">" if one is chosen else " "
        role = "cursor" if one is chosen else "dim" if one.end <= now else ""
        text = f"{describe_matchers(one.matchers)}: {describe_silence(one, now)}"
        out.append(wrap(text, cells_wide, role=role, indent="    ", lead=((f"{sign} ", "strong"),)))
    return out
