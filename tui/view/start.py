"""What the screen shows while there is no history to show: what the input is, and the next commands."""

from __future__ import annotations

import re

from modeltop.core.text import display_width, sanitize
from modeltop.report.phrases import NEXT_COMMANDS
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import Cells, wrap

COMMAND = re.compile(r"`((?:modeltop|ls) [^`]+)`")
"""A command with its arguments: only such a one can be run as it is."""
MISTYPED = ("no such file", "no file matches")
"""What a message begins with if there is nothing at the path."""
EMPTY = "an empty folder"
NOT_FOUND = "Not found"
MAX_PROBLEMS = 8


def start_title(state: ScreenState) -> str:
    """Return whether there is nothing at the paths, nothing in them yet, or something else than history."""
    problems = () if state.snapshot is None else state.snapshot.history.problems
    messages = [problem.message for problem in problems if problem.fatal]
    if messages and all(message.startswith(MISTYPED) for message in messages):
        return NOT_FOUND
    return f"No metric history{' yet' if all(message.startswith(EMPTY) for message in messages) else ''}"


def start_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return each source that holds no history, what it is, and the commands to run next, each whole."""
    if state.snapshot is None:
        return []
    problems = state.snapshot.history.problems
    lines: list[Cells] = []
    commands: list[str] = []
    for problem in problems[:MAX_PROBLEMS]:
        message = sanitize(problem.message, 600).replace("`modeltop check ", "`modeltop ")  # which opens the app
        commands += COMMAND.findall(message)
        lines += wrap(sanitize(problem.source, 200), width, role="strong", indent="  ", lead=(("○ ", "unknown"),))
        lines += [*wrap(message, width, indent="  ", lead=(("  ", ""),)), ()]
    if len(problems) > MAX_PROBLEMS:
        lines += [((f"and {len(problems) - MAX_PROBLEMS} more: `modeltop check` lists them", "dim"),), ()]
    if not problems:
        lines += [(("○ No rows were found.", "unknown"),), ()]
    lines.append((("Next", "head"),))
    lines += [line for command in dict.fromkeys(commands) for line in wrap(command, width, role="strong", indent="  ")]
    name_width, text_width = (max(map(display_width, column)) for column in zip(*NEXT_COMMANDS, strict=True))
    for command, text in NEXT_COMMANDS:
        if width >= name_width + 2 + text_width:
            lines.append(((f"{command:<{name_width}}", "strong"), (f"  {text}", "dim")))
        else:
            lines += [((command, "strong"),), ((f"  {text}", "dim"),)]
    follows = "The screen follows the files: data appears as soon as it is written."
    return lines if start_title(state) == NOT_FOUND else [*lines, (), *wrap(follows, width, role="dim")]
