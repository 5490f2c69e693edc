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
from modeltop.core.event import SilenceCreated
from modeltop.core.series import Alert
from modeltop.core.text import pluralize
from modeltop.report.phrases import describe_matchers, format_moment
from modeltop_tui.alert_actions import SAVING, save
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.view.line_edit import edit_line, paste_line
from modeltop_tui.view.silence_form import (
    FIELDS,
    WHY,
    SilenceForm,
    chosen_silence,
    effect_lines,
    field_lines,
    form_error,
    listed_silences,
    matchers_of,
    matching_alert_lines,
    move_cursor,
    parse_duration,
    prefilled,
    preview_form,
    set_text,
    silence_lines,
)
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.widgets.pane import Pane, PaneBody

if TYPE_CHECKING:
    from modeltop_tui.app import ModeltopApp
    from modeltop_tui.screens.main import MainScreen

STEPS = {"down": 1, "up": -1, "tab": 1, "shift+tab": -1, "ctrl+n": 1, "ctrl+p": -1}
MIN_ALERT_LINES = 2
"""Lines of alerts shown in a low pane."""


class SilencePane(Pane):
    """The fields, what they would do, and the silences."""

    TITLE = "Silence"

    def __init__(self, form: SilenceForm, desk: MainScreen, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.form = form
        self.main_screen = desk

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """Everything, the place that has the keys in sight."""
        lines: list[Cells] = [*field_lines(self.form, cells_wide), ()]
        lines += effect_lines(self.form, self.screen_state, self.main_screen.now(), cells_wide)
        found = silence_lines(self.form, self.screen_state, cells_wide)
        below = sum(map(len, found)) + 2 if found else 0
        lines += matching_alert_lines(
            self.form, self.screen_state, cells_wide, max(MIN_ALERT_LINES, rows - len(lines) - below)
        )
        at = self.form.cursor
        if found:
            lines += [(), (("  silences, those that ended within 5 days included", "head"),)]
            if self.form.cursor >= len(FIELDS):
                at = len(lines) + sum(map(len, found[: self.form.cursor - len(FIELDS)]))
            lines += [line for entry in found for line in entry]
        return PaneBody(len(lines), lambda row: lines[row], at)

    def subtitle(self) -> str:
        """What the keys do."""
        if chosen_silence(self.form, self.screen_state) is not None:
            return "x ends the silence  ↑↓ move  esc back"
        return "enter saves  ↑↓ field  esc back"

    def click_row(self, row: int) -> None:
        """A click gives a field the keys."""
        if row < len(FIELDS):
            self.update_form(replace(self.form, cursor=row, message=""))

    def update_form(self, form: SilenceForm) -> None:
        """Show another state of the form."""
        self.form = form
        self.repaint()


class SilenceScreen(PaneScreen, inherit_bindings=False):
    """Covers the desk until the silence is saved or the person leaves.

    Every key is typed into it, so it has no bindings of its own.

    Args:
        desk: Whose scene it follows.
        alert: What the form begins with.
    """

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, desk: MainScreen, alert: Alert | None, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.main_screen = desk
        self.set_reactive(SilenceScreen.screen_state, desk.screen_state)
        self.pane = SilencePane(prefilled(desk.screen_state, alert), desk, ascii_only=ascii_only)

    def compose(self) -> ComposeResult:
        """One pane."""
        yield self.pane.data_bind(SilenceScreen.screen_state)

    def on_mount(self) -> None:
        """Follow the desk."""
        self.watch(self.main_screen, "screen_state", self._follow, init=False)

    def _follow(self, scene: ScreenState) -> None:
        form, before = self.pane.form, chosen_silence(self.pane.form, self.screen_state)
        found = listed_silences(scene)
        if before is not None:  # the cursor stays on its silence, or leaves the list with it
            at = next((at for at, one in enumerate(found) if one.id == before.id), None)
            self.pane.form = replace(form, cursor=WHY if at is None else len(FIELDS) + at)
        self.screen_state = scene

    def consume_key(self, event: events.Key) -> bool:
        """Every key but those that end the program is for the form."""
        form = self.pane.form
        if event.key in ("ctrl+c", "ctrl+q", "ctrl+z"):
            return False
        if event.key == "escape":
            self.dismiss()
        elif event.key in STEPS:
            self.pane.update_form(move_cursor(form, STEPS[event.key], len(listed_silences(self.screen_state))))
        elif chosen_silence(form, self.screen_state) is not None:
            self._on_silence(event)
        elif event.key == "enter":
            self._save()
        else:
            character = event.character if event.is_printable else None
            self.pane.update_form(set_text(form, edit_line(form.texts[form.cursor], event.key, character)))
        return True

    def on_paste(self, event: events.Paste) -> None:
        """The field takes what is pasted."""
        form = self.pane.form
        if form.cursor < len(FIELDS):
            self.pane.update_form(set_text(form, paste_line(form.texts[form.cursor], event.text)))

    def _say(self, text: str) -> None:
        if self.is_attached and self.is_current:
            self.pane.update_form(replace(self.pane.form, message=text))
        else:
            self.main_screen.status.show_message(text)

    def _save(self) -> None:
        form, scene = self.pane.form, self.screen_state
        now, length = self.main_screen.now(), parse_duration(form)
        why_not = form_error(form, scene, now)
        if length is None or why_not is not None or scene.snapshot is None:
            return self._say(f"not saved: {why_not}")
        episodes, count = scene.snapshot.alerts, len(preview_form(form, scene).matching)
        matchers, why, by = matchers_of(form), form.texts[WHY].strip(), author()
        self._say(SAVING)

        def decide(_: object, at: datetime) -> tuple[SilenceCreated]:
            return actions.create_silence(matchers, episodes, start=at, end=at + length, by=by, reason=why, now=at)

        def told(refused: str | None) -> None:
            if refused is not None:
                return self._say(refused)
            if self.is_attached and self.is_current:
                self.dismiss()
            until = format_moment(now + length, now)
            said = f"silenced until {until} UTC, {pluralize(count, 'alert')} now"
            self.main_screen.status.show_message(f"{said}: {describe_matchers(matchers)}")
            return None

        return save(self._modeltop, decide, told)

    def _on_silence(self, event: events.Key) -> None:
        silence = chosen_silence(self.pane.form, self.screen_state)
        if event.key != "x" or silence is None:
            return self._say("x ends this silence; ↑ goes back to the form")
        self._say(SAVING)
        by, name = author(), silence.id
        return save(
            self._modeltop,
            lambda facts, now: actions.expire_silence(facts, name, by=by, now=now),
            lambda refused: self._say(refused or f"ended: {describe_matchers(silence.matchers)}"),
        )

    @property
    def _modeltop(self) -> ModeltopApp:
        return cast("ModeltopApp", self.app)  # there is no other
