"""The least that a Textual app can show: one word. What modeltop's first frame is measured against."""

from collections.abc import Iterator

from textual.app import App
from textual.widgets import Static


class Empty(App[None]):
    """One word."""

    def compose(self) -> Iterator[Static]:
        yield Static("empty")


if __name__ == "__main__":
    Empty().run()
