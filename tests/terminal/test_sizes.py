"""From 40x12 to 300x80, one after the other and all at once."""

import random

import pytest

SIZES = [(40, 12), (60, 20), (79, 23), (80, 24), (100, 30), (120, 36), (200, 50), (300, 80)]


def whole(session):
    """The first line says what is looked at, the last one which keys there are, and something stands between."""
    first, *between, last = [line.strip() for line in session.screen.display]
    return "triage" in first and "quit" in last and sum(map(bool, between)) > 5


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (300, 80)], ids=lambda size: "x".join(map(str, size)))
def test_it_opens_at_every_size_on_the_worst_model(spawn, fleet, size):
    session = spawn(fleet, size=size).wait_for("triage").settle()
    assert whole(session)
    assert "▲" in session.text
    session.type("q")
    assert session.exit_code() == 0


def test_it_follows_the_terminal_from_size_to_size(spawn, fleet):
    session = spawn(fleet).wait_for("CRIT").settle()
    for size in [*SIZES, (80, 24), (40, 12), (80, 24)]:
        session.resize(*size)
        session.settle(0.2)
        assert whole(session), f"{size}:\n{session.text}"


def test_a_storm_of_sizes_ends_in_the_last_one(spawn, fleet):
    session = spawn(fleet).wait_for("CRIT").settle()
    before = session.text
    dice = random.Random(3)
    for _ in range(150):
        session.resize(dice.randint(1, 300), dice.randint(1, 80))
        session.pump(0.005)
    session.resize(80, 24)
    session.settle(0.6)
    assert session.text == before
    session.type("q")
    assert session.exit_code() == 0
    assert session.restored() == []
