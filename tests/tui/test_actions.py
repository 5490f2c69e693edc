"""The app's own keys: clipboard, files, mouse, themes."""

import base64
import csv
import stat
from xml.etree import ElementTree as ET

import pytest

from modeltop_tui.actions import export_to


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state folder of the test's own, and a current folder to write into."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TMUX", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "state" / "modeltop"


@pytest.fixture
def sent(monkeypatch):
    """What was written to the terminal."""
    from textual.drivers.headless_driver import HeadlessDriver

    written = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: written.append(data))
    return written


@pytest.mark.parametrize(
    ("keys", "first", "second"),
    [
        pytest.param("y", "fraud > f1_score, newest 2025-01-10", "▲ critical: ", id="the model"),
        pytest.param("2 right y", "fraud > confidence, newest 2025-01-10", "9 Jan  ", id="the metric"),
        pytest.param("3 c left y", "fraud > f1_score: 9 Jan  0.865", "", id="the point at the cursor"),
        pytest.param("4 down y", "fraud", "▲ critical: f1_score 0.845 < 0.85, for 1 day", id="the alert"),
        pytest.param("v down y", "fraud: f1_score, 10 days", "period", id="the period"),
        pytest.param("d y", "fraud: diagnosis", "▲ CRITICAL: f1_score 0.845 < 0.85", id="the row of the evidence"),
    ],
)
async def test_what_is_copied_is_what_is_selected_in_front(fleet, run, state, keys, first, second):
    async with run(fleet, size=(120, 36)) as screen:
        await screen.press(*keys.split())
        lines = (state / "copied.txt").read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(first)
        assert "".join(lines[1:2]).startswith(second)


async def test_help_has_nothing_to_copy(fleet, run, state):
    async with run(fleet) as screen:
        await screen.press("question_mark", "y")
        assert screen.status_line == "nothing to copy"


async def test_a_copy_goes_to_the_clipboard_and_to_a_file_that_is_named(fleet, run, state, sent):
    async with run(fleet, size=(120, 36)) as screen:
        await screen.press("y")
        text = (state / "copied.txt").read_text(encoding="utf-8")
        assert text.startswith("fraud > f1_score, newest 2025-01-10")
        assert "sent to the clipboard, saved in " in screen.status_line
        assert f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a" in sent
        assert stat.S_IMODE((state / "copied.txt").stat().st_mode) == 0o600
        assert stat.S_IMODE(state.stat().st_mode) == 0o700


async def test_inside_tmux_the_copy_is_handed_on_to_the_terminal_outside(fleet, run, sent, monkeypatch):
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with run(fleet) as screen:
        await screen.press("y")
    passed = next(data for data in sent if data.startswith("\x1bPtmux;"))
    assert passed.endswith("\a\x1b\\")
    assert passed.count("\x1b\x1b]52;c;") == 1


async def test_a_copy_that_cannot_be_saved_is_still_sent_and_reported(fleet, run, state, sent):
    state.parent.write_text("a file where the folder should be")
    async with run(fleet, size=(120, 36)) as screen:
        await screen.press("y")
        assert "sent to the clipboard; not saved: Not a directory" in screen.status_line
        assert any(data.startswith("\x1b]52;c;") for data in sent)


async def test_a_link_in_place_of_the_copy_is_not_followed(fleet, run, state, tmp_path, sent):
    state.mkdir(parents=True)
    (tmp_path / "precious").write_text("mine")
    (state / "copied.txt").symlink_to(tmp_path / "precious")
    async with run(fleet, size=(120, 36)) as screen:
        await screen.press("y")
        assert "not saved" in screen.status_line
    assert (tmp_path / "precious").read_text() == "mine"


async def export(screen, suffix):
    """Take the offered name, with another suffix."""
    await screen.press("Y", *["backspace"] * 3, *suffix, "enter")


