"""Every key of every screen, taken from the bindings, changes what is seen; and help lists exactly those."""

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.keys import _character_to_key

from modeltop.rules.defaults import default_rules
from modeltop.service.pipeline import StateReader
from modeltop_tui.app import APP_KEYS, ModeltopApp
from modeltop_tui.screens import silence
from modeltop_tui.screens.base import END_KEYS
from modeltop_tui.screens.diagnosis import DiagnosisScreen
from modeltop_tui.screens.help import HelpScreen, entries, key_groups
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.periods import PeriodsScreen
from modeltop_tui.screens.start import StartScreen
from modeltop_tui.view.navigation import clamp_selection
from modeltop_tui.view.state import ScreenState
from modeltop_tui.workers import diagnosis

REFUSALS = (
    "not bound",
    "no further",
    "no other",
    "nothing",
    "maximum zoom",
    "end of data",
    "full history; +",
    "cannot",
)
"""What the last line says where a key had no effect."""
LEAVE = "(the app ends)"
SUSPEND = "(the app is suspended)"

APP = {
    "r": ("", "refreshing"),
    "p": ("", "paused (p resume, r refresh once)"),
    "t": ("", "theme: "),
    "y": ("", "sent to the clipboard"),
    "Y": ("", "write to fraud-"),
    "M": ("", "mouse off: select text as usual (M: on)"),
    "ctrl+z": ("", SUSPEND),
    "question_mark": ("", "Help"),
    "q": ("", LEAVE),
    "ctrl+c": ("", LEAVE),
    "ctrl+q": ("", LEAVE),
}
"""For each key of the app: the keys that bring the screen into a state where it acts, and what is seen then."""
STEPS = {
    "down": ("", ""), "j": ("", ""), "up": ("down", ""), "k": ("down", ""),
    "pagedown": ("", ""), "ctrl+f": ("", ""), "pageup": ("end", ""), "ctrl+b": ("end", ""),
    "home": ("end", ""), "g": ("end", ""), "end": ("", ""), "G": ("", ""),
}  # fmt: skip
"""The keys that move; an empty text means any change."""
RANGE = "plus plus"
MAIN = APP | STEPS | {
    "1": ("2", ""), "2": ("", ""), "3": ("4", ""), "4": ("", ""), "5": ("", ""),
    "tab": ("", ""), "shift+tab": ("", ""),
    "enter": ("", "fraud: diagnosis"), "d": ("", "fraud: diagnosis"),
    "escape": ("slash u enter", ""),
    "e": ("", ""), "E": ("", ""),
    "exclamation_mark": ("", "problems only: ! shows all models"),
    "slash": ("", "words, !word"),
    "colon": ("", "model, metric, segment"),
    "s": ("", "models by name"),
    "right": ("", ""), "l": ("", ""), "left": ("right", ""), "h": ("right", ""),
    "v": ("", ": accuracy, 100 days"),
    "z": ("", ""),
    "plus": ("", ""), "equals_sign": ("", ""), "minus": (RANGE, ""), "0": ("", "full history"),
    "left_square_bracket": (RANGE, ""), "right_square_bracket": (f"{RANGE} left_square_bracket", ""),
    "f": ("", "one metric"),
    "m": ("right", "with "),
    "c": ("", ""),
    "shift+right": ("c home", ""), "shift+left": ("c", ""),
    "a": ("", "Acknowledge fraud. Reason:"),
    "S": ("", 'e.g. "backfill running'),
    "N": ("", "note on fraud:"),
}  # fmt: skip
EVIDENCE = APP | STEPS | {
    "right": ("", "churn: diagnosis"), "l": ("", "churn: diagnosis"),
    "left": ("right", "fraud: diagnosis"), "h": ("right", "fraud: diagnosis"),
    "e": ("", "churn: diagnosis"), "E": ("", "churn: diagnosis"),
    "enter": ("", ""), "space": ("", ""),
    "a": ("", "Acknowledge fraud. Reason:"),
    "S": ("", 'e.g. "backfill running'),
    "N": ("", "note on fraud:"),
    "v": ("", ": accuracy, 100 days"),
    "q": ("", "1 Models"), "d": ("", "1 Models"), "escape": ("", "1 Models"),
}  # fmt: skip
PERIODS = APP | STEPS | {
    "right": ("", ""), "l": ("", ""), "left": ("right", ""), "h": ("right", ""),
    "enter": ("", ""), "space": ("", ""),
    "slash": ("", "2025-06, critical, <0.9"),
    "a": ("", "Acknowledge fraud. Reason:"),
    "S": ("", 'e.g. "backfill running'),
    "N": ("", "note on fraud:"),
    "escape": ("slash c r i t enter", ": accuracy, 100 days"),
    "q": ("", "1 Models"), "v": ("", "1 Models"),
}  # fmt: skip
HELP = APP | STEPS | {
    "y": ("", "nothing to copy"),
    "slash": ("", "Enter to keep, Esc to clear"),
    "q": ("", "1 Models"), "question_mark": ("", "1 Models"), "escape": ("", "1 Models"),
}  # fmt: skip
START = APP | STEPS | {
    "y": ("", "nothing to copy"), "Y": ("", "no metric is selected"),
    "escape": ("", "1 Models"),
}  # fmt: skip
CURSOR = MAIN | {
    "pageup": ("pagedown", ""), "ctrl+b": ("pagedown", ""), "escape": ("", ""), "enter": ("", ": accuracy, 100 days"),
    "m": ("c right", "with "), "shift+right": ("home", ""), "shift+left": ("", ""),
}  # fmt: skip

