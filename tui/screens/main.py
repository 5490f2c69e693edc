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
from modeltop_tui.view.navigation import MOVES, best, hint, look_at, no_move, said, settle
from modeltop_tui.view.state import Scene, View, listed
from modeltop_tui.widgets.header_footer import Header, Question, Status, Tabs
from modeltop_tui.widgets.pane import Pane
from modeltop_tui.widgets.panes import AlertsPane, ChangesPane, ChartPane, MetricsPane, ModelsPane


def filtering(desk: Desk) -> Question:
    """Which models to list: they are as soon as it is typed."""
    before = desk.scene.view

    def typed(text: str) -> str:
        desk.look(replace(desk.scene.view, filter=text.strip()))
        return "enter keeps, esc drops the filter"

    return Question(
        "/", before.filter, typed, kept=lambda _: None, dropped=lambda: desk.look(replace(before, filter=""))
    )


def jumping(desk: Desk) -> Question:
    """Which model or metric to go to; where enter would go is said at once."""
    return Question(":", "", typed=lambda text: hint(desk.scene, text), kept=lambda text: _jump(desk, text))


def _jump(desk: Desk, typed: str) -> None:
    place = best(desk.scene, typed)
    if place is None:
        if typed.strip():
            desk.status.say(f"nothing has {typed} in its name")
        return
    model, key = place
    scene = desk.scene
    if model not in listed(scene):
        scene = replace(scene, view=replace(scene.view, filter="", problems_only=False))
    desk.look(look_at(scene, model, key))


QUESTIONS = {"filter": filtering, "jump": jumping}
"""By the name that a key's action gives."""


PANES: tuple[type[Pane], ...] = (ModelsPane, MetricsPane, ChartPane, AlertsPane, ChangesPane)
DESK_KEYS: tuple[Binding, ...] = (
    Binding("1", "front(1)", "to a pane by its number", key_display="1-5", show=False),
    Binding("tab", "turn(1)", "next pane", show=False),
    Binding("shift+tab", "turn(-1)", "previous pane", show=False),
    Binding("escape", "back", "one step back: cursor, zoom, filter", key_display="Esc", show=False),
)


