"""The app: it starts the feed and holds the desk."""

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
from textual.message import Message

from modeltop.core.errors import MonitorError
from modeltop.core.text import pluralize, sanitize
from modeltop_tui.actions import ACTIONS
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.view.navigation import prefetch_targets
from modeltop_tui.workers.diagnosis import DiagnosisTarget, DiagnosisWorker, Explain, diagnose_target
from modeltop_tui.workers.poller import Poller, PollResult, SnapshotSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver
    from textual.screen import Screen

    from modeltop.cli.context import AppOptions

FIRST_FRAME_SECONDS = 0.15
"""Seconds that the first frame waits for the first look: painted once, with its data, where that is quick."""

APP_KEYS: tuple[Binding, ...] = (
    Binding("r", "app.perform('refresh')", "read everything again now", show=False),
    Binding("p", "app.perform('pause')", "pause, or go on", show=False),
    Binding("t", "app.perform('theme')", "next theme", show=False),
    Binding("y", "app.perform('copy')", "copy what is said of the selection", show=False),
    Binding("Y", "app.perform('export')", "write the view to a file: .csv, .svg or .txt", show=False),
    Binding("M", "app.perform('mouse')", "the mouse to the terminal, for selecting text, or back", show=False),
    Binding("ctrl+z", "app.perform('suspend')", "to the shell; fg comes back", key_display="^z", show=False),
    Binding("?", "app.perform('help')", "help", tooltip="this list"),
    Binding("q,ctrl+c", "app.quit", "quit", key_display="q"),
)


class ModeltopApp(App[object], inherit_bindings=False):
    """htop for models.

    Args:
        observer: What is looked at; or a feed that has begun to look already.
        options: How it is to look.
        diagnose: How to find out about a model.
        driver_class: Textual's own by default.
    """

    CSS_PATH = "app.tcss"
    TITLE = "modeltop"
    ENABLE_COMMAND_PALETTE = False  # it costs 50 kB to open
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS, Binding("ctrl+q", "quit", show=False, priority=True)]

    class PollMessage(Message):
        """News from the feed."""

        def __init__(self, news: PollResult) -> None:
            super().__init__()
            self.result = news

    class Callback(Message):
        """Something that a thread did is over; what follows belongs on the screen's thread."""

        def __init__(self, follow: Callable[[], None]) -> None:
            super().__init__()
            self.function = follow

    def __init__(
        self,
        observer: SnapshotSource | Poller,
        options: AppOptions,
        *,
        diagnose: Explain = diagnose_target,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.options = options
        self.mouse = options.mouse
        self.poller = observer if isinstance(observer, Poller) else Poller(observer)
        self.first_frame_callback: Callable[[list[str]], None] = lambda _: None
        """Told the first full frame with data, a line of text and colours each."""
        self._took = 0.0
        self._painted = False
        if options.theme and options.theme in self.available_themes:
            self.theme = options.theme
        self.main_screen = MainScreen(self.now, APP_KEYS, ascii_only=bool(options.ascii))
        self.diagnosis_worker = DiagnosisWorker(diagnose, self._on_diagnosis)
        self.main_screen.lookup_result = self.diagnosis_worker.result_for

    def get_default_screen(self) -> Screen[None]:
        """The desk."""
        return self.main_screen

    def now(self) -> datetime:
        """The true time: that of the last look, and what has passed since by the monotonic clock."""
        snapshot = self.main_screen.screen_state.snapshot
        if snapshot is None:
            return datetime.now(UTC)
        return snapshot.clock + timedelta(seconds=time.monotonic() - self._took)

    def on_load(self) -> None:
        """Look before anything is painted; nothing is before `on_ready`."""
        self._begin_batch()
        self.poller.start()
        self._show_result(self.poller.wait_for_first(FIRST_FRAME_SECONDS))

    def on_ready(self) -> None:
        """Everything has its place and its data: paint it, once."""
        self._painted = True
        self.screen.refresh()
        self._end_batch()
        if self.main_screen.screen_state.snapshot is not None:
            self.call_after_refresh(self._first_seen)

    def _first_seen(self) -> None:
        compositor = self.main_screen._compositor  # noqa: SLF001  there is no other way to ask what is on the screen
        self.first_frame_callback([strip.render(self.console) for strip in compositor.render_strips()])
        # Only now: what is imported and found out in another thread would hold up the first frame.
        self.watch(self.main_screen, "screen_state", self._request_diagnosis)

    def _request_diagnosis(self) -> None:
        """Find out about the selected model and series, and about those that the next key may go to."""
        scene = self.main_screen.screen_state
        if scene.snapshot is not None:
            self.diagnosis_worker.request(scene.snapshot, prefetch_targets(scene))

    def _on_diagnosis(self, question: DiagnosisTarget) -> None:
        """Show what was found out, if it is still looked at; called in the inquirer's thread."""
        self.call_on_ui(lambda: self._show(question))

    def _show(self, question: DiagnosisTarget) -> None:
        view = self.main_screen.screen_state.selection
        if question in (view.model, view.key):
            self.main_screen.show_state(self.main_screen.screen_state)

    def on_mount(self) -> None:
        """From now on the feed tells by itself."""
        self.poller.subscribe(self._on_poll_result)

    def _on_poll_result(self, news: PollResult) -> None:
        """Take news in the feed's thread."""
        with contextlib.suppress(RuntimeError):  # the loop may have ended since
            self.post_message(self.PollMessage(news))

    def on_unmount(self) -> None:
        """Nothing is to be told any more."""
        self.poller.stop()
        self.diagnosis_worker.stop()

    def on_modeltop_app_poll_message(self, event: PollMessage) -> None:
        """Show what is new."""
        self._show_result(event.result)

    def call_on_ui(self, follow: Callable[[], None]) -> None:
        """Do what follows from something that a thread did; called in that thread."""
        with contextlib.suppress(RuntimeError):  # as above
            self.post_message(self.Callback(follow))

    def on_modeltop_app_callback(self, event: Callback) -> None:
        """Do it."""
        event.function()

    def _show_result(self, news: PollResult) -> None:
        scene = self.main_screen.screen_state
        if news.snapshot is not None:
            if scene.snapshot is None and self._painted:
                self.call_after_refresh(self._first_seen)
            self._took = time.monotonic()
            self.main_screen.show_state(replace(scene, snapshot=news.snapshot, error="", loading=""))
        elif news.error is not None:
            if scene.snapshot is None and not isinstance(news.error, MonitorError):
                raise news.error
            gc.enable()  # `modeltop_tui.terminal.launch` stopped it until the first look was over; it is, if badly
            self.main_screen.show_state(replace(scene, error=_trouble(news.error), loading=""))
        elif scene.snapshot is None:
            done, files = news.progress or (0, 0)
            loading = f"loading {done}/{pluralize(files, 'file')}" if files else "loading"
            self.main_screen.show_state(replace(scene, loading=loading))

    def on_key(self, event: events.Key) -> None:
        """What is typed into a question or a form is no command.

        Asked here, where actions run, and not on the screen: keys that came in one packet with the one that asked have
        passed the desk before the question stood.
        """
        if isinstance(self.screen, PaneScreen) and self.screen.consume_key(event):
            event.stop()
            event.prevent_default()

    def action_perform(self, name: str) -> None:
        """Do what a key of the app asks for."""
        ACTIONS[name](self)


def _trouble(error: Exception) -> str:
    kind = "" if isinstance(error, MonitorError) else f"{type(error).__name__}: "
    return f"not read: {kind}{sanitize(error, 200)}"