async def test_the_points_are_exported_as_csv_under_the_offered_name(fleet, run, tmp_path):
    async with run(fleet) as screen:
        await screen.press("Y", "enter")
        await screen.pilot.pause()
        text = (tmp_path / "here" / "fraud-f1-score.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["value"] for row in rows[-2:]] == ["0.865", "0.845"]
        assert "written to" in screen.status_line


async def test_the_screen_is_exported_as_text_and_as_a_picture(fleet, run, tmp_path):
    async with run(fleet) as screen:
        await export(screen, "txt")
        await export(screen, "svg")
        await screen.pilot.pause()
    text = (tmp_path / "here" / "fraud-f1-score.txt").read_text(encoding="utf-8")
    assert "▲ fraud" in text
    picture = ET.parse(tmp_path / "here" / "fraud-f1-score.svg")
    words = "".join(picture.getroot().itertext())
    assert "critical" in words
    assert "http" not in words


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        pytest.param("csv", "not written: fraud-f1-score.csv already exists", id="a file that is there"),
        pytest.param("exe", "not written: fraud-f1-score.exe does not end in .csv, .svg or .txt", id="a form unknown"),
    ],
)
async def test_an_export_never_replaces_a_file(fleet, run, tmp_path, suffix, text):
    (tmp_path / "here" / "fraud-f1-score.csv").write_text("mine")
    async with run(fleet) as screen:
        await export(screen, suffix)
        await screen.pilot.pause()
        assert screen.status_line == text
    assert (tmp_path / "here" / "fraud-f1-score.csv").read_text() == "mine"


@pytest.mark.parametrize("path", ["no/such/folder.csv", "~nobody-of-that-name/x.csv"])
async def test_an_export_that_cannot_be_written_says_why(fleet, run, path):
    async with run(fleet) as screen:
        export_to(screen.app.main_screen, path)
        await screen.pilot.pause()
        assert screen.status_line.startswith("not written: ")


async def test_the_name_of_a_model_never_leads_out_of_the_folder(make, run, tmp_path):
    async with run(make.snapshot(make.series([0.9, 0.8], model="../../etc/passwd\x1b[2J"))) as screen:
        await screen.press("Y", "enter")
        await screen.pilot.pause()
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["etc-passwd-2j-accuracy.csv"]


async def test_a_terminal_that_cannot_suspend_is_reported(fleet, run):
    async with run(fleet) as screen:
        await screen.press("ctrl+z")
        assert screen.status_line == "cannot suspend in this terminal"


async def test_a_theme_changes_colours_and_the_chart_with_them(fleet, run):
    async with run(fleet) as screen:
        await screen.press("t")
        assert screen.app.theme == "modeltop-light"
        await screen.press(*"tttttt")
        assert screen.app.theme == "modeltop-dark"


async def test_a_typed_line_is_completed_recalled_and_runs_the_action_of_a_key(fleet, run):
    async with run(fleet) as screen:
        await screen.press("colon", *"chu", "tab")
        assert screen.status_line.startswith(": churn")
        await screen.press("enter", "colon", *"sort", "space", "n", "tab", "enter")
        assert (screen.selection.model, screen.selection.sort.value) == ("churn", "by name")
        await screen.press("colon", "up", "up")
        assert screen.status_line.startswith(": churn")
        await screen.press("down", "down", *"theme", "space", *"nord", "enter")
        assert screen.app.theme == "nord"
        assert screen.app.main_screen.screen_state.typed == ("churn", "sort name", "theme nord")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("periods", "fraud: f1_score, 10 days"),
        ("diagnosis", "fraud: diagnosis"),
        ("help", "next theme"),
        ("theme none", "no theme none; try: "),
        ("pause", "paused (p resume, r refresh once)"),
        ("note", "nothing can be saved"),
        ("export x.doc", "not written: x.doc does not end in .csv, .svg or .txt"),
        ("export", "write to"),
        ("2025-13", "invalid range 2025-13"),
    ],
)
async def test_actions_are_called_by_their_names(fleet, run, line, text):
    async with run(fleet) as screen:
        await screen.press("colon", *("space" if char == " " else char for char in line), "enter")
        assert text in screen.text


async def test_quit_is_a_command_and_no_key_of_the_prompt_is(fleet, run):
    async with run(fleet) as screen:
        await screen.press("colon", "q", "p", "t", "1", "z", "tab", "up", "down", "left", "home", "escape")
        assert screen.app.is_running
        assert (screen.app.theme, screen.app.poller.paused) == ("modeltop-dark", False)
        await screen.press("colon", *"quit", "enter")
        assert not screen.app.is_running
