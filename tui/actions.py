"""What the app's own keys do: each deed is a function of the app, found by the name that its key gives."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modeltop.core.text import pluralize
from modeltop_tui.view.clipboard import points_csv, selection_text
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.pane import Lines

if TYPE_CHECKING:
    from modeltop_tui.app import ModeltopApp

THEMES = ("textual-dark", "textual-light", "ansi-dark", "ansi-light", "nord", "gruvbox", "solarized-light")
"""Those that `t` goes through; the command line takes any of Textual's."""


def poll_now(app: ModeltopApp) -> None:
    """Look now, paused or not."""
    app.poller.poll_now()
    app.main_screen.status.show_message("reading again")


def toggle_pause(app: ModeltopApp) -> None:
    """Stop looking, or go on."""
    app.poller.paused = not app.poller.paused
    if not app.poller.paused:
        app.poller.poll_now()
    app.main_screen.show_state(replace(app.main_screen.screen_state, paused=app.poller.paused))
    app.main_screen.status.show_message("paused: p goes on, r looks once" if app.poller.paused else "going on")


def next_theme(app: ModeltopApp) -> None:
    """The next theme; the terminal's own colours are the two ansi ones."""
    known = [name for name in THEMES if name in app.available_themes]
    at = known.index(app.theme) + 1 if app.theme in known else 0
    app.theme = known[at % len(known)]
    for lines in app.main_screen.query(Lines):
        lines.repaint()  # what is drawn may differ on a light background, not only its colours
    app.main_screen.status.show_message(f"theme {app.theme}: --theme {app.theme} begins with it")


def suspend(app: ModeltopApp) -> None:
    """To the shell, where the terminal can do so."""
    driver = app._driver  # noqa: SLF001  the only one to ask
    if driver is not None and driver.can_suspend:
        app.action_suspend_process()
    else:
        app.main_screen.status.show_message("this terminal has no shell to go back to")


def toggle_mouse(app: ModeltopApp) -> None:
    """Give the mouse to the terminal, so that it selects text, or take it back."""
    driver = app._driver  # noqa: SLF001  Textual has no switch while it runs
    turn = getattr(driver, "_disable_mouse_support" if app.mouse else "_enable_mouse_support", None)
    if turn is None:
        app.main_screen.status.show_message("this terminal has no mouse")
        return
    app.mouse = not app.mouse
    vars(driver)["_mouse"] = True  # else it does not write the sequences
    turn()
    vars(driver)["_mouse"] = app.mouse  # and so it stays when the app is suspended and comes back
    app.main_screen.status.show_message(
        "the mouse works here" if app.mouse else "the mouse is the terminal's: it selects text"
    )


def show_help(app: ModeltopApp) -> None:
    """The list of all keys."""
    from modeltop_tui.screens.help import HelpScreen, key_groups  # not needed for the first frame

    app.push_screen(HelpScreen(key_groups(app.main_screen.app_keys), ascii_only=bool(app.options.ascii)))


def show_periods(app: ModeltopApp) -> None:
    """The periods of the selected model as a table."""
    from modeltop_tui.screens.periods import PeriodsScreen  # not needed for the first frame

    if app.main_screen.screen_state.selection.model is None:
        app.main_screen.status.show_message("no model is selected")
        return
    app.push_screen(PeriodsScreen(app.main_screen, ascii_only=bool(app.options.ascii)))


def show_diagnosis(app: ModeltopApp) -> None:
    """What happened to the selected model, why, and what to do."""
    from modeltop_tui.screens.diagnosis import DiagnosisScreen  # not needed for the first frame

    if app.main_screen.screen_state.selection.model is None:
        app.main_screen.status.show_message("no model is selected")
        return
    app.push_screen(DiagnosisScreen(app.main_screen, ascii_only=bool(app.options.ascii)))


