"""What a receiver is told, look by look: each paragraph of the specification as a table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.routing import Pace

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        pytest.param(["..c"], ["first CRITICAL"], id="what fires is told"),
        pytest.param(["..w"], ["first WARNING"], id="a warning too"),
        pytest.param(["..c", "c", "c"], ["first CRITICAL"], id="once, however often it is looked at"),
        pytest.param(["..c", "."], ["first CRITICAL", "over"], id="its end is told"),
        pytest.param(["..w", "c"], ["first WARNING", "worse CRITICAL"], id="what gets worse is told"),
        pytest.param(["..c", "w"], ["first CRITICAL"], id="what gets better has no message of its own"),
        pytest.param(["..c", "w", "c"], ["first CRITICAL", "worse CRITICAL"], id="worse again after better is told"),
        pytest.param(["..c", ".", "c"], ["first CRITICAL", "over", "first CRITICAL"], id="a second time is a new one"),
        pytest.param(["..c.c", ""], ["first CRITICAL"], id="the first look tells only what stands"),
        pytest.param(["..c.", "."], [], id="the first look tells nothing of the past"),
        pytest.param(["..", "c."], ["late+", "late-"], id="what came and went between two looks is owed, once"),
        pytest.param(["..", "w.c.", "."], ["late+", "late-"] * 2, id="so is each of two"),
        pytest.param(["..", "c.w"], ["late+", "late-", "first WARNING"], id="and then what stands"),
    ],
)
def test_people_are_told_what_changed(world, said, looks, told):
    here = world()
    for rows in looks:
        here.report(rows)
        here.look()
    assert said(here.accepted) == told
