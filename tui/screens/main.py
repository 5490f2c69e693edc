"""The desk: five panes about one scene, and the keys that move through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from modeltop.core.series import SeriesKey
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.view.navigation import (
    MOVES,
    announce,
    best_target,
    clamp_selection,
    jump_hint,
    select_series,
    why_unchanged,
)
from modeltop_tui.view.state import ScreenState, Selection, visible_models
from modeltop_tui.widgets.header_footer import Header, Prompt, StatusBar, Tabs
from modeltop_tui.widgets.pane import Pane
from modeltop_tui.widgets.panes import AlertsPane, ChangesPane, ChartPane, MetricsPane, ModelsPane


def filter_prompt(desk: MainScreen) -> Prompt:
    """Which models to list: they are as soon as it is typed."""
    before = desk.screen_state.selection

    def typed(text: str) -> str:
        desk.select(replace(desk.screen_state.selection, filter=text.strip()))
        return "enter keeps, esc drops the filter"

    return Prompt(
        "/", before.filter, typed, on_submit=lambda _: None, on_cancel=lambda: desk.select(replace(before, filter=""))
    )


def jump_prompt(desk: MainScreen) -> Prompt:
    """Which model or metric to go to; where enter would go is said at once."""
    return Prompt(
        ":", "", on_change=lambda text: jump_hint(desk.screen_state, text), on_submit=lambda text: _jump(desk, text)
    )


def _jump(desk: MainScreen, typed: str) -> None:
    place = best_target(desk.screen_state, typed)
    if place is None:
        if typed.strip():
            desk.status.show_message(f"nothing has {typed} in its name")
        return
    model, key = place
    scene = desk.screen_state
    if model not in visible_models(scene):
        scene = replace(scene, selection=replace(scene.selection, filter="", problems_only=False))
    desk.select(select_series(scene, model, key))


PROMPTS = {"filter": filter_prompt, "jump": jump_prompt}
"""By the name that a key's action gives."""


PANES: tuple[type[Pane], ...] = (ModelsPane, MetricsPane, ChartPane, AlertsPane, ChangesPane)
MAIN_KEYS: tuple[Binding, ...] = (
    Binding("1", "focus_pane(1)", "to a pane by its number", key_display="1-5", show=False),
    Binding("tab", "next_pane(1)", "next pane", show=False),
    Binding("shift+tab", "next_pane(-1)", "previous pane", show=False),
    Binding("escape", "back", "one step back: cursor, zoom, filter", key_display="Esc", show=False),
)


