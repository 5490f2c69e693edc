"""Questions that the last line asks, and what becomes of the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.panes.edges import Question
from tui.present.jump import best, hint
from tui.present.moves import look_at
from tui.present.scene import listed

if TYPE_CHECKING:
    from tui.screens.desk import Desk


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
