"""The models, worst first."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding

from tui.panes.base import Body, Pane
from tui.present.cells import wrap
from tui.present.models import model_cells, nothing_listed
from tui.present.scene import listed


class ModelsPane(Pane):
    """Which models there are and which is worst; thousands cost no more than those in sight."""

    NUMBER = 1
    TITLE = "Models"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("e", "go('problem', 1)", "problem", tooltip="next problem that nobody has taken"),
        Binding("E", "go('problem', -1)", "previous problem", show=False),
        Binding("!", "go('problems_only', 1)", "problems only, or all models", show=False),
        Binding("/", "ask('filter')", "filter", tooltip="list only models with this in their name"),
        Binding(":", "ask('jump')", "jump to a model or a metric by typing", show=False),
        Binding("s", "go('sort', 1)", "sort: worst first, by name, oldest data first", show=False),
    )

    def body(self, cells_wide: int, rows: int) -> Body:
        """One line a model."""
        del rows
        empty = nothing_listed(self.scene)
        if empty:
            lines = wrap(empty, cells_wide)
            return Body(len(lines), lambda at: lines[at])
        models = listed(self.scene)
        chosen = self.scene.view.model
        at = models.index(chosen) if chosen in models else None
        return Body(len(models), lambda row: model_cells(self.scene, models[row], cells_wide), at)

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("model", steps))

    def pointed(self, row: int) -> None:
        """A click selects."""
        models = listed(self.scene)
        if row < len(models):
            self.post_message(self.Look(models[row]))