SAME = {*APP} - {"y", "Y"} | {"j", "k", "l", "h", "g", "G", "ctrl+f", "ctrl+b", "equals_sign", "d", "E"}
"""Keys that do elsewhere what they do on the first screen, or what another key of the table does."""


def others(table):
    """The part of a table that may act otherwise in another state of the same screen."""
    return {key: effect for key, effect in table.items() if key not in SAME}


CASES = [
    pytest.param((MainScreen, (80, 24), "", MAIN), id="main at 80x24"),
    pytest.param((MainScreen, (120, 36), "", others(MAIN)), id="main at 120x36"),
    pytest.param((MainScreen, (60, 18), "", others(MAIN)), id="main at 60x18"),
    pytest.param((MainScreen, (80, 24), "z", others(MAIN)), id="the chart zoomed"),
    pytest.param((MainScreen, (80, 24), "c left left", others(CURSOR)), id="a cursor in the chart"),
    pytest.param((DiagnosisScreen, (80, 24), "enter", EVIDENCE), id="evidence"),
    pytest.param((PeriodsScreen, (80, 24), "v", PERIODS), id="periods"),
    pytest.param((PeriodsScreen, (80, 24), "4 enter", others(PERIODS)), id="an alert"),
    pytest.param((StartScreen, (40, 12), "", START), id="start"),
    pytest.param((HelpScreen, (40, 12), "question_mark", HELP), id="help"),
]


def bound_keys(screen):
    """The keys that are bound while the screen is in front."""
    return {key for node in (screen, ModeltopApp) for key, _ in node._merge_bindings()}


@pytest.fixture
def effects(monkeypatch, tmp_path):
    """What a key did that no screen shows."""
    seen = []
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(diagnosis, "DEBOUNCE_SECONDS", 0.0)  # each diagnosis is waited for
    monkeypatch.setattr(ModeltopApp, "exit", lambda *_, **__: seen.append(LEAVE))
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)
    monkeypatch.setattr(ModeltopApp, "action_suspend_process", lambda _: seen.append(SUSPEND))
    for name in ("_enable_mouse_support", "_disable_mouse_support"):
        monkeypatch.setattr(HeadlessDriver, name, lambda _: None, raising=False)
    return seen


@pytest.fixture(scope="module")
def fallen(make):
    """Two models with a drop, one of them in four metrics, and enough healthy ones for pages of them."""
    names = ("accuracy", "precision", "recall", "f1_score")
    fraud = [make.series([0.95, 0.94] * 48 + [0.75] * 4, model="fraud", metric=name) for name in names]
    churn = make.series([0.95, 0.94] * 48 + [0.89] * 4, model="churn")
    others = [make.series([0.95, 0.94] * 50, model=f"ranker-{number:02}") for number in range(30)]
    return make.snapshot(*fraud, churn, *others, rules=default_rules())


def seen(screen):
    """All that is on the screen: texts and styles."""
    return [list(strip) for strip in screen.app.screen._compositor.render_strips()]


async def reset(screen, before):
    """Return to the first screen as it was, and press keys."""
    app, main = screen.app, screen.app.main_screen
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await screen.settle()
    app.theme, app.poller.paused, app._driver._mouse = "textual-dark", False, True
    main.status.prompt = None
    main.remove_class("-zoomed")
    main.select(clamp_selection(ScreenState(main.screen_state.snapshot)))
    main._pane_chosen = False
    main._focus_first_pane()
    app._explain_if_empty()
    await screen.settle()
    await screen.press(*before.split())
    app.screen.status.show_message("")
    await screen.settle()


