"""The app on a terminal that sends anything: it goes on, and `q` ends it within a second."""

import contextlib
import os
import random
import select
import time
from pathlib import Path

import pytest

from tests.cases.app_in_a_terminal import App

FLEET = Path(__file__).parents[2] / "sample_data" / "fleet"
LEAVING = set(b"qQ\x03\x1a\x11\x1cYy")
"""Keys that quit, suspend or write a file by right."""
SENT = {
    "Latin-1": b"\xe9\xe4\xf6\xfc\xff",
    "half a character": b"\xc3",
    "no UTF-8": b"\xc3\x28\x80\xbf\xed\xa0\x80",
    "kitty keys": b"\x1b[97;5u\x1b[57441;2:3u\x1b[0u\x1b[99999999999u\x1b[;u\x1b[-1u\x1b[55296u\x1b[1114112u",
    "CSI of all forms": b"\x1b[\x1b[9999999999~\x1b[1;1;1;1;1R\x1b[<999999;99999999;9999999M\x1b[M\xff\xff\x1b[<;;M",
    "sizes beyond all screens": b"\x1b[48;99999999;99999999;1;1t\x1b[48;0;0;0;0t\x1b[<0;5;5M",
    "a size that takes long to draw": b"\x1b[48;1999;1999;1;1t",
    "100,000 arrows at once": b"\x1b[B" * 100_000,
    "a paste that never ends": b"\x1b[200~hello",
    "a paste of 1 MB": b"\x1b[200~" + b"a" * 1_000_000 + b"\x1b[201~",
    "100,000 keys at once": b"x" * 100_000,
    "an open OSC": b"\x1b]52;c;" + b"A" * 5000,
}


@pytest.fixture
def app(tmp_path):
    path = tmp_path / "bad.csv"
    rows = "".join(f"2026-06-{day:02},{0.95 if day < 28 else 0.5}\n" for day in range(1, 31))
    path.write_text("date,accuracy\n" + rows)
    with App(path, home=tmp_path) as app:
        app.wait_for("bad")
        yield app


def send(app, data):
    """Write to the terminal as fast as it takes it, and read meanwhile what it shows."""
    position = 0
    while position < len(data):
        _, writable, _ = select.select([], [app._terminal], [], 0.5)
        if writable:
            position += os.write(app._terminal, data[position : position + 1024])
        pause(app, 0)
    pause(app, 0.2)


def pause(app, seconds):
    end = time.monotonic() + seconds
    while select.select([app._terminal], [], [], max(0.0, end - time.monotonic()))[0]:
        with contextlib.suppress(OSError):
            app._read()
        if time.monotonic() >= end or app._process.poll() is not None:
            return


def leaves(app):
    """Return whether the app ends by `q`, after the keys that close what is open."""
    pause(app, 0.8)  # by which an open paste is over
    for _ in range(6):
        send(app, b"\x1b")
    send(app, b"q")
    pause(app, 5.0)
    return app._process.poll()


@pytest.mark.parametrize("name", SENT)
def test_it_survives(app, name):
    send(app, SENT[name])
    assert app._process.poll() is None, app.text
    assert leaves(app) == 0, app.text


def test_it_survives_500_random_sequences(app):
    rng = random.Random(18)
    for _ in range(500):
        data = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 30)))
        if rng.random() < 0.5:
            numbers = ";".join(str(rng.choice([0, 1, 48, 97, 57441, 2**31, 2**70])) for _ in range(rng.randrange(5)))
            data = f"\x1b[{rng.choice(['', '<', '?', '>'])}{numbers}{rng.choice('u~ABCDHRMmty')}".encode()
        send_quickly = bytes(byte for byte in data if byte not in LEAVING)
        os.write(app._terminal, send_quickly)
        pause(app, 0.02)
        assert app._process.poll() is None, (data, app.text)
    # Thousands of keys in ten seconds filled in screen after screen: it may be behind, and each wants an Esc.
    for _ in range(60):
        if leaves(app) is not None:
            break
    assert app._process.poll() == 0, app.text


def test_after_200_keys_a_second_q_ends_it_at_once(tmp_path):
    with App(FLEET, home=tmp_path) as app:
        app.wait_for("triage")
        for _ in range(600):
            os.write(app._terminal, b"j")
            pause(app, 0.005)
        started = time.monotonic()
        os.write(app._terminal, b"q")
        while app._process.poll() is None and time.monotonic() < started + 20:
            pause(app, 0.05)
        assert app._process.poll() == 0
        assert time.monotonic() - started < 5.0  # alone on the machine it is below a second
