"""Silencing alerts: a form with its effect shown while it is typed, and the silences there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.reactive import reactive

from modeltop.alerting import actions
from modeltop.alerting.actions import author
from modeltop.core.event import Silenced
from modeltop.core.series import Episode
from modeltop.core.text import plural
from modeltop.report.phrases import matcher_words, moment
from modeltop_tui.alert_actions import KEEPING, keep
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.view.line_edit import edited, pasted
from modeltop_tui.view.silence_form import (
    FIELDS,
    WHY,
    Form,
    alert_lines,
    chosen_silence,
    effect_lines,
    field_lines,
    length_of,
    listed_silences,
    matchers_of,
    moved,
    prefilled,
    previewed,
    refusal,
    silence_lines,
    typed,
)
from modeltop_tui.view.state import Scene
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.widgets.pane import Body, Pane

if TYPE_CHECKING:
    from modeltop_tui.app import ModeltopApp
    from modeltop_tui.screens.main import Desk

STEPS = {"down": 1, "up": -1, "tab": 1, "shift+tab": -1, "ctrl+n": 1, "ctrl+p": -1}
FEWEST = 2
"""Lines of alerts shown in a low pane."""


class SilencePane(Pane):
    """The fields, what they would do, and the silences."""

    TITLE = "Silence"

    def __init__(self, form: Form, desk: Desk, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.form = form
        self.desk = desk

    def body(self, cells_wide: int, rows: int) -> Body:
        """Everything, the place that has the keys in sight."""
        lines: list[Cells] = [*field_lines(self.form, cells_wide), ()]
        lines += effect_lines(self.form, self.scene, self.desk.now(), cells_wide)
        found = silence_lines(self.form, self.scene, cells_wide)
        below = sum(map(len, found)) + 2 if found else 0
        lines += alert_lines(self.form, self.scene, cells_wide, max(FEWEST, rows - len(lines) - below))
        at = self.form.at
        if found:
            lines += [(), (("  silences, those that ended within 5 days included", "head"),)]
            if self.form.at >= len(FIELDS):
                at = len(lines) + sum(map(len, found[: self.form.at - len(FIELDS)]))
            lines += [line for entry in found for line in entry]
        return Body(len(lines), lambda row: lines[row], at)

    def note(self) -> str:
        """What the keys do."""
        if chosen_silence(self.form, self.scene) is not None:
            return "x ends the silence  ↑↓ move  esc back"
        return "enter saves  ↑↓ field  esc back"

    def pointed(self, row: int) -> None:
        """A click gives a field the keys."""
        if row < len(FIELDS):
            self.take(replace(self.form, at=row, said=""))

    def take(self, form: Form) -> None:
        """Show another state of the form."""
        self.form = form
        self.show()


class SilenceScreen(PaneScreen, inherit_bindings=False):
    """Covers the desk until the silence is saved or the person leaves.

    Every key is typed into it, so it has no bindings of its own.

    Args:
        desk: Whose scene it follows.
        alert: What the form begins with.
    """

    scene: reactive[Scene] = reactive(Scene(), repaint=False)

    def __init__(self, desk: Desk, alert: Episode | None, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.desk = desk
        self.set_reactive(SilenceScreen.scene, desk.scene)
        self.pane = SilencePane(prefilled(desk.scene, alert), desk, ascii_only=ascii_only)

    def compose(self) -> ComposeResult:
        """One pane."""
        yield self.pane.data_bind(SilenceScreen.scene)

    def on_mount(self) -> None:
        """Follow the desk."""
        self.watch(self.desk, "scene", self._follow, init=False)

    def _follow(self, scene: Scene) -> None:
        form, before = self.pane.form, chosen_silence(self.pane.form, self.scene)
        found = listed_silences(scene)
        if before is not None:  # the cursor stays on its silence, or leaves the list with it
            at = next((at for at, one in enumerate(found) if one.id == before.id), None)
            self.pane.form = replace(form, at=WHY if at is None else len(FIELDS) + at)
        self.scene = scene

    def took(self, event: events.Key) -> bool:
        """Every key but those that end the program is for the form."""
        form = self.pane.form
        if event.key in ("ctrl+c", "ctrl+q", "ctrl+z"):
            return False
        if event.key == "escape":
            self.dismiss()
        elif event.key in STEPS:
            self.pane.take(moved(form, STEPS[event.key], len(listed_silences(self.scene))))
        elif chosen_silence(form, self.scene) is not None:
            self._on_silence(event)
        elif event.key == "enter":
            self._save()
        else:
            character = event.character if event.is_printable else None
            self.pane.take(typed(form, edited(form.texts[form.at], event.key, character)))
        return True

    def on_paste(self, event: events.Paste) -> None:
        """The field takes what is pasted."""
        form = self.pane.form
        if form.at < len(FIELDS):
            self.pane.take(typed(form, pasted(form.texts[form.at], event.text)))

    def _say(self, text: str) -> None:
        if self.is_attached and self.is_current:
            self.pane.take(replace(self.pane.form, said=text))
        else:
            self.desk.status.say(text)

    def _save(self) -> None:
        form, scene = self.pane.form, self.scene
        now, length = self.desk.now(), length_of(form)
        why_not = refusal(form, scene, now)
        if length is None or why_not is not None or scene.snapshot is None:
            return self._say(f"not saved: {why_not}")
        episodes, count = scene.snapshot.episodes, len(previewed(form, scene).matched)
        matchers, why, by = matchers_of(form), form.texts[WHY].strip(), author()
        self._say(KEEPING)

        def decide(_: object, at: datetime) -> tuple[Silenced]:
            return actions.hush(matchers, episodes, start=at, end=at + length, by=by, why=why, now=at)

        def told(refused: str | None) -> None:
            if refused is not None:
                return self._say(refused)
            if self.is_attached and self.is_current:
                self.dismiss()
            until = moment(now + length, now)
            said = f"silenced until {until} UTC, {plural(count, 'alert')} now"
            self.desk.status.say(f"{said}: {matcher_words(matchers)}")
            return None

        return keep(self._modeltop, decide, told)

    def _on_silence(self, event: events.Key) -> None:
        silence = chosen_silence(self.pane.form, self.scene)
        if event.key != "x" or silence is None:
            return self._say("x ends this silence; ↑ goes back to the form")
        self._say(KEEPING)
        by, name = author(), silence.id
        return keep(
            self._modeltop,
            lambda facts, now: actions.expire(facts, name, by=by, now=now),
            lambda refused: self._say(refused or f"ended: {matcher_words(silence.matchers)}"),
        )

    @property
    def _modeltop(self) -> ModeltopApp:
        return cast("ModeltopApp", self.app)  # there is no other
