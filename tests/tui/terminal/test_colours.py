"""Few colours, no colours, no characters but ASCII, and a light background."""

import pytest

SHAPES = {0, 1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29, 39, 49}
"""Bold, dim, italic, underlined, reversed, struck, their ends, and the terminal's own colours."""
SIXTEEN = SHAPES | set(range(30, 38)) | set(range(40, 48)) | set(range(90, 98)) | set(range(100, 108))
WHITE = {b"\x1b]11;?": b"\x1b]11;rgb:ffff/ffff/ffff\x07", b"\x1b[c": b"\x1b[?62c", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}


def walked(session):
    """After the main screen, an overlay, the table of periods and the help."""
    session.wait_for("critical").settle()
    for key in "jmvv?q":
        session.type(key).settle(0.1)
    return session.wait_for("1 Models")


@pytest.mark.parametrize(
    ("environ", "allowed"),
    [
        pytest.param({"NO_COLOR": "1"}, SHAPES, id="NO_COLOR"),
        pytest.param({"TERM": "vt100"}, SHAPES, id="a terminal without colours"),
        pytest.param({"TERM": "xterm"}, SIXTEEN, id="16 colours"),
    ],
)
def test_no_colour_is_sent_that_the_terminal_lacks(spawn, fleet, environ, allowed):
    session = walked(spawn(fleet, **environ))
    assert session.colours() <= allowed
    assert "▲ triage" in session.text


def test_sixteen_colours_tell_critical_from_no_data(spawn, fleet):
    session = spawn(fleet, TERM="xterm").wait_for("no data").settle()
    colours = {}
    for word in ("critical", "no data"):
        colours[word] = session.screen.buffer[0][session.screen.display[0].index(word)].fg
    assert colours["critical"] != colours["no data"]


@pytest.mark.parametrize(
    ("words", "environ"),
    [([], {"LC_ALL": "C"}), ([], {"TERM": "linux"}), (["--ascii"], {})],
    ids=["LC_ALL=C", "TERM=linux", "--ascii"],
)
def test_in_ascii_no_other_byte_is_sent(spawn, fleet, words, environ, tmp_path):
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("date,model,segment,accuracy\n2025-06-29,宽é🙂,größe,0.8\n2025-06-28,宽é🙂,größe,0.9\n")
    session = walked(spawn(*words, fleet, foreign, **environ))
    assert [byte for byte in session.output if byte > 0x7F] == []
    assert "X triage" in session.text


@pytest.mark.parametrize(
    ("answers", "environ", "light"),
    [
        pytest.param(WHITE, {}, True, id="it says white"),
        pytest.param({}, {"COLORFGBG": "0;15"}, True, id="it says nothing, COLORFGBG does"),
        pytest.param({}, {}, False, id="nobody says anything"),
    ],
)
def test_the_screen_is_as_light_as_the_terminal(spawn, fleet, answers, environ, light):
    session = spawn(fleet, answers=answers, COLORTERM="truecolor", **environ).wait_for("critical").settle()
    background = session.screen.buffer[10][40].bg
    assert (int(background[:2], 16) > 0x80) is light


def test_an_answer_that_comes_late_is_not_taken_for_keys(spawn, fleet):
    # The diagnosis is computed beside the first frame and draws once more.
    session = spawn(fleet, answers={}).wait_for("critical").wait_for("dropped overnight").settle()
    before = session.text
    for chunk in ("\x1b]11;rgb:ffff/ff", "ff/ffff", "\x1b\\", "\x1b[?6", "2;22c"):
        session.type(chunk).settle(0.2)
    assert session.text == before
    session.type("?").wait_for("Help")
