"""The first minutes: what is shown where there is no history yet, and the hints of the demo."""

import pytest

from modeltop.cli.demo import GUIDE
from modeltop.core.series import ReadProblem
from modeltop.core.text import display_width
from modeltop_tui.screens.help import HelpScreen
from modeltop_tui.screens.start import StartScreen
from modeltop_tui.view.state import ScreenState
from modeltop_tui.widgets import header_footer

LOG = "a prediction log, not metrics: run `modeltop compute log.csv --timestamp at --prediction label`"
FOLDER = "an empty folder: name one with metric files"
TRAINING_LOG = "a training log (epoch) without dates: add a column `date`, then `modeltop check t.csv`"
MISTYPED = "no such file or folder: `ls /` lists what is there"


async def test_an_input_without_history_says_what_it_is_and_what_to_run(make, run):
    async with run(make.snapshot(problems=[ReadProblem("log.csv", LOG, fatal=True)])) as screen:
        lines = [line.strip("│ ") for line in screen.lines]
        assert "○ log.csv" in lines
        following = lines[lines.index("Next") + 1 :]
        assert following[0] == "modeltop compute log.csv --timestamp at --prediction label"
        assert [line.split()[1] for line in following[1:5]] == ["FILE.csv", "record", "demo", "help"]
        assert screen.status_line == "↑↓ scroll  Esc panes  r refresh  ? help  q quit"


async def test_on_a_narrow_screen_each_command_has_a_line_and_its_text_the_next(make, run):
    async with run(make.snapshot(problems=[ReadProblem("x.csv", FOLDER, fatal=True)]), size=(40, 40)) as screen:
        lines = [line.strip("│ ") for line in screen.lines]
        at = lines.index("modeltop record MODEL accuracy=0.93")
        assert lines[at + 1] == "a first value, from a job"


async def test_a_command_without_its_arguments_is_not_listed_as_one_to_run(make, run):
    async with run(make.snapshot(problems=[ReadProblem("/empty", FOLDER, fatal=True)])) as screen:
        lines = [line.strip("│ ") for line in screen.lines]
        assert lines[lines.index("Next") + 1].startswith("modeltop FILE.csv")


@pytest.mark.parametrize(
    ("message", "title", "command", "follows"),
    [
        (MISTYPED, "Not found", "ls /", False),
        ("no such file; did you mean m.csv?", "Not found", "modeltop FILE.csv", False),
        (FOLDER, "No metric history yet", "modeltop FILE.csv", True),
        (TRAINING_LOG, "No metric history", "modeltop t.csv", True),
    ],
)
async def test_the_title_and_the_next_command_are_those_of_what_is_wrong(make, run, message, title, command, follows):
    async with run(make.snapshot(problems=[ReadProblem("x", message, fatal=True)])) as screen:
        lines = [line.strip("│ ") for line in screen.lines]
        assert lines[0].strip("┌─┐") == title
        assert lines[lines.index("Next") + 1].startswith(command)
        assert ("data appears as soon as it is written" in screen.text) is follows


async def test_many_problems_are_counted(make, run):
    problems = [ReadProblem(f"{number}.csv", LOG, fatal=True) for number in range(12)]
    async with run(make.snapshot(problems=problems), size=(80, 50)) as screen:
        assert "and 4 more: `modeltop check` lists them" in screen.text
        assert screen.text.count("○") == 8


async def test_it_leaves_by_itself_when_there_is_history(make, fleet, run):
    async with run(make.snapshot()) as screen:
        assert "No rows were found." in screen.text
        screen.deliver(fleet)
        await screen.press("r")
        await screen.wait_for("1 Models")


async def test_below_the_help_it_waits_until_that_is_closed(make, fleet, run):
    async with run(make.snapshot()) as screen:
        await screen.press("question_mark")
        for snapshot in (fleet, make.snapshot(), fleet):
            screen.app.main_screen.show_state(ScreenState(snapshot))
            await screen.pilot.pause()
        assert isinstance(screen.app.screen, HelpScreen)
        await screen.press("escape")
        assert isinstance(screen.app.screen, StartScreen)


async def test_escape_shows_the_panes_all_the_same(make, run):
    async with run(make.snapshot()) as screen:
        await screen.press("escape")
        assert "1 Models" in screen.text


async def test_its_keys_stay_in_the_last_line_when_the_panes_behind_it_change(make, run):
    async with run(make.snapshot()) as screen:
        screen.deliver(make.snapshot(problems=[ReadProblem("log.csv", LOG, fatal=True)]))
        await screen.press("r")
        await screen.wait_for("log.csv")
        await screen.press("up")
        assert screen.status_line.startswith("↑↓ scroll  Esc panes")


async def test_where_there_is_history_nobody_sees_it(fleet, run):
    async with run(fleet) as screen:
        assert "No metric history yet" not in screen.text


async def test_each_hint_of_the_demo_waits_for_its_key_and_is_seen_on_every_screen(fleet, run):
    async with run(fleet, guide=GUIDE) as screen:
        await screen.press("y")
        await screen.press("shift+tab")
        assert screen.status_line == GUIDE[0][1]
        for number, key in enumerate(("down", "right", "enter", "q"), 1):
            await screen.press(key)
            assert screen.status_line == GUIDE[number][1]
        await screen.press("slash", "e")
        assert screen.status_line.startswith("/ e")
        await screen.press("escape")
        assert screen.status_line == GUIDE[4][1]


async def test_a_message_covers_the_hint_of_the_demo_only_for_a_while(fleet, run, monkeypatch):
    monkeypatch.setattr(header_footer, "DEMO_MESSAGE_SECONDS", 2.0)
    async with run(fleet, guide=GUIDE) as screen:
        await screen.press("s")
        assert screen.status_line == "models by name"
        await screen.wait_for(GUIDE[0][1])


async def test_after_the_last_hint_the_keys_are_back(fleet, run):
    async with run(fleet, guide=GUIDE[-1:]) as screen:
        await screen.press("question_mark", "q")
        assert screen.status_line.endswith("q quit")


@pytest.mark.parametrize(("number", "hint"), list(enumerate((text for _, text in GUIDE), 1)))
def test_hints_are_numbered_and_fit_the_narrowest_full_screen(number, hint):
    assert hint.startswith(f"Demo {number}/{len(GUIDE)}  ")
    assert display_width(hint) <= 80


@pytest.mark.parametrize("size", [(40, 12), (60, 18), (80, 24), (120, 36), (200, 50)], ids=str)
@pytest.mark.parametrize("count", [1, 30])
async def test_behind_it_the_reason_fills_the_list_of_models_at_every_size(make, run, size, count):
    problems = [ReadProblem(f"{number}.csv", f"{LOG}, {'and so on ' * 40}", fatal=True) for number in range(count)]
    async with run(make.snapshot(problems=problems), size=size) as screen:
        await screen.press("escape")
        assert "0.csv" in screen.text


async def test_a_file_that_is_replaced_by_one_without_history_leaves_the_app_open(make, fleet, run):
    async with run(fleet) as screen:
        screen.deliver(make.snapshot(problems=[ReadProblem("m.csv", f"{LOG}, {'and so on ' * 40}", fatal=True)]))
        await screen.press("r")
        await screen.wait_for("m.csv")
