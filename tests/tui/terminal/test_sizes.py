"""From 40x12 to 300x80, one after the other and all at once."""

import random

import pytest

SIZES = [(40, 12), (60, 20), (79, 23), (80, 24), (100, 30), (120, 36), (200, 50), (300, 80)]


def is_complete(session):
    """The first line counts the models, the last one lists the keys, and there is something between."""
    first, *between, last = [line.strip() for line in session.screen.display]
    return "▲4" in first and "quit" in last and sum(map(bool, between)) > 5


@pytest.mark.parametrize("size", [(40, 12), (300, 80)], ids=lambda size: "x".join(map(str, size)))
def test_it_opens_on_the_worst_model_at_the_ends_of_the_range(spawn, fleet, size):
    session = spawn(fleet, size=size).wait_for("triage").settle()
    assert is_complete(session)
    assert "▲" in session.text


def test_it_follows_the_terminal_from_size_to_size(opened):
    for size in [*SIZES, (80, 24), (40, 12), (80, 24)]:
        opened.resize(*size)
        assert opened.wait_until(lambda: is_complete(opened), seconds=5), f"{size}:\n{opened.text}"


def test_a_storm_of_sizes_ends_in_the_last_one(opened):
    dice = random.Random(3)
    for _ in range(150):
        opened.resize(dice.randint(1, 300), dice.randint(1, 80))
        opened.pump(0.005)
    opened.resize(80, 24)
    assert opened.wait_until(lambda: opened.text == opened.first[0], seconds=5), opened.text
    opened.type("?").wait_for("Help").type("?").wait_for("Help", absent=True)
