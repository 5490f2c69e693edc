"""Textual app that shows one word, the baseline of modeltop's first frame."""

from collections.abc import Iterator

from textual.app import App
from textual.widgets import Static


class Empty(App[None]):
    """App with one word on its screen."""

    def compose(self) -> Iterator[Static]:
        yield Static("empty")


if __name__ == "__main__":
    Empty().run()
