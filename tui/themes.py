"""The app's own themes: a dark and a light one, readable and distinguishable by people with color blindness.

Text has a contrast of 4.5:1 or more on its background and on that of a selected row, graphics 3:1 (WCAG 2.1, 1.4.3 and
1.4.11). The tests compute both, and the difference between any two severities and between the lines of a chart as
people with protanopia, deuteranopia and tritanopia see them. All colors come out of 256 with the same properties.
"""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

DARK, LIGHT = "modeltop-dark", "modeltop-light"


def _shades(*texts: str) -> TerminalTheme:
    (background, text), normal, bright = ([Color.parse(f"#{code}").rgb for code in codes.split()] for codes in texts)
    return TerminalTheme(background, text, normal, bright)


# Black, red, green, yellow, blue, magenta, cyan, white, as severities and charts are drawn: red is critical, yellow
# warning, green ok, magenta unknown. Bright black is text of less importance.
DARK_COLORS = _shades(
    "121212 d0d0d0",
    "121212 ff5f5f 5fd7af ffaf00 5f87ff af87ff 5fd7ff d0d0d0",
    "949494 ff5f5f 5fd7af ffaf00 5f87ff ff87d7 5fd7ff ffffff",
)
LIGHT_COLORS = _shades(
    "ffffff 1c1c1c",
    "000000 990029 006d6d 995e00 005fd7 7a1fd0 00688f d0d0d0",
    "5f5f5f 990029 006d6d 995e00 005fd7 c2188c 00688f ffffff",
)

THEMES = {
    DARK: Theme(
        name=DARK,
        primary="#87afff",
        foreground="#d0d0d0",
        background="#121212",
        surface="#1c1c1c",
        panel="#262626",
    ),
    LIGHT: Theme(
        name=LIGHT,
        primary="#005faf",
        foreground="#1c1c1c",
        background="#ffffff",
        surface="#ffffff",
        panel="#eeeeee",
        dark=False,
    ),
}
