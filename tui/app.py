"""The app: starts the workers, and shows their results on the main screen."""

from __future__ import annotations

import contextlib
import gc
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.reactive import Reactive

from modeltop.core.errors import MonitorError
from modeltop.core.text import pluralize, sanitize
from modeltop_tui.actions import ACTIONS
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.themes import DARK, DARK_COLORS, LIGHT_COLORS, THEMES
from modeltop_tui.view.navigation import prefetch_targets
from modeltop_tui.view.news import state_changes
from modeltop_tui.view.state import ScreenState
from modeltop_tui.workers.diagnosis import Diagnose, DiagnosisTarget, DiagnosisWorker, diagnose_target
from modeltop_tui.workers.poller import Poller, PollResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver
    from textual.screen import Screen
    from textual.theme import Theme

    from modeltop.cli.context import AppOptions
    from modeltop_tui.view.state import Selection

FIRST_FRAME_SECONDS = 0.15

APP_KEYS: tuple[Binding, ...] = (
    Binding("r", "app.perform('refresh')", "read everything again", show=False),
    Binding("p", "app.perform('pause')", "pause or resume", show=False),
    Binding("t", "app.perform('theme')", "next theme", show=False),
    Binding("y", "app.perform('copy')", "copy the selection", show=False),
    Binding("Y", "app.perform('export')", "export to .csv, .svg, .txt", show=False),
    Binding("M", "app.perform('mouse')", "mouse on or off", show=False),
    Binding("ctrl+z", "app.perform('suspend')", "to the shell; fg comes back", key_display="ctrl+z", show=False),
    Binding("?", "app.perform('help')", "help", tooltip="these keys"),
    Binding("q,ctrl+c", "app.quit", "quit", key_display="q ctrl+c ctrl+q"),
)


