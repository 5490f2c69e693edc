"""The answer before the app's first frame."""

import pytest

from modeltop_tui.view.first_answer import LOADING, answer_lines
from modeltop_tui.view.state import ScreenState
from tests.tui.conftest import HOSTILE


async def test_it_begins_with_the_lines_that_the_app_shows_first(fleet, run):
    lines = answer_lines(ScreenState(snapshot=fleet), fleet.clock, (80, 24), ascii_only=False)
    async with run(fleet, size=(80, 24)) as screen:
        assert [line.rstrip() for line in lines[:3]] == [line.rstrip() for line in screen.lines[:3]]


def test_it_lists_the_alerts_of_the_worst_model_at_its_size(make):
    state = make.state(make.healthy("a"), *make.ten_days("zzz"))
    lines = answer_lines(state, make.clock, (60, 8), ascii_only=False)
    assert len(lines) == 8
    assert "zzz" in lines[1]
    assert any("accuracy" in line and "< 0.90" in line for line in lines[4:])
    assert lines[-1] == LOADING


def test_without_the_characters_of_the_terminal_it_is_ascii(make):
    state = make.state(*make.ten_days())
    assert not "".join(answer_lines(state, make.clock, (80, 24), ascii_only=False)).isascii()
    assert "".join(answer_lines(state, make.clock, (80, 24), ascii_only=True)).isascii()


@pytest.mark.parametrize("name", HOSTILE)
def test_foreign_text_is_text(make, name):
    lines = answer_lines(make.state(*make.ten_days(name)), make.clock, (80, 24), ascii_only=False)
    assert all(line.isprintable() for line in lines)