class MainScreen(PaneScreen):
    """All panes at 80x24 and above; below, one at a time with a line of tabs.

    It has more methods than is usual here because each key's action and each message of a pane is one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *MAIN_KEYS,
        *(Binding(str(number), f"focus_pane({number})", show=False) for number in range(2, len(PANES) + 1)),
        *(key for pane in PANES for key in pane.KEYS),
    ]
    # The framework declares these two as instance variables.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-usual"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-middling"), (30, "-high")]  # noqa: RUF012

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, now: Callable[[], datetime], app_keys: tuple[Binding, ...], *, ascii_only: bool = False) -> None:
        super().__init__()
        self.now = now
        self.app_keys = app_keys
        self.ascii_only = ascii_only
        self.lookup_result: Callable[[str | SeriesKey | None], Any] = lambda _: None
        """What is known about a model, a `Diagnosis`, or about a series, an `Outlook`, by now."""
        self._chosen = False

    def compose(self) -> ComposeResult:
        """The panes, each bound to the scene."""
        flag = self.ascii_only
        panes = [pane(ascii_only=flag, id=pane.TITLE.lower()).data_bind(MainScreen.screen_state) for pane in PANES]
        yield Header(self.now, ascii_only=flag).data_bind(MainScreen.screen_state)
        yield Tabs([pane.TITLE for pane in PANES], ascii_only=flag)
        with Vertical(id="desk"):
            with Horizontal(id="upper"):
                yield from panes[:2]
            with Horizontal(id="lower"):
                yield panes[2]
                with Vertical(id="right"):
                    yield from panes[3:]
        yield StatusBar(ascii_only=flag)

    def on_mount(self) -> None:
        """Begin on the models, without having chosen a pane."""
        self._focus_pane(self.query_one(ModelsPane))

    @property
    def status(self) -> StatusBar:
        """The last line."""
        return self.query_one(StatusBar)

    @property
    def focused_pane(self) -> Pane:
        """The pane that has the keys, and the screen where one pane is shown at a time."""
        return self.query_one("Pane.-front", Pane)

    def show_state(self, scene: ScreenState) -> None:
        """Take a scene, with a selection that exists in it, and with what was found out about that."""
        view = clamp_selection(scene)
        self.screen_state = replace(
            scene, selection=view, diagnosis=self.lookup_result(view.model), outlook=self.lookup_result(view.key)
        )

    def select(self, view: Selection) -> None:
        """Change what is looked at, and nothing else."""
        self.show_state(replace(self.screen_state, selection=view))

    def _focus_pane(self, pane: Pane) -> None:
        for each in self.query(Pane):
            each.set_class(each is pane, "-front")
            each.focus_pane(focused=each is pane)
        for box in self.query("#upper, #lower, #right"):
            box.set_class(box in pane.ancestors, "-holds")
        tabs = self.query_one(Tabs)
        tabs.active = pane.NUMBER
        tabs.repaint()
        steps = [("↑↓", pane.STEPS)]
        own = (AlertsPane,) if pane.NUMBER == AlertsPane.NUMBER else ()  # where it is narrow, the first keys stay
        order = dict.fromkeys((*own, MetricsPane, ChartPane, ChangesPane, ModelsPane, AlertsPane))
        shown = [key for keys in (*(each.KEYS for each in order), self.app_keys) for key in keys if key.show]
        keys = [(key.key_display or key.key, key.description) for key in shown if key.description != pane.STEPS]
        self.status.keys = steps + keys
        self.status.repaint()

    def action_focus_pane(self, number: int) -> None:
        """Give a pane the keys."""
        self._chosen = True
        self._focus_pane(next(pane for pane in self.query(Pane) if number == pane.NUMBER))

    def action_next_pane(self, steps: int) -> None:
        """Give the next pane the keys."""
        self.action_focus_pane((self.focused_pane.NUMBER - 1 + steps) % len(PANES) + 1)

    def action_zoom(self) -> None:
        """Give one pane the whole screen: the chart, unless a person has chosen another."""
        if not self._chosen and not self.has_class("-zoomed"):
            self.action_focus_pane(ChartPane.NUMBER)
        self.toggle_class("-zoomed")

    def action_back(self) -> None:
        """Undo the innermost of what stands between the person and the whole."""
        view = self.screen_state.selection
        if view.cursor is not None:
            self.select(replace(view, cursor=None))
        elif self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif view.filter or view.problems_only:
            self.select(replace(view, filter="", problems_only=False))
        else:
            self.status.show_message("esc has nothing to undo here; q quits")

    def action_move(self, name: str, steps: int) -> None:
        """Move the selection, and say why where it stays."""
        view = clamp_selection(replace(self.screen_state, selection=MOVES[name](self.screen_state, steps)))
        if view == self.screen_state.selection:
            self.status.show_message(why_unchanged(name, self.screen_state))
            return
        self.select(view)
        self.status.show_message(announce(name, self.screen_state))

    def on_pane_move(self, event: Pane.Move) -> None:
        """A pane asks to move the selection."""
        self.action_move(event.name, event.steps)

    def on_pane_activated(self, event: Pane.Activated) -> None:
        """A person pointed into a pane."""
        if event.number != self.focused_pane.NUMBER:
            self.action_focus_pane(event.number)

    def on_pane_selected(self, event: Pane.Selected) -> None:
        """A person pointed at something."""
        self.select(select_series(self.screen_state, event.model, event.key))

    def action_prompt(self, about: str) -> None:
        """Ask for a line of text."""
        self.status.show_prompt(PROMPTS[about](self))

    def consume_key(self, event: events.Key) -> bool:
        """A question takes every key."""
        if self.status.prompt is None:
            return False
        self.status.handle_prompt_key(event)
        return True

    def on_key(self, event: events.Key) -> None:
        """Take back what was said last, and say so where a key does nothing; a question has the app's ear."""
        if self.status.prompt is not None:
            return
        known = event.key in self.active_bindings
        self.status.show_message("" if known else f"{event.character or event.key} does nothing here; ? lists the keys")

    def on_paste(self, event: events.Paste) -> None:
        """A question takes what is pasted."""
        if self.status.prompt is not None:
            self.status.paste(event.text)
