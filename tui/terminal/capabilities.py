"""The capabilities of the terminal, detected before Textual is imported: it reads the environment once, at import."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from enum import IntEnum

from modeltop.cli.context import AppOptions
from modeltop.core.errors import UsageError

Environment = MutableMapping[str, str]

_MONOCHROME_TERMS = ("vt52", "vt100", "vt102", "vt220", "xterm-mono", "xterm-vt220", "screen-m", "linux-m")
_INDEXED_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "iterm2", "rio")
"""Terminals with 256 colors, although neither their name nor, over SSH, COLORTERM reports it."""
_REMOTE_FPS = "15"
"""Frames per second over SSH: a screen that changes faster than the link carries it lags behind its keys."""


class ColorDepth(IntEnum):
    """The number of colors of a terminal."""

    NONE = 0
    ANSI = 16
    INDEXED = 256
    TRUE = 1 << 24


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The colors and characters that this terminal can show."""

    depth: ColorDepth
    ascii: bool

    def theme(self, *, light: bool) -> str:
        """Return the app's own theme, or with few colors that of the terminal's own colors."""
        # With 16 colors, warning and error of the other themes are the very same red.
        family = "ansi" if self.depth <= ColorDepth.ANSI else "modeltop"
        return f"{family}-{'light' if light else 'dark'}"


def in_browser(environ: Environment = os.environ) -> bool:
    """Return whether textual-serve runs this process: the app is shown in a browser, by packets in pipes."""
    return environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver") and not os.isatty(1)


def unusable_reason(environ: Environment = os.environ) -> str | None:
    """Return why the app cannot be shown here; None if it can."""
    if in_browser(environ):
        return None
    for descriptor, name in ((0, "stdin"), (2, "stderr"), (1, "stdout")):
        if not os.isatty(descriptor):
            return f"{name} is not a terminal"
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return f"TERM is {term}" if term else "TERM is not set"
    return None


def detect_capabilities(environ: Environment = os.environ, encoding: str | None = None) -> Capabilities:
    """Return the terminal's capabilities, by the environment and the encoding of stderr, on which the app is drawn."""
    if in_browser(environ):  # in xterm.js, whatever the terminal of the server
        return Capabilities(ColorDepth.NONE if environ.get("NO_COLOR") else ColorDepth.TRUE, ascii=False)
    stream = sys.__stderr__
    encoding = encoding or (stream.encoding if stream else None) or "ascii"
    return Capabilities(_color_depth(environ), _ascii_only(environ, encoding))


def _color_depth(environ: Environment) -> ColorDepth:
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term.startswith(_MONOCHROME_TERMS):
        return ColorDepth.NONE
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return ColorDepth.TRUE
    if "256color" in term or term.startswith(_INDEXED_TERMS):
        return ColorDepth.INDEXED
    return ColorDepth.ANSI


def _ascii_only(environ: Environment, encoding: str) -> bool:
    if environ.get("TERM", "").startswith("linux"):
        return True  # its font has 256 glyphs, braille is not among them
    if encoding.lower().replace("-", "").replace("_", "") != "utf8":
        return True
    # Python speaks UTF-8 in the C locale, but a terminal that is set to C does not.
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return bool(locale) and "utf" not in locale.lower() and environ.get("PYTHONUTF8") != "1"


def prepare_environment(capabilities: Capabilities, environ: Environment = os.environ) -> None:
    """Set the variables that Textual reads at import; those that a person set are left alone."""
    color_systems = {
        ColorDepth.NONE: "standard",
        ColorDepth.ANSI: "standard",
        ColorDepth.INDEXED: "256",
        ColorDepth.TRUE: "truecolor",
    }
    environ.setdefault("TEXTUAL_COLOR_SYSTEM", color_systems[capabilities.depth])
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_THEME", capabilities.theme(light=False))
    if environ.get("SSH_CONNECTION"):
        environ.setdefault("TEXTUAL_FPS", _REMOTE_FPS)
    if environ.get("TERM", "").startswith("linux"):
        environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")  # its console prints unknown sequences
    if capabilities.depth is ColorDepth.NONE:
        environ["NO_COLOR"] = "1"
    elif environ.get("NO_COLOR") == "":
        del environ["NO_COLOR"]  # empty means unset (no-color.org); Textual only asks whether it is there


def resolve_options(options: AppOptions, capabilities: Capabilities, *, light: bool) -> AppOptions:
    """Return the options, with those that are not set decided by the terminal.

    Args:
        options: As given on the command line.
        capabilities: The capabilities of the terminal.
        light: Whether its background is light.
    """
    return replace(
        options,
        ascii=capabilities.ascii if options.ascii is None else options.ascii,
        theme=options.theme or capabilities.theme(light=light),
    )


def check_theme(name: str) -> None:
    """Check that there is a theme of that name, the app's own or Textual's.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    from textual.theme import BUILTIN_THEMES

    from modeltop_tui.themes import THEMES

    known = [*THEMES, *sorted(BUILTIN_THEMES)]
    if name not in known:
        matches = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {matches[0]}?" if matches else f"known are {', '.join(known)}"
        raise UsageError(f"no theme is called {name!r}: {hint}")
