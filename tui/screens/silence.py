"""The form for a silence, with its effect shown while it is typed, and the list of all silences."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from textual import events

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.core.event import SilenceCreated
from modeltop.core.series import Alert
from modeltop.core.text import pluralize
from modeltop.report.phrases import describe_matchers, format_moment
from modeltop_tui.screens.base import END_KEYS
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view import silence_form
from modeltop_tui.view.line_edit import edit_line, paste_line
from modeltop_tui.view.silence_form import SilenceForm
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.widgets.pane import Pane, PaneBody
from modeltop_tui.workers.event_writer import SAVING, write_events
from modeltop_tui.workers.poller import Poller

STEPS = {"down": 1, "up": -1, "tab": 1, "shift+tab": -1, "ctrl+n": 1, "ctrl+p": -1}
MIN_ALERT_LINES = 2


class SilencePane(Pane):
    """The fields, their effect, and the silences."""

    TITLE = "Silence"
    STEPS = "field"

    def __init__(self, form: SilenceForm, main_screen: MainScreen) -> None:
        super().__init__(ascii_only=main_screen.ascii_only)
        self.form = form
        self.main_screen = main_screen

    def body(self, width: int, height: int) -> PaneBody:
        """Return all lines, the field or silence under the cursor in view."""
        lines: list[Cells] = [*silence_form.field_lines(self.form, width), ()]
        lines += silence_form.effect_lines(self.form, self.screen_state, self.main_screen.now(), width)
        silences = silence_form.silence_lines(self.form, self.screen_state, width)
        below = sum(map(len, silences)) + 2 if silences else 0
        room = max(MIN_ALERT_LINES, height - len(lines) - below)
        lines += silence_form.matching_alert_lines(self.form, self.screen_state, width, room)
        cursor = self.form.cursor
        if silences:
            lines += [(), (("  silences, those that ended within 5 days included", "head"),)]
            if self.form.cursor >= len(silence_form.FIELDS):
                cursor = len(lines) + sum(map(len, silences[: self.form.cursor - len(silence_form.FIELDS)]))
            lines += [line for silence in silences for line in silence]
        return PaneBody.of_lines(lines, cursor=cursor)

    def subtitle(self) -> str:
        """Return the keys of the form and what they do."""
        if silence_form.selected_silence(self.form, self.screen_state) is not None:
            return "x end the silence  Esc back"
        return "Enter save  Esc back"

    def click_row(self, row: int) -> None:
        """Move the cursor to the clicked field."""
        if row < len(silence_form.FIELDS):
            self.update_form(replace(self.form, cursor=row, message=""))

    def update_form(self, form: SilenceForm) -> None:
        """Show another state of the form."""
        self.form = form
        self.repaint()


class SilenceScreen(ModalPane, inherit_bindings=False):
    """The form over the full screen, until the silence is saved or the person leaves.

    Every key is typed into it, so it has no bindings of its own.

    Args:
        main_screen: Its state is followed.
        poller: Has the event log.
        alert: Prefills the form; None: the selected series does.
    """

    pane: SilencePane

    def __init__(self, main_screen: MainScreen, poller: Poller, alert: Alert | None) -> None:
        super().__init__(main_screen, SilencePane(silence_form.prefilled(main_screen.screen_state, alert), main_screen))
        self.poller = poller

    def _follow(self, state: ScreenState) -> None:
        form, previous = self.pane.form, silence_form.selected_silence(self.pane.form, self.screen_state)
        if previous is not None:  # the cursor stays on its silence, or leaves the list with it
            ids = [silence.id for silence in silence_form.listed_silences(state)]
            cursor = len(silence_form.FIELDS) + ids.index(previous.id) if previous.id in ids else silence_form.REASON
            self.pane.form = replace(form, cursor=cursor)
        super()._follow(state)

    @property
    def is_typing(self) -> bool:
        """Always: the form takes every key."""
        return True

    def consume_key(self, event: events.Key) -> bool:
        """Take every key for the form, but those that end or suspend the program."""
        form = self.pane.form
        if event.key in END_KEYS:
            return False
        if event.key == "escape":
            self.dismiss()
        elif event.key in STEPS:
            self.pane.update_form(
                silence_form.move_cursor(form, STEPS[event.key], len(silence_form.listed_silences(self.screen_state)))
            )
        elif silence_form.selected_silence(form, self.screen_state) is not None:
            self._handle_silence_key(event)
        elif event.key == "enter":
            self._save()
        else:
            character = event.character if event.is_printable else None
            self.pane.update_form(silence_form.set_text(form, edit_line(form.texts[form.cursor], event.key, character)))
        return True

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the field under the cursor."""
        form = self.pane.form
        if form.cursor < len(silence_form.FIELDS):
            self.pane.update_form(silence_form.set_text(form, paste_line(form.texts[form.cursor], event.text)))

    @property
    def _is_open(self) -> bool:
        return self.is_attached and self.is_active

    def _show_message(self, text: str) -> None:
        if self._is_open:
            self.pane.update_form(replace(self.pane.form, message=text))
        else:
            self.main_screen.status.show_message(text)

    def _save(self) -> None:
        form, state = self.pane.form, self.screen_state
        now, duration = self.main_screen.now(), silence_form.silence_duration(form)
        error = silence_form.form_error(form, state, now)
        if duration is None or error is not None or state.snapshot is None:
            self._show_message(f"not saved: {error}")
            return
        alerts, count = state.snapshot.alerts, len(silence_form.preview_form(form, state).matching)
        matchers, reason, by = silence_form.matchers_of(form), form.texts[silence_form.REASON].strip(), author()
        self._show_message(SAVING)

        def decide(_: object, at: datetime) -> tuple[SilenceCreated]:
            return actions.create_silence(matchers, alerts, start=at, end=at + duration, by=by, reason=reason, now=at)

        def on_done(refusal: str | None) -> None:
            if refusal is not None:
                self._show_message(refusal)
                return
            if self._is_open:
                self.dismiss()
            until = format_moment(now + duration, now)
            text = f"silenced until {until} UTC, {pluralize(count, 'alert')} now"
            self.main_screen.status.show_message(f"{text}: {describe_matchers(matchers)}")

        write_events(self.app, self.poller, decide, on_done)

    def _handle_silence_key(self, event: events.Key) -> None:
        silence = silence_form.selected_silence(self.pane.form, self.screen_state)
        if event.key != "x" or silence is None:
            self._show_message("x ends this silence; ↑ goes back to the form")
            return
        self._show_message(SAVING)
        by, name = author(), silence.id
        write_events(
            self.app,
            self.poller,
            lambda state, now: actions.expire_silence(state, name, by=by, now=now),
            lambda refusal: self._show_message(refusal or f"ended: {describe_matchers(silence.matchers)}"),
        )
