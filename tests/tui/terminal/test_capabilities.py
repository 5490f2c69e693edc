"""What is concluded from the environment and from a terminal's answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.cli.context import AppOptions
from modeltop.core.errors import UsageError
from modeltop_tui.terminal.background_colour import LateReplies, is_light_by_environment, relative_luminance
from modeltop_tui.terminal.capabilities import (
    Capabilities,
    ColorDepth,
    check_theme,
    detect_capabilities,
    in_browser,
    prepare_environment,
    resolve_options,
)

IN_BROWSER = {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}
"""What textual-serve sets."""
COLOUR, ATTRIBUTES = "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\", "\x1b[?62;22c"


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"TERM": "xterm-256color"}, ColorDepth.INDEXED),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ColorDepth.TRUE),
        ({"TERM": "xterm"}, ColorDepth.ANSI),
        ({"TERM": "screen"}, ColorDepth.ANSI),
        ({"TERM": "tmux-256color"}, ColorDepth.INDEXED),
        ({"TERM": "xterm-kitty"}, ColorDepth.INDEXED),
        ({"TERM": "alacritty"}, ColorDepth.INDEXED),
        ({"TERM": "xterm-direct"}, ColorDepth.TRUE),
        ({"TERM": "linux"}, ColorDepth.ANSI),
        ({"TERM": "vt100"}, ColorDepth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, ColorDepth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, ColorDepth.INDEXED),
        ({"TERM": "dumb"} | IN_BROWSER, ColorDepth.TRUE),
        ({"TERM": "dumb", "NO_COLOR": "1"} | IN_BROWSER, ColorDepth.NONE),
    ],
)
def test_the_number_of_colours(environ, depth):
    assert detect_capabilities(environ, "utf-8").depth is depth


def test_the_driver_of_a_browser_counts_only_where_the_output_is_no_terminal(monkeypatch):
    assert in_browser(IN_BROWSER)
    monkeypatch.setattr("os.isatty", lambda _: True)
    assert not in_browser(IN_BROWSER), "it was left set in an ordinary terminal"


@pytest.mark.parametrize(
    ("environ", "encoding", "ascii_only"),
    [
        ({"LANG": "en_GB.UTF-8"}, "utf-8", False),
        ({}, "UTF-8", False),
        ({"LC_ALL": "C"}, "utf-8", True),
        ({"LC_ALL": "C"} | IN_BROWSER, "latin-1", False),
        ({"LC_ALL": "C.UTF-8"}, "utf-8", False),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "POSIX"}, "utf-8", True),
        ({"LANG": "C", "LC_ALL": "en_GB.utf8"}, "utf-8", False),
        ({"LC_ALL": "C", "PYTHONUTF8": "1"}, "utf-8", False),
        ({"LANG": "en_GB.UTF-8"}, "iso8859-1", True),
        ({"LANG": "en_GB.UTF-8", "TERM": "linux"}, "utf-8", True),
    ],
)
def test_whether_only_ascii_can_be_drawn(environ, encoding, ascii_only):
    assert detect_capabilities({"TERM": "xterm"} | environ, encoding).ascii is ascii_only


@pytest.mark.parametrize(
    ("depth", "light", "theme"),
    [
        (ColorDepth.TRUE, False, "modeltop-dark"),
        (ColorDepth.INDEXED, True, "modeltop-light"),
        (ColorDepth.ANSI, False, "ansi-dark"),
        (ColorDepth.ANSI, True, "ansi-light"),
        (ColorDepth.NONE, False, "ansi-dark"),
    ],
)
def test_few_colours_get_a_theme_of_the_terminals_own(depth, light, theme):
    capabilities = Capabilities(depth, ascii=False)
    assert resolve_options(AppOptions(), capabilities, light=light) == AppOptions(ascii=False, theme=theme)


def test_explicit_options_are_not_overridden():
    options = AppOptions(mouse=False, ascii=True, theme="nord")
    assert resolve_options(options, Capabilities(ColorDepth.ANSI, ascii=False), light=True) == options
    environ = {"TERM": "xterm", "TEXTUAL_ANIMATIONS": "full", "TEXTUAL_FPS": "60", "SSH_CONNECTION": "there"}
    prepare_environment(Capabilities(ColorDepth.ANSI, ascii=False), environ)
    assert (environ["TEXTUAL_ANIMATIONS"], environ["TEXTUAL_FPS"]) == ("full", "60")


def test_over_ssh_nothing_moves_and_frames_are_few():
    environ = {"TERM": "xterm", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}
    prepare_environment(Capabilities(ColorDepth.ANSI, ascii=False), environ)
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert int(environ["TEXTUAL_FPS"]) < 30


def test_an_unknown_theme_is_an_error_that_names_the_nearest():
    check_theme("ansi-light")
    check_theme("modeltop-light")
    with pytest.raises(UsageError, match="did you mean textual-light"):
        check_theme("textual-lihgt")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"\x1b]11;rgb:0000/0000/0000\x1b\\", 0.0),
        (b"\x1b]11;rgb:ff/ff/ff\x07", 1.0),
        (b"\x1b]11;rgba:ffff/0000/0000/ffff\x07", 0.2126),
        (b"\x1b]11;rgb:f/f/0\x07", 0.9278),
        (b"\x1b[?62c", None),
        (b"", None),
    ],
)
def test_the_brightness_of_an_answer(reply, expected):
    assert relative_luminance(reply) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("value", "light"),
    [("15;0", False), ("0;15", True), ("0;default;15", True), ("12;8", False), ("0;7", True), ("15;default", False)],
)
def test_the_background_of_colorfgbg(value, light):
    assert is_light_by_environment({"COLORFGBG": value}) is light
    assert is_light_by_environment({}) is False


@given(
    before=st.text("jkq1\x1b[A", max_size=4).filter(lambda keys: not keys.endswith(("\x1b", "["))),
    after=st.text("jkq1", max_size=4),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_late_answers_are_taken_out_of_the_keys_wherever_they_are_cut(before, after, cuts):
    data = before + COLOUR + ATTRIBUTES + after
    # An answer that is cut right after its first byte looks like the escape key for a moment.
    edges = sorted({cut for cut in cuts if 0 < cut < len(data) and data[cut - 1] != "\x1b"})
    replies = LateReplies()
    keys = [replies.strip(data[i:j]) for i, j in zip([0, *edges], [*edges, len(data)], strict=True)]
    assert "".join(keys) == before + after


@given(st.text("jkq \x1b[]1;?cO\\ABC", max_size=20))
def test_once_the_last_answer_has_come_every_key_passes(keys):
    replies = LateReplies()
    assert replies.strip(COLOUR + ATTRIBUTES) == ""
    assert replies.strip(keys) == keys