class ModeltopApp(App[object], inherit_bindings=False):
    """Live view of all models, worst first.

    Args:
        poller: Delivers the snapshots; may have been started already.
        options: Theme, character set and bell.
        diagnose: Explains a model or a series.
        initial: The state to start with: settings of the view, and what the user has seen.
        driver_class: Textual's own by default.
    """

    CSS_PATH = "app.tcss"
    TITLE = "modeltop"
    ENABLE_COMMAND_PALETTE = False  # it costs 50 kB to open
    ALLOW_SELECT = False
    # The 16 colors wherever they are not the terminal's own.
    ansi_theme_dark, ansi_theme_light = Reactive(DARK_COLORS, init=False), Reactive(LIGHT_COLORS, init=False)
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS, Binding("ctrl+q", "quit", show=False, priority=True)]

    def __init__(
        self,
        poller: Poller,
        options: AppOptions,
        *,
        diagnose: Diagnose = diagnose_target,
        initial: ScreenState | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.poller = poller
        self.first_frame_callback: Callable[[list[str]], None] = lambda _: None
        """Called with the first frame that has data, one string of text and colors per line; again with its verdict."""
        self._first_selection: Selection | None = None
        self.guide = list(options.guide)
        """Hints of the demo: the keys that lead to the next one, and the text for the last line."""
        self._goto = options.goto
        self._snapshot_received = 0.0
        self._painted = False
        self._bell_enabled = options.bell
        self.theme = options.theme if options.theme in self.available_themes else DARK
        self.main_screen = MainScreen(self.now, APP_KEYS, ascii_only=bool(options.ascii))
        self.main_screen.set_reactive(MainScreen.screen_state, initial or ScreenState())
        self.diagnosis_worker = DiagnosisWorker(
            diagnose, lambda target: self._call_on_ui(lambda: self._refresh_target(target))
        )
        self.main_screen.lookup_result = self.diagnosis_worker.result_for

    @property
    def available_themes(self) -> dict[str, Theme]:
        """The app's own themes and Textual's; `register_theme` would be too late for the first style sheet."""
        return THEMES | super().available_themes

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return self.main_screen

    def now(self) -> datetime:
        """Return the present: the clock of the last snapshot, plus the time since then by the monotonic clock."""
        snapshot = self.main_screen.screen_state.snapshot
        if snapshot is None:
            return datetime.now(UTC)
        return snapshot.clock + timedelta(seconds=time.monotonic() - self._snapshot_received)

    def on_load(self) -> None:
        """Poll before anything is painted; nothing is before `on_ready`."""
        self._begin_batch()
        self.poller.start()
        self._show_result(self.poller.wait_for_first(FIRST_FRAME_SECONDS))

    def on_ready(self) -> None:
        """Paint once, now that everything has its size and its data."""
        self._painted = True
        self.screen.refresh()
        self._end_batch()
        if self.main_screen.screen_state.snapshot is not None:
            self.call_after_refresh(self._on_first_frame)
            self._explain_if_empty()

    def _explain_if_empty(self) -> None:
        snapshot = self.main_screen.screen_state.snapshot
        if snapshot is not None and not snapshot.history.series:
            from modeltop_tui.screens.start import StartScreen  # hardly ever needed

            self.push_screen(StartScreen(self.main_screen))

    def _report_frame(self) -> None:
        compositor = self.main_screen._compositor  # noqa: SLF001  there is no other access to the screen's content
        self.first_frame_callback([strip.render(self.console) for strip in compositor.render_strips()])

    def _on_first_frame(self) -> None:
        self._report_frame()
        self._first_selection = self.main_screen.screen_state.selection
        # Only now, because imports and computations in another thread would delay the first frame.
        self.watch(self.main_screen, "screen_state", self._request_diagnosis)

    def _request_diagnosis(self) -> None:
        """Request the diagnosis of the selected model and series, and of those that the next key may go to."""
        state = self.main_screen.screen_state
        if state.snapshot is not None:
            self.diagnosis_worker.request(state.snapshot, prefetch_targets(state))

    def _refresh_target(self, target: DiagnosisTarget) -> None:
        selection = self.main_screen.screen_state.selection
        if target in (selection.model, selection.key):
            self.main_screen.show_state(self.main_screen.screen_state)
        if target == selection.model and selection == self._first_selection and self.screen is self.main_screen:
            self._first_selection = None
            self.call_after_refresh(self._report_frame)

    def on_mount(self) -> None:
        """Show the poller's results as they arrive."""
        self.poller.subscribe(lambda result: self._call_on_ui(lambda: self._show_result(result)))

    def on_unmount(self) -> None:
        """Stop the worker threads before the app ends."""
        self.poller.stop()
        self.diagnosis_worker.stop()

    def _call_on_ui(self, function: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended since
            self.call_later(function)

    def _show_result(self, result: PollResult) -> None:
        state = self.main_screen.screen_state
        if result.snapshot is not None:
            self._snapshot_received = time.monotonic()
            self.main_screen.show_state(replace(state, snapshot=result.snapshot, error="", loading=""))
            self._announce_changes(state)
            if self._goto:
                self._select_named()
            if state.snapshot is None and self._painted:
                self.call_after_refresh(self._on_first_frame)
                self._explain_if_empty()
        elif result.error is not None:
            if state.snapshot is None and not isinstance(result.error, MonitorError):
                raise result.error
            gc.enable()  # `modeltop_tui.terminal.launch` stopped it until the first result
            kind = "" if isinstance(result.error, MonitorError) else f"{type(result.error).__name__}: "
            error = f"not read: {kind}{sanitize(result.error, 200)}"
            self.main_screen.show_state(replace(state, error=error, loading=""))
        elif state.snapshot is None:
            done, files = result.progress or (0, 0)
            loading = f"loading {done}/{pluralize(files, 'file')}" if files else "loading"
            self.main_screen.show_state(replace(state, loading=loading))

    def _select_named(self) -> None:
        from modeltop_tui.view.goto import CommandWords, interpret  # hardly ever needed

        words, self._goto = self._goto, ""
        outcome = interpret(self.main_screen.screen_state, words, CommandWords({}, {}))
        if outcome.selection is not None:
            self.main_screen.select(outcome.selection)
        else:
            self.main_screen.status_bar.show_message(outcome.text)

    def _announce_changes(self, before: ScreenState) -> None:
        text, has_new_problem = state_changes(before, self.main_screen.screen_state)
        if text:
            self.main_screen.status.show_message(text)
        if has_new_problem and self._bell_enabled:
            self.bell()

    async def on_event(self, event: events.Event) -> None:
        """Handle an event. A line feed is Enter: a terminal makes it of one typed before the app has taken it over."""
        if isinstance(event, events.Key) and event.key == "ctrl+j":
            event.key, event.character = "enter", "\r"
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Keep typing into a prompt or a form from running commands.

        Checked here, where actions run, and not on the screen: keys in one packet with the key that opened the
        prompt have passed the screen before the prompt was there.
        """
        if isinstance(self.screen, PaneScreen) and self.screen.consume_key(event):
            event.stop()
            event.prevent_default()
        elif self.guide and {event.key, event.character} & {*self.guide[0][0].split(",")}:
            self.guide.pop(0)
            for screen in self.screen_stack:
                if isinstance(screen, PaneScreen):
                    screen.status_bar.repaint()

    def action_perform(self, name: str) -> None:
        """Perform the action of the app that a key names, one of `ACTIONS`."""
        ACTIONS[name](self.main_screen, self.poller)
