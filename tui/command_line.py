"""The prompt after `:`. Imported at the first key for it."""

from __future__ import annotations

from dataclasses import replace

from textual.actions import parse
from textual.binding import Binding

from modeltop_tui.actions import ACTIONS
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.terminal.saved_view import MAX_TYPED
from modeltop_tui.view import goto
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.panes import ChartPane
from modeltop_tui.workers.poller import Poller


def show_prompt(screen: MainScreen, poller: Poller) -> None:
    """Ask for a line; its hint shows what Enter would do."""
    words_of_app = _words_of_app(screen)
    screen.status.show_prompt(
        Prompt(
            ":",
            "",
            on_change=lambda text: goto.hint(screen.screen_state, text, words_of_app),
            on_submit=lambda text: _submit(screen, poller, text, words_of_app),
            complete=lambda text: goto.completions(screen.screen_state, text, words_of_app),
            earlier=screen.screen_state.typed,
        )
    )


def _words_of_app(screen: MainScreen) -> goto.CommandWords:
    """Return the actions that have a key on the main screen, and the words that can follow."""
    actions: dict[str, str] = {}
    for binding in (*screen.BINDINGS, *screen.app_keys):
        if isinstance(binding, Binding):
            _, name, arguments = parse(binding.action)
            text = binding.tooltip or binding.description or "why: the evidence"
            if name == "perform" and arguments != ("goto",):
                actions[str(arguments[0])] = text
            elif name == "quit":
                actions[name] = text
    words = {"theme": sorted(screen.app.available_themes), "note": (), "export": (), "ack": ()}
    return goto.CommandWords(actions, words)


def _submit(screen: MainScreen, poller: Poller, typed: str, words_of_app: goto.CommandWords) -> None:
    line = typed.strip()
    if not line:
        return
    state = screen.screen_state
    typed_lines = (*(one for one in state.typed if one != line), line)[-MAX_TYPED:]
    result = goto.interpret(state, line, words_of_app)
    screen.show_state(replace(state, typed=typed_lines, selection=result.selection or state.selection))
    shown = screen.screen_state.selection
    is_about_chart = (shown.comparison, shown.time_window) != (state.selection.comparison, state.selection.time_window)
    if is_about_chart and not screen.query_one(ChartPane).region:
        screen.action_focus_pane(ChartPane.NUMBER)
    if result.action is None:
        screen.status.show_message(result.text)
    elif result.action[0] == "quit":
        screen.app.exit()
    else:
        name, argument = result.action
        ACTIONS[name](screen, poller, *filter(None, (argument,)))
