"""What was last seen of the same data is on the screen first; a key pressed meanwhile is not lost."""

import re
import shutil

import pytest

from modeltop_tui.view.first_answer import LOADING

SEEN = "as last seen"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("date,accuracy\n2024-12-31,0.95\n2025-01-01,0.95\n2025-01-02,0.5\n")
    return path


def look(spawn, table, **environ):
    """One run, from its start to its end."""
    session = spawn(table, **environ).wait_for("0.500 < 0.90").settle()
    session.wait_for(SEEN, absent=True)
    session.type("q")
    assert session.exit_code() == 0
    assert session.foreign() == []
    assert session.restored() == []
    return bytes(session.output)


def test_the_second_look_at_the_same_data_begins_with_the_first(spawn, table):
    first, second = look(spawn, table), look(spawn, table)
    assert SEEN.encode() not in first
    assert b"modeltop  reading" in first
    assert SEEN.encode() in second
    assert second.index(b"0.500 < 0.90") < second.index(SEEN.encode())
    assert second.count(b"\x1b[?1049h") == 1


def test_what_was_last_seen_has_the_colors_of_the_app(spawn, table):
    runs = [look(spawn, table, COLORTERM="truecolor") for _ in range(2)]
    shown, remembered = (
        {*re.findall(rb"[34]8;2;\d+;\d+;\d+", part)} for part in (runs[0], runs[1].partition(SEEN.encode())[0])
    )
    assert b"48;2;18;18;18" in shown
    assert remembered <= shown


def test_data_that_changed_are_not_shown_as_they_were(spawn, table):
    look(spawn, table)
    with table.open("a") as file:
        file.write("2025-01-03,0.5\n")
    assert SEEN.encode() not in look(spawn, table)


def test_a_configuration_that_changed_drops_what_was_seen(spawn, table, environment):
    config = table.with_name("rules.toml")
    config.write_text('[[rules]]\nname = "r"\nmetric = "accuracy"\ncritical = { below = 0.9 }\n')
    for expected in (False, True):
        session = spawn(table, "--config", config).wait_for("0.500 < 0.90").wait_for(SEEN, absent=True)
        session.type("q")
        assert session.exit_code() == 0
        assert (SEEN.encode() in bytes(session.output)) == expected
    config.write_text('[[rules]]\nname = "r"\nmetric = "accuracy"\ncritical = { below = 0.4 }\n')
    session = spawn(table, "--config", config).wait_for("ok, not below").type("q")
    assert session.exit_code() == 0
    assert SEEN.encode() not in bytes(session.output)


@pytest.mark.parametrize("keys", ["q", "\x1b[Bq"])
def test_a_key_pressed_before_the_app_is_there_is_not_lost(spawn, table, keys):
    look(spawn, table)
    session = spawn(table)
    # In the output, not on the screen: on a quick machine the app's own frame may be there before anyone looks.
    assert session.wait_until(lambda: SEEN.encode() in bytes(session.output), 15.0)
    session.type(keys)
    assert session.exit_code() == 0
    assert session.restored() == []


def test_a_wrong_configuration_gives_the_terminal_back_and_says_so(spawn, table):
    config = table.with_name("wrong.toml")
    config.write_text("nonsense = 1\n")
    session = spawn(table, "--config", config)
    assert session.exit_code() == 2
    assert b"nonsense: unknown key" in bytes(session.output)
    assert session.restored() == []


def test_the_answer_is_there_before_the_app(spawn, table):
    for run in range(3):  # the app waits for the answer only for a moment, which a busy machine may miss
        output = look(spawn, shutil.copy(table, table.with_name(f"{run}.csv")))
        if LOADING.encode() in output:
            break
    assert output.index(b"0.500 < 0.90") < output.index(LOADING.encode()) < output.index("┌".encode())