class Desk(PaneScreen):
    """All panes at 80x24 and above; below, one at a time with a line of tabs.

    It has more methods than is usual here because each key's action and each message of a pane is one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *DESK_KEYS,
        *(Binding(str(number), f"front({number})", show=False) for number in range(2, len(PANES) + 1)),
        *(key for pane in PANES for key in pane.KEYS),
    ]
    # The framework declares these two as instance variables.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-usual"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-middling"), (30, "-high")]  # noqa: RUF012

    scene: reactive[Scene] = reactive(Scene(), repaint=False)

    def __init__(self, now: Callable[[], datetime], app_keys: tuple[Binding, ...], *, ascii_only: bool = False) -> None:
        super().__init__()
        self.now = now
        self.app_keys = app_keys
        self.ascii_only = ascii_only
        self.found: Callable[[str | SeriesKey | None], Any] = lambda _: None
        """What is known about a model, a `Diagnosis`, or about a series, an `Outlook`, by now."""
        self._chosen = False

    def compose(self) -> ComposeResult:
        """The panes, each bound to the scene."""
        flag = self.ascii_only
        panes = [pane(ascii_only=flag, id=pane.TITLE.lower()).data_bind(Desk.scene) for pane in PANES]
        yield Header(self.now, ascii_only=flag).data_bind(Desk.scene)
        yield Tabs([pane.TITLE for pane in PANES], ascii_only=flag)
        with Vertical(id="desk"):
            with Horizontal(id="upper"):
                yield from panes[:2]
            with Horizontal(id="lower"):
                yield panes[2]
                with Vertical(id="right"):
                    yield from panes[3:]
        yield Status(ascii_only=flag)

    def on_mount(self) -> None:
        """Begin on the models, without having chosen a pane."""
        self._come_forward(self.query_one(ModelsPane))

    @property
    def status(self) -> Status:
        """The last line."""
        return self.query_one(Status)

    @property
    def front(self) -> Pane:
        """The pane that has the keys, and the screen where one pane is shown at a time."""
        return self.query_one("Pane.-front", Pane)

    def show_scene(self, scene: Scene) -> None:
        """Take a scene, with a selection that exists in it, and with what was found out about that."""
        view = settle(scene)
        self.scene = replace(scene, view=view, diagnosis=self.found(view.model), outlook=self.found(view.key))

    def look(self, view: View) -> None:
        """Change what is looked at, and nothing else."""
        self.show_scene(replace(self.scene, view=view))

    def _come_forward(self, pane: Pane) -> None:
        for each in self.query(Pane):
            each.set_class(each is pane, "-front")
            each.come_forward(front=each is pane)
        for box in self.query("#upper, #lower, #right"):
            box.set_class(box in pane.ancestors, "-holds")
        tabs = self.query_one(Tabs)
        tabs.front = pane.NUMBER
        tabs.show()
        steps = [("↑↓", pane.STEPS)]
        own = (AlertsPane,) if pane.NUMBER == AlertsPane.NUMBER else ()  # where it is narrow, the first keys stay
        order = dict.fromkeys((*own, MetricsPane, ChartPane, ChangesPane, ModelsPane, AlertsPane))
        shown = [key for keys in (*(each.KEYS for each in order), self.app_keys) for key in keys if key.show]
        keys = [(key.key_display or key.key, key.description) for key in shown if key.description != pane.STEPS]
        self.status.keys = steps + keys
        self.status.show()

    def action_front(self, number: int) -> None:
        """Give a pane the keys."""
        self._chosen = True
        self._come_forward(next(pane for pane in self.query(Pane) if number == pane.NUMBER))

    def action_turn(self, steps: int) -> None:
        """Give the next pane the keys."""
        self.action_front((self.front.NUMBER - 1 + steps) % len(PANES) + 1)

    def action_zoom(self) -> None:
        """Give one pane the whole screen: the chart, unless a person has chosen another."""
        if not self._chosen and not self.has_class("-zoomed"):
            self.action_front(ChartPane.NUMBER)
        self.toggle_class("-zoomed")

    def action_back(self) -> None:
        """Undo the innermost of what stands between the person and the whole."""
        view = self.scene.view
        if view.cursor is not None:
            self.look(replace(view, cursor=None))
        elif self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif view.filter or view.problems_only:
            self.look(replace(view, filter="", problems_only=False))
        else:
            self.status.say("esc has nothing to undo here; q quits")

    def action_go(self, name: str, steps: int) -> None:
        """Move the selection, and say why where it stays."""
        view = settle(replace(self.scene, view=MOVES[name](self.scene, steps)))
        if view == self.scene.view:
            self.status.say(no_move(name, self.scene))
            return
        self.look(view)
        self.status.say(said(name, self.scene))

    def on_pane_move(self, event: Pane.Move) -> None:
        """A pane asks to move the selection."""
        self.action_go(event.name, event.steps)

    def on_pane_front(self, event: Pane.Front) -> None:
        """A person pointed into a pane."""
        if event.number != self.front.NUMBER:
            self.action_front(event.number)

    def on_pane_look(self, event: Pane.Look) -> None:
        """A person pointed at something."""
        self.look(look_at(self.scene, event.model, event.key))

    def action_ask(self, about: str) -> None:
        """Ask for a line of text."""
        self.status.ask(QUESTIONS[about](self))

    def took(self, event: events.Key) -> bool:
        """A question takes every key."""
        if self.status.question is None:
            return False
        self.status.key(event)
        return True

    def on_key(self, event: events.Key) -> None:
        """Take back what was said last, and say so where a key does nothing; a question has the app's ear."""
        if self.status.question is not None:
            return
        known = event.key in self.active_bindings
        self.status.say("" if known else f"{event.character or event.key} does nothing here; ? lists the keys")

    def on_paste(self, event: events.Paste) -> None:
        """A question takes what is pasted."""
        if self.status.question is not None:
            self.status.paste(event.text)
