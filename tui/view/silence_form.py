"""The form for a silence: what stands in it, what it would do, and the silences there are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modeltop.alerting.suppression import Preview, objection, preview
from modeltop.core.incident import Matchers, Silence
from modeltop.core.series import Episode, Severity
from modeltop.core.text import plural, safe, width
from modeltop.report.phrases import matcher_words, moment, silence_words
from modeltop_tui.view.alerts import what
from modeltop_tui.view.line_edit import LONGEST
from modeltop_tui.view.state import Scene, board
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, fit, wrap

FIELDS = ("model", "metric", "segment", "rule", "severity", "for", "why")
GLOBS = len(FIELDS) - 2
FOR, WHY = GLOBS, GLOBS + 1
HINTS = {"for": "such as 30m, 8h, 2d; at most 30d", "why": "for the others, and for you tomorrow"}
GLOB_HINT = "* is anything, ? one character"
LEAD = 11
USUAL = "1h"
FAR = timedelta(days=3650)
"""Longer than any silence may be, and near enough to have a date."""
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


@dataclass(frozen=True, slots=True)
class Form:
    """What a person has typed, and where the keys go."""

    texts: tuple[str, ...]
    """One a field, as typed: foreign text."""
    at: int = WHY
    """The field, or behind the fields the silence, that has the keys."""
    said: str = ""
    """What became of the last try; until the next key."""


def exactly(name: str) -> str:
    """The glob that matches this name and no other.

    >>> exactly("[eu] churn*")
    '[[]eu] churn[*]'
    """
    return re.sub(r"[*?[]", r"[\g<0>]", name)


def prefilled(scene: Scene, alert: Episode | None) -> Form:
    """The form about an alert, else about the selected series.

    A warning is silenced as a warning: if it gets worse, people are told.
    """
    if alert is not None:
        key, rule = alert.key, exactly(alert.rule)
        severity = "*" if alert.severity is Severity.CRITICAL else alert.severity.name.lower()
        metric = "*" if key.metric == "*" else exactly(key.metric)
        return Form((exactly(key.model), metric, exactly(key.segment), rule, severity, USUAL, ""))
    chosen = scene.view.key
    places = (chosen.metric, chosen.segment) if chosen is not None else ()
    globs = [exactly(text) for text in (*([scene.view.model] if scene.view.model is not None else []), *places)]
    return Form((*globs, *["*"] * (GLOBS - len(globs)), USUAL, ""))


def moved(form: Form, steps: int, silences: int) -> Form:
    """The keys go `steps` fields or silences further; round at the ends."""
    return replace(form, at=(form.at + steps) % (len(FIELDS) + silences), said="")


def typed(form: Form, text: str) -> Form:
    """The field that has the keys holds this text now."""
    texts = tuple(text[:LONGEST] if at == form.at else old for at, old in enumerate(form.texts))
    return replace(form, texts=texts, said="")


def matchers_of(form: Form) -> Matchers:
    """Which alerts; an empty field is anything."""
    return Matchers(*(text.strip() or "*" for text in form.texts[:GLOBS]))


def length_of(form: Form) -> timedelta | None:
    """For how long; None where that is no length of time.

    >>> length_of(Form((*"*****", "90m", ""))), length_of(Form((*"*****", "soon", "")))
    (datetime.timedelta(seconds=5400), None)
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([mhdw])", form.texts[FOR].strip())
    return min(timedelta(seconds=float(found[1]) * UNITS[found[2]]), FAR) if found else None


def listed_silences(scene: Scene) -> list[Silence]:
    """Those that hold or will, the one that ends first on top; then those that ended, the newest first."""
    if scene.snapshot is None:
        return []
    now = scene.snapshot.clock
    open_ones = sorted((one for one in scene.snapshot.facts.silences if one.end > now), key=lambda one: one.end)
    over = sorted((one for one in scene.snapshot.facts.silences if one.end <= now), key=lambda one: one.end)
    return [*open_ones, *reversed(over)]


