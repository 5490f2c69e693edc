"""The help: the symbols and the keys of the screen in front, on one page."""

import pytest

from modeltop.core.text import display_width
from modeltop_tui.app import APP_KEYS
from modeltop_tui.screens.diagnosis import DiagnosisScreen
from modeltop_tui.screens.help import entries, help_lines, join_opposites, key_groups
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.periods import PeriodsScreen
from modeltop_tui.screens.start import StartScreen
from modeltop_tui.view.styled_text import plain_text

SCREENS = [MainScreen, DiagnosisScreen, PeriodsScreen, StartScreen]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("width", [38, 58, 78, 118])
def test_no_line_is_wider_than_the_screen_and_none_is_cut(screen, width):
    lines = [plain_text(line) for line in help_lines(key_groups(screen, APP_KEYS), width, 21)]
    assert max(map(display_width, lines)) <= width
    assert not any("…" in line for line in lines)


def test_the_symbols_come_first(fleet):
    first = plain_text(help_lines(key_groups(MainScreen, APP_KEYS), 78, 21)[0])
    assert first == "▲ critical  ◆ warning  ○ unknown, no data  ● ok  ✓ acknowledged  × silenced"


def test_what_the_prompt_takes_is_shown_where_it_is_bound():
    shown = {screen: plain_text(help_lines(key_groups(screen, APP_KEYS), 78, 21)[2]) for screen in SCREENS}
    assert [screen for screen, line in shown.items() if "compare accuracy" in line] == [MainScreen]


def test_opposites_share_an_entry():
    listed = dict(entries(binding for _, group in key_groups(MainScreen, APP_KEYS) for binding in group))
    assert listed["PgDn ctrl+f PgUp ctrl+b"] == "page down / up"
    assert listed["Tab shift+Tab"] == "next / previous pane"


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("earlier", "later", "earlier / later"),
        ("zoom in", "zoom out: more", "zoom in / out: more"),
        ("a", "a b", "a / b"),
    ],
)
def test_what_opposites_have_in_common_is_said_once(first, second, joined):
    assert join_opposites(first, second) == joined


def test_groups_are_named_where_there_is_room():
    groups = key_groups(MainScreen, APP_KEYS)
    names = {name for name, _ in groups}
    assert names <= {plain_text(line).strip() for line in help_lines(groups, 38, 99)}
    assert not names & {plain_text(line).strip() for line in help_lines(groups, 38, 9)}


async def test_a_search_lists_the_keys_with_a_text_while_one_types(fleet, run):
    async with run(fleet) as screen:
        await screen.press("question_mark", "slash", *"page")
        assert "page down / up" in screen.text
        assert "next theme" not in screen.text
        await screen.press("z")
        assert 'no key for "pagez" (Esc to clear)' in screen.text
        await screen.press("escape")
        assert "next theme" in screen.text
        await screen.press("question_mark")
        assert "1 Models" in screen.text


async def test_over_the_evidence_it_lists_the_keys_of_the_evidence(fleet, run):
    async with run(fleet) as screen:
        await screen.press("enter", "question_mark")
        assert "next / previous model" in screen.text
        assert "sort" not in screen.text
        assert "back to the models" in screen.text
        assert "ctrl+c ctrl+q quit" in screen.text, "q goes back here"
        await screen.press("q")
        assert "fraud: diagnosis" in screen.text