@pytest.mark.parametrize("case", CASES)
async def test_every_key_changes_what_is_seen(make, fallen, complete_diagnosis, run, effects, tmp_path, case):
    node, size, opening, table = case
    first = make.snapshot() if node is StartScreen else fallen
    log, dead = StateReader(tmp_path / "log"), []
    async with run(first, size=size, state_reader=log, diagnose=lambda _, model: complete_diagnosis(model)) as screen:
        for key, (before, text) in table.items():
            await reset(screen, f"{opening} {before}")
            assert type(screen.app.screen) is node, key
            old, old_text = seen(screen), screen.text
            await screen.press(key)
            new_text = "\n".join([screen.text, *effects])
            effects.clear()
            refused = any(refusal in screen.status_line for refusal in REFUSALS) or seen(screen) == old
            if (text in old_text or text not in new_text) if text else refused:
                dead.append(f"{key}: {text!r} was not seen, the last line is {screen.status_line!r}")
    assert not dead, "\n".join(dead)


async def test_every_key_of_the_silence_form_changes_what_is_seen(fallen, run, effects, tmp_path):
    typed = {"enter": "not saved: reason required", "x": "why      x", "backspace": "", "escape": "1 Models"}
    async with run(fallen, state_reader=StateReader(tmp_path / "log")) as screen:
        await screen.press("S", *"why", "enter")
        await screen.wait_for("silenced until")
        for key, text in {**dict.fromkeys(silence.STEPS, ""), **typed, **dict.fromkeys(END_KEYS, "")}.items():
            await reset(screen, "S y" if key == "backspace" else "S")
            old, old_text = seen(screen), screen.text
            await screen.press(key)
            assert (seen(screen) != old) ^ bool(effects), key
            assert text in screen.text, key
            assert not text or text not in old_text, key
            effects.clear()
        await reset(screen, "S down")
        await screen.press("x")
        await screen.wait_for(": ended ")


@pytest.mark.parametrize("key", ["slash", "colon", "a", "N", "Y"])
async def test_a_prompt_can_be_edited_submitted_and_left(fallen, run, effects, tmp_path, key):
    async with run(fallen, state_reader=StateReader(tmp_path / "log")) as screen:
        await screen.press(key)
        for edit, text in {"r": "r ", "space": "r  ", "backspace": "r ", "ctrl+u": " "}.items():
            await screen.press(edit)
            assert screen.app.main_screen.status.line.text.endswith(text.removesuffix(" ")), edit
        for end in END_KEYS:
            await screen.press(end)
        assert effects == [LEAVE, LEAVE, SUSPEND]
        await screen.press("escape")
        assert screen.status_line.endswith("q quit")
        await screen.press(key, *"zz", "enter")
        assert screen.app.main_screen.status.prompt is None
        assert not screen.status_line.endswith("q quit") or key == "slash"


NAMED = {
    "↓": ["down"], "↑": ["up"], "←": ["left"], "←→": ["left", "right"], "PgDn": ["pagedown"], "PgUp": ["pageup"],
    "shift+←→": ["shift+left", "shift+right"], "Esc": ["escape"], "1-5": [*"12345"], "+-": ["plus", "minus"],
}  # fmt: skip
"""Textual's names of the keys whose name in the help is another."""


def listed_keys(screen):
    """The keys that the help of a screen lists, by Textual's names."""
    shown = [name for _, group in key_groups(screen, APP_KEYS) for keys, _ in entries(group) for name in keys.split()]
    keys = [key for name in shown for key in NAMED.get(name, [name])]
    return [_character_to_key(key) if len(key) == 1 else key.lower() for key in keys]


@pytest.mark.parametrize(
    ("node", "table"),
    [
        *((MainScreen, MAIN), (MainScreen, CURSOR), (DiagnosisScreen, EVIDENCE)),
        *((PeriodsScreen, PERIODS), (StartScreen, START), (HelpScreen, HELP)),
    ],
)
def test_every_bound_key_is_in_its_table(node, table):
    assert bound_keys(node) == set(table)


@pytest.mark.parametrize("screen", [MainScreen, DiagnosisScreen, PeriodsScreen, StartScreen])
def test_help_lists_exactly_the_keys_that_are_bound(screen):
    assert sorted(listed_keys(screen)) == sorted(bound_keys(screen))