def chosen_silence(form: Form, scene: Scene) -> Silence | None:
    """The silence that has the keys."""
    found = listed_silences(scene)
    at = form.at - len(FIELDS)
    return found[at] if 0 <= at < len(found) else None


def previewed(form: Form, scene: Scene) -> Preview:
    """What it would do to the alerts that stand, worst first."""
    return preview(matchers_of(form), board(scene.snapshot).open if scene.snapshot is not None else ())


def refusal(form: Form, scene: Scene, now: datetime) -> str | None:
    """Why it may not be saved as it is; None where it may."""
    length = length_of(form)
    if length is None:
        return f"{safe(form.texts[FOR], 20) or 'nothing'} is no length of time: write it such as 30m, 8h, 2d"
    episodes = scene.snapshot.episodes if scene.snapshot is not None else ()
    return objection(matchers_of(form), now, now + length, form.texts[WHY], episodes)


def field_lines(form: Form, cells_wide: int) -> list[Cells]:
    """One line a field; a long text shows its end, where the person is typing."""
    return [_field(form, at, cells_wide) for at in range(len(FIELDS))]


def _field(form: Form, at: int, cells_wide: int) -> Cells:
    name, text = FIELDS[at], safe(form.texts[at], 4 * LONGEST)
    room = max(8, cells_wide - LEAD - 3)
    chosen = at == form.at
    if width(text) > room:
        text = "…" + text[-(room // 2) :]
    hint = HINTS.get(name, GLOB_HINT)
    hint = f"  {hint}" if chosen and width(text) + width(hint) + 3 <= room else ""
    lead = (f"{'>' if chosen else ' '} {name:<{LEAD - 2}}", "strong" if chosen else "head")
    return lead, (text, ""), (" ", "cursor" if chosen else ""), (hint, "dim")


def effect_lines(form: Form, scene: Scene, now: datetime, cells_wide: int) -> list[Cells]:
    """How many of the standing alerts it would silence and until when, and what speaks against it."""
    found, length = previewed(form, scene), length_of(form)
    until = f" until {moment(now + length, now)} UTC" if length is not None else ""
    count = f"{len(found.matched)} of {plural(found.standing, 'alert')} that stand{'s' if found.standing == 1 else ''}"
    lines = wrap(f"silences {count}{until}", cells_wide, indent="  ", lead=(("  ", ""),))
    told = [(form.said, "strong")] if form.said else [(refusal(form, scene, now) or "", "warning")]
    told += [(found.warning or "", "warning")]
    for text, role in told:
        lines += wrap(safe(text, 300), cells_wide, role=role, indent="  ", lead=(("  ", ""),)) if text else []
    return lines


def alert_lines(form: Form, scene: Scene, cells_wide: int, most: int) -> list[Cells]:
    """The standing alerts that it would silence, a line each, at most so many."""
    found = previewed(form, scene).matched
    shown = found if len(found) <= most else found[: most - 1]
    lines: list[Cells] = []
    for one in shown:
        tint = TINTS[one.severity]
        lines.append(((f"    {SHAPES[one.severity]} {safe(one.key.model, 60)}: {what(one)}", tint),))
    if len(found) > len(shown):
        lines.append(((f"    and {len(found) - len(shown)} more", "dim"),))
    return [fit(line, cells_wide) for line in lines]


def silence_lines(form: Form, scene: Scene, cells_wide: int) -> list[list[Cells]]:
    """The silences there are, each in as many lines as it takes."""
    if scene.snapshot is None:
        return []
    now, chosen = scene.snapshot.clock, chosen_silence(form, scene)
    out = []
    for one in listed_silences(scene):
        sign = ">" if one is chosen else " "
        role = "cursor" if one is chosen else "dim" if one.end <= now else ""
        text = f"{matcher_words(one.matchers)}: {silence_words(one, now)}"
        out.append(wrap(text, cells_wide, role=role, indent="    ", lead=((f"{sign} ", "strong"),)))
    return out
