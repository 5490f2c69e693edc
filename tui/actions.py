"""Actions of the app's own keys: functions of the main screen and the poller, by the name that a binding gives."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from textual.app import App

from modeltop.core.text import pluralize
from modeltop.history.files import xdg_folder
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.themes import DARK, LIGHT
from modeltop_tui.view.clipboard import points_csv
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.pane import Lines
from modeltop_tui.workers.poller import Poller

THEMES = (DARK, LIGHT, "ansi-dark", "ansi-light", "nord", "gruvbox", "solarized-light")
"""The themes that `t` cycles through; the command line accepts all of Textual's."""

Action = Callable[..., None]
"""Called with the main screen, the poller, and, where it takes one, an argument that a person typed."""


def poll_now(screen: MainScreen, poller: Poller) -> None:
    """Read every file anew, paused or not, whether or not it shows a change."""
    poller.poll_now(anew=True)
    screen.status.show_message("refreshing")


def toggle_pause(screen: MainScreen, poller: Poller) -> None:
    """Pause the poller, or resume it with a run at once."""
    poller.paused = not poller.paused
    if not poller.paused:
        poller.poll_now()
    screen.show_state(replace(screen.screen_state, paused=poller.paused))
    screen.status.show_message("paused (p resume, r refresh once)" if poller.paused else "resumed")


def next_theme(screen: MainScreen, _: Poller, name: str = "") -> None:
    """Switch to the next of `THEMES`, or to a theme by its name."""
    app = screen.app
    if name and name not in app.available_themes:
        screen.status.show_message(f"no theme {name}; try: {', '.join(THEMES)}")
        return
    themes = [name for name in THEMES if name in app.available_themes]
    index = themes.index(app.theme) + 1 if app.theme in themes else 0
    app.theme = name or themes[index % len(themes)]
    for lines in screen.query(Lines):
        lines.repaint()  # on a light background the lines of a chart have other colors
    screen.status.show_message(f"theme: {app.theme} (start with --theme {app.theme})")


def suspend(screen: MainScreen, _: Poller) -> None:
    """Suspend the app to the shell, if the terminal supports it."""
    driver = screen.app._driver  # noqa: SLF001  nothing else knows whether it can
    if driver is not None and driver.can_suspend:
        screen.app.action_suspend_process()
    else:
        screen.status.show_message("cannot suspend in this terminal")


def toggle_mouse(screen: MainScreen, _: Poller) -> None:
    """Release the mouse to the terminal, so that it selects text, or capture it again."""
    driver = screen.app._driver  # noqa: SLF001  Textual has no switch while it runs
    enabled = bool(getattr(driver, "_mouse", False))
    switch = getattr(driver, "_disable_mouse_support" if enabled else "_enable_mouse_support", None)
    if switch is None:
        screen.status.show_message("this terminal has no mouse")
        return
    vars(driver)["_mouse"] = True  # else it does not write the sequences
    switch()
    vars(driver)["_mouse"] = not enabled  # the driver reads it again when the app is resumed
    screen.status.show_message("mouse off: select text as usual (M: on)" if enabled else "mouse on")


def show_help(screen: MainScreen, _: Poller) -> None:
    """Show the keys of the screen in front."""
    from modeltop_tui.screens.help import HelpScreen  # not needed for the first frame

    screen.app.push_screen(HelpScreen(screen, type(screen.app.screen)))


def show_periods(screen: MainScreen, _: Poller) -> None:
    """Show the periods of the selected model as a table."""
    from modeltop_tui.screens.periods import PeriodsScreen  # not needed for the first frame

    if screen.screen_state.selection.model is None:
        screen.status.show_message("no model is selected")
        return
    screen.app.push_screen(PeriodsScreen(screen))


def show_diagnosis(screen: MainScreen, poller: Poller) -> None:
    """Show the evidence about the selected model: what happened, why, and what to do."""
    from modeltop_tui.screens.diagnosis import DiagnosisScreen  # not needed for the first frame

    if screen.screen_state.selection.model is None:
        screen.status.show_message("no model is selected")
        return
    screen.app.push_screen(DiagnosisScreen(screen, poller))


