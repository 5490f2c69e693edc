"""What was last seen is shown again only where all still stands as it did, and never more than text and colour."""

import json
import os
import pty
import select

import pytest

from modeltop.history.files import file_stat
from modeltop.service import output_cache
from modeltop_tui.terminal import first_frame_cache

LINES = ["\x1b[1mmodeltop\x1b[0m  triage", "▲ CRIT", "footer"]
SIZE = (20, 3)
SAVED = output_cache.CachedOutput(100.0, LINES)
NOW = 200.0


@pytest.fixture
def saved(tmp_path):
    """A frame of one file, as it was kept."""
    data = tmp_path / "m.csv"
    data.write_text("date,accuracy\n")
    path = first_frame_cache.frame_path(["m.csv"], SIZE, {"XDG_CACHE_HOME": str(tmp_path / "cache")})
    stats = {str(data): file_stat(str(data)), str(tmp_path / "modeltop.toml"): None}
    output_cache.save_output(path, SAVED, stats)
    return path, data


def test_the_same_files_bring_the_same_frame(saved):
    path, _ = saved
    assert first_frame_cache.load_frame(path, NOW) == (100.0, LINES)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_changed_drops_it(saved):
    path, data = saved
    data.write_text("date,accuracy\n2025-01-01,0.9\n")
    assert first_frame_cache.load_frame(path, NOW) is None


def test_a_file_that_was_written_over_in_place_drops_it(saved, write_over):
    path, data = saved
    write_over(data, b"accuracy", b"f1_score")
    assert first_frame_cache.load_frame(path, NOW) is None


def test_a_configuration_that_appeared_drops_it(saved):
    path, data = saved
    (data.parent / "modeltop.toml").touch()
    assert first_frame_cache.load_frame(path, NOW) is None


@pytest.mark.parametrize(("now", "is_shown"), [(99.0, False), (100.0, True), (149.0, True), (150.0, False)])
def test_a_frame_is_shown_until_a_row_that_was_in_the_future_is_due(tmp_path, now, is_shown):
    path = tmp_path / "one.frame"
    output_cache.save_output(path, SAVED, {}, 150.0)
    assert (first_frame_cache.load_frame(path, now) is not None) == is_shown


@pytest.mark.parametrize(
    "line", ["\x1b]52;c;ZWNobw==\x07", "\x1b[2J", "\x1b[6n", "\x9b31m", "a\rb", "\x1b[?1049l", "\u202egpj"]
)
def test_a_frame_with_anything_but_text_and_colours_is_not_shown(saved, line):
    path, _ = saved
    path.write_text(json.dumps({"seen": 1.0, "until": None, "states": {}, "lines": [line]}))
    assert first_frame_cache.load_frame(path, NOW) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"seen": "x"}', '{"seen": 1, "until": null, "lines": 3, "states": 4}', "\x00"]
)
def test_a_broken_file_is_no_frame(saved, text):
    path, _ = saved
    path.write_text(text)
    assert first_frame_cache.load_frame(path, NOW) is None


def test_the_place_depends_on_command_line_size_and_terminal(tmp_path, monkeypatch):
    environ = {"XDG_CACHE_HOME": str(tmp_path), "TERM": "xterm"}
    paths = [
        first_frame_cache.frame_path(["a"], SIZE, environ),
        first_frame_cache.frame_path(["b"], SIZE, environ),
        first_frame_cache.frame_path(["a"], (80, 24), environ),
        first_frame_cache.frame_path(["a"], SIZE, environ | {"NO_COLOR": "1"}),
    ]
    monkeypatch.chdir(tmp_path)
    paths.append(first_frame_cache.frame_path(["a"], SIZE, environ))
    assert len(set(paths)) == len(paths)


def test_the_last_line_says_how_old_the_frame_is():
    text = first_frame_cache.render_frame((100.0, LINES), (60, 3), 100.0 + 3 * 3600)
    assert "\x1b[1;1H\x1b[1mmodeltop" in text
    assert "as last seen, 3h ago" in text
    assert "footer" not in text


def test_without_a_frame_it_says_that_files_are_read():
    assert first_frame_cache.render_frame(None, SIZE, 0.0).endswith("modeltop  reading")


def test_no_more_frames_are_kept_than_that(tmp_path):
    for number in range(output_cache.MAX_FILES + 5):
        output_cache.save_output(tmp_path / f"{number}.frame", SAVED, {})
    assert len(list(tmp_path.iterdir())) == output_cache.MAX_FILES


def test_a_cache_that_cannot_be_written_is_no_trouble(tmp_path):
    (tmp_path / "file").touch()
    output_cache.save_output(tmp_path / "file" / "x.frame", SAVED, {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_terminal_is_given_back_unless_an_app_has_taken_over(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for handed_over, restored in ((False, True), (True, False)):
        ours, theirs = pty.openpty()
        with first_frame_cache.FirstFrameCache(["m.csv"], theirs) as shown:
            if handed_over:
                shown.hand_over()
        written = ""
        while select.select([ours], [], [], 0.2)[0]:  # a terminal hands over what was written in parts
            written += os.read(ours, 4096).decode()
        assert first_frame_cache.ENTER in written
        assert (first_frame_cache.LEAVE in written) == restored
        os.close(ours)
        os.close(theirs)
