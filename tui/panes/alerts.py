"""The alerts: the selected model's first, how its other rules stand, then the other models'."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding

from monitor.records import Episode
from tui.panes.base import Body, Pane
from tui.present.alerts import Entry, entries, place_of, pointed_at
from tui.present.cells import Cells, wrap


class AlertsPane(Pane):
    """What is wrong and since when, and who has it; a click goes to the series."""

    NUMBER = 4
    TITLE = "Alerts"
    STEPS = "alert"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("a", "app.deed('take')", "ack", tooltip="acknowledge: you have the alert; again gives it back"),
        Binding("S", "app.deed('silence')", "silence alerts for a while; list silences, end one", show=False),
        Binding("N", "app.deed('note')", "write a note about the model", show=False),
    )

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.at = 0
        self._on: Episode | None = None
        self._model: str | None = None
        self._followed: tuple[int, int, int] | None = None

    @property
    def chosen(self) -> Episode | None:
        """The alert under the cursor, while the pane has the keys."""
        return self._on if self.front else None

    def body(self, cells_wide: int, rows: int) -> Body:
        """The lines of all entries."""
        found = self._entries(cells_wide)
        self._settle(found)
        if found and self.front:
            found[self.at] = pointed_at(found[self.at])
            self._follow(found, rows)
        lines: list[Cells] = [line for entry in found for line in entry.lines]
        if not lines:
            lines = wrap(self.scene.loading, cells_wide)
        return Body(len(lines), lambda at: lines[at])

    def _settle(self, found: list[Entry]) -> None:
        """Keep the cursor on its alert wherever that went; another model begins at its worst."""
        model = self.scene.view.model
        if model != self._model and (self._on is None or self._on.key.model != model):
            self.at, self._on = 0, None
        self._model = model
        if self._on is not None:
            self.at = place_of(self._on, found, self.at)
        self.at = max(0, min(self.at, len(found) - 1))
        self._on = found[self.at].episode if found else None

    def _follow(self, found: list[Entry], rows: int) -> None:
        """Keep the whole entry in sight once the cursor moved; a person may have scrolled away since."""
        first = sum(len(entry.lines) for entry in found[: self.at])
        place = (self.at, first, rows)
        if place != self._followed:
            last = first + len(found[self.at].lines)
            self.top = min(max(self.top, last - rows), first)
        self._followed = place

    def _entries(self, cells_wide: int) -> list[Entry]:
        return entries(self.scene, cells_wide)

    def step(self, steps: int) -> None:
        """Up and down move the cursor."""
        self.at, self._on = self.at + steps, None
        self.show()

    def page(self, pages: int) -> None:
        """A page up or down: an alert takes two lines or more."""
        self.step(pages * max(1, (self.size.height - 3) // 2))

    def pointed(self, row: int) -> None:
        """A click looks at the series that the alert is about."""
        first = 0
        for at, entry in enumerate(self._entries(max(0, self.size.width - 2))):
            first += len(entry.lines)
            if row < first:
                self.at, self._on = at, entry.episode
                if entry.episode is not None:
                    self.post_message(self.Look(entry.episode.key.model, entry.episode.key))
                self.show()
                return