def copy_selection(screen: MainScreen, _: Poller) -> None:
    """Copy what is selected in front to the clipboard by OSC 52, and to a file: not every terminal has the first.

    The file is `copied.txt` in the state folder.
    """
    front = screen.app.screen
    text = front.focused_pane.copy_text(screen.now()) if isinstance(front, PaneScreen) else ""
    if not text:
        screen.status.show_message("nothing to copy")
        return
    send_to_clipboard(screen.app, text)
    lines = pluralize(text.count("\n"), "line")
    if screen.app.is_web:  # a file on the server is of no use there
        screen.status.show_message(f"{lines} sent to the browser's clipboard (which needs https or localhost)")
        return
    try:
        path = write_private(xdg_folder("state") / "copied.txt", text)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        screen.status.show_message(f"{lines} sent to the clipboard; not saved: {reason}")
        return
    screen.status.show_message(f"{lines} sent to the clipboard, saved in {abbreviate_home(path)}")


def send_to_clipboard(app: App[Any], text: str) -> None:
    """Send the text by OSC 52; within tmux wrapped, so that tmux forwards it to its own terminal."""
    app.copy_to_clipboard(text)
    driver = app._driver  # noqa: SLF001  the only way to a sequence that Textual has no name for
    if os.environ.get("TMUX") and driver is not None and not driver.is_web:
        sequence = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"
        driver.write("\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\")


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner can read; raise OSError if it cannot be written, or is a symbolic link."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def abbreviate_home(path: Path) -> str:
    """Return the path with `~` for the home folder."""
    text, home = str(path), str(Path.home())
    return f"~{text[len(home) :]}" if text.startswith(home + "/") else text


def ask_export_path(screen: MainScreen, _: Poller, path: str = "") -> None:
    """Ask for the file to export the view to, unless it is given; its suffix chooses the format."""
    key = screen.screen_state.selection.key
    if key is None:
        screen.status.show_message("no metric is selected")
        return
    if path:
        export_to(screen, path)
        return
    slug = re.sub(r"[^a-z0-9]+", "-", f"{key.model}-{key.metric}".casefold()).strip("-")[:60] or "view"
    hint = ".csv: the points, .svg or .txt: the screen (Esc to cancel)"
    screen.status.show_prompt(
        Prompt("write to", f"{slug}.csv", lambda _: hint, on_submit=lambda typed: export_to(screen, typed))
    )


def export_to(screen: MainScreen, typed: str) -> None:
    """Write the view to the file that a person named; an existing file is never replaced."""
    name = typed.strip()
    exporters: dict[str, Callable[[], str]] = {
        ".csv": lambda: points_csv(screen.screen_state),
        ".svg": lambda: screen_svg(screen.app),
        ".txt": lambda: screen_text(screen.app),
    }
    export = exporters.get(Path(name).suffix.lower())
    if export is None:
        screen.status.show_message(f"not written: {name} does not end in .csv, .svg or .txt")
        return
    text = export()
    if screen.app.is_web:  # whoever reaches the page shall not choose a path on the server
        data = io.BytesIO(text.encode("utf-8", "backslashreplace"))
        screen.app.deliver_binary(data, save_filename=Path(name).name)
        screen.status.show_message(f"downloading {Path(name).name}")
        return
    try:
        path = Path(name).expanduser().absolute()
        with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except FileExistsError:
        screen.status.show_message(f"not written: {name} already exists")
    except (OSError, RuntimeError) as error:  # RuntimeError: ~name of no user
        screen.status.show_message(f"not written: {getattr(error, 'strerror', None) or error}")
    else:
        screen.status.show_message(f"written to {abbreviate_home(path)}")


def screen_svg(app: App[Any]) -> str:
    """Return the screen as SVG, without the fonts that it would load over the network."""
    return re.sub(r"@font-face\s*\{[^}]*\}", "", app.export_screenshot())


def screen_text(app: App[Any]) -> str:
    """Return the screen as lines of text."""
    strips = app.screen._compositor.render_strips()  # noqa: SLF001  the only place that has them all
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


def _imported(module: str, name: str) -> Action:
    def act(screen: MainScreen, poller: Poller, *argument: str) -> None:
        action: Action = getattr(import_module(f"modeltop_tui.{module}"), name)
        action(screen, poller, *argument)

    return act


ACTIONS: dict[str, Action] = {
    "refresh": poll_now,
    "pause": toggle_pause,
    "theme": next_theme,
    "suspend": suspend,
    "mouse": toggle_mouse,
    "help": show_help,
    "periods": show_periods,
    "diagnosis": show_diagnosis,
    "copy": copy_selection,
    "export": ask_export_path,
    "ack": _imported("alert_actions", "acknowledge"),
    "silence": _imported("alert_actions", "open_silence_form"),
    "note": _imported("alert_actions", "ask_note"),
    "goto": _imported("command_line", "show_prompt"),
}
