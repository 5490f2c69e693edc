"""SIGHUP with a file that is no configuration: the old one stays in force, and the log says so in one line."""

import os
import shutil
import signal

import pytest

from tests.trust.conftest import LONGEST, wait_until

BAD = 0.5
RULE = '[[rules]]\nname = "x"\nmetric = "accuracy"\n'
FILES = {
    "deep arrays": lambda: "x = " + "[" * 200_000 + "]" * 200_000,
    "deep inline tables": lambda: "x = " + "{a=" * 20_000 + "1" + "}" * 20_000,
    "a huge integer": lambda: "x = " + "9" * 900_000,
    "a huge hexadecimal": lambda: "x = 0x" + "f" * 900_000,
    "a huge float": lambda: "x = 1e" + "9" * 900_000,
    "a huge key": lambda: "a" * 900_000 + " = 1",
    "a key of many parts": lambda: ".".join("a" * 200_000) + " = 1",
    "a table of many parts": lambda: "[" + ".".join("a" * 200_000) + "]",
    "parts in an inline table": lambda: "x = {" + ".".join("a" * 200_000) + " = 1}",
    "a key of many quoted parts": lambda: ".".join(['"! "'] * 190_000) + " = 1",
    "many rules": lambda: "[[rules]]\n" * 90_000,
    "many tables in an array": lambda: "rules = [" + "{}," * 300_000 + "]",
    "an integer that is no float": lambda: RULE + f"critical = {{ below = {'9' * 4_000} }}",
    "an array of 10^9 periods": lambda: RULE + 'check = "shift"\nperiods = 1000000000',
    "a NUL in a path": lambda: '[store]\npath = "a\\u0000"',
    "a name too long": lambda: f'[store]\npath = "{"a" * 300}"',
    "many tables": lambda: "\n".join(f"[x{number}]" for number in range(60_000)),
    "a huge string": lambda: 'x = "' + "a" * 990_000 + '"',
    "an open string": lambda: 'x = "' + "a" * 990_000,
    "2 MB": lambda: "#" * 2_000_000,
    "binary": lambda: bytes(range(256)) * 100,
    "UTF-16": lambda: '[store]\npath = "store"\n'.encode("utf-16"),
    "a wrong date": lambda: "x = 2025-02-31",
    "a rule without a metric": lambda: '[[rules]]\nname = "x"\ncheck = "threshold"\n',
    "a folder": "folder",
    "a FIFO": "fifo",
    "nothing": "missing",
}


def put(path, content):
    """Put a file, folder or FIFO in the place of the configuration, or nothing."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    if content == "folder":
        path.mkdir()
    elif content == "fifo":
        os.mkfifo(path)
    elif content != "missing":
        text = content()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def watching(machine):
    machine.healthy("m1", ends=machine.clock.now)
    return machine.watch()


def test_a_file_that_is_no_configuration_keeps_the_old_one_in_force(machine, watching):
    path, kept = machine.home / "modeltop.toml", machine.home / "kept.toml"
    shutil.copy(path, kept)
    for name, content in FILES.items():
        put(path, content)
        before = watching.log.read_text().count("\n")

        def reported(before=before):
            return "the new configuration is not used" in "\n".join(watching.log.read_text().split("\n")[before:])

        watching.process.send_signal(signal.SIGHUP)
        assert wait_until(reported, LONGEST), (name, watching.log.read_text())
        assert watching.process.poll() is None, name
        assert watching.log.read_text().count("\n") == before + 1, (name, watching.log.read_text())
        # The good one in between, so that the same error is reported anew.
        put(path, kept.read_bytes)
        before = watching.log.read_text().count("configuration was reloaded")
        watching.process.send_signal(signal.SIGHUP)

        def is_reloaded(before=before):
            return watching.log.read_text().count("configuration was reloaded") > before

        assert wait_until(is_reloaded, LONGEST), (name, watching.log.read_text())
    put(path, FILES["a FIFO"])
    watching.process.send_signal(signal.SIGHUP)
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: "m1" in machine.hooks["ops"].models(about="metrics"))
    assert "Traceback" not in watching.log.read_text()