def copy_selection(app: ModeltopApp) -> None:
    """What is said of the selection, to the clipboard by OSC 52 and to a file: not every terminal takes the first."""
    text = selection_text(app.main_screen.screen_state, app.now())
    if not text:
        app.main_screen.status.show_message("nothing to copy")
        return
    send_to_clipboard(app, text)
    lines = pluralize(text.count("\n"), "line")
    try:
        path = write_private(state_folder() / "copied.txt", text)
    except OSError as error:
        app.main_screen.status.show_message(f"{lines} sent to the clipboard; not saved: {error.strerror or error}")
        return
    app.main_screen.status.show_message(f"{lines} sent to the clipboard, saved in {abbreviate_home(path)}")


def send_to_clipboard(app: ModeltopApp, text: str) -> None:
    """OSC 52; within tmux wrapped, so that tmux hands it on to the terminal it runs in."""
    app.copy_to_clipboard(text)
    driver = app._driver  # noqa: SLF001  the only way to a sequence that Textual has no name for
    if os.environ.get("TMUX") and driver is not None:
        import base64

        inner = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"
        driver.write("\x1bPtmux;" + inner.replace("\x1b", "\x1b\x1b") + "\x1b\\")


def state_folder() -> Path:
    """The XDG state folder of modeltop."""
    base = os.environ.get("XDG_STATE_HOME", "")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "state"
    return root / "modeltop"


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner reads, in place of what was there. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path


def abbreviate_home(path: Path) -> str:
    """The path as people write it."""
    text, home = str(path), str(Path.home())
    return f"~{text[len(home) :]}" if text.startswith(home + "/") else text


def ask_export_path(app: ModeltopApp) -> None:
    """Ask where to write the view; the suffix says how."""
    key = app.main_screen.screen_state.selection.key
    if key is None:
        app.main_screen.status.show_message("no metric is selected")
        return
    slug = re.sub(r"[^a-z0-9]+", "-", f"{key.model}-{key.metric}".casefold()).strip("-")[:60] or "view"
    hint = ".csv the points, .svg or .txt the screen; esc leaves it"
    app.main_screen.status.show_prompt(
        Prompt("write to", f"{slug}.csv", lambda _: hint, on_submit=lambda typed: export_to(app, typed))
    )


def export_to(app: ModeltopApp, typed: str) -> None:
    """Write the view to the file that a person named; one that is there already is never replaced."""
    makers: dict[str, Callable[[], str]] = {
        ".csv": lambda: points_csv(app.main_screen.screen_state),
        ".svg": lambda: screen_svg(app),
        ".txt": lambda: screen_text(app),
    }
    maker = makers.get(Path(typed.strip()).suffix.lower())
    if maker is None:
        app.main_screen.status.show_message(f"not written: {typed.strip()} does not end in .csv, .svg or .txt")
        return
    text = maker()
    try:
        path = Path(typed.strip()).expanduser().absolute()
        with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except FileExistsError:
        app.main_screen.status.show_message(f"not written: {typed.strip()} is there already")
    except OSError as error:
        app.main_screen.status.show_message(f"not written: {error.strerror or error}")
    except RuntimeError as error:  # ~name of nobody
        app.main_screen.status.show_message(f"not written: {error}")
    else:
        app.main_screen.status.show_message(f"written to {abbreviate_home(path)}")


def screen_svg(app: ModeltopApp) -> str:
    """The screen as SVG, without the fonts that it would fetch from elsewhere."""
    return re.sub(r"@font-face\s*\{[^}]*\}", "", app.export_screenshot())


def screen_text(app: ModeltopApp) -> str:
    """The screen as lines of text."""
    strips = app.screen._compositor.render_strips()  # noqa: SLF001  the only place that has them all
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


def _alert_action(name: str) -> Callable[[ModeltopApp], None]:
    """A deed of `modeltop_tui.alert_actions`, which is imported once it is asked for."""

    def deed(app: ModeltopApp) -> None:
        from modeltop_tui import alert_actions

        act: Callable[[ModeltopApp], None] = getattr(alert_actions, name)
        act(app)

    return deed


ACTIONS: dict[str, Callable[[ModeltopApp], None]] = {
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
    "take": _alert_action("acknowledge"),
    "silence": _alert_action("open_silence_form"),
    "note": _alert_action("ask_note"),
}
"""By the name in the key's action."""
