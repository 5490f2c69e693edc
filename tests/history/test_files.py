"""States of files, ranges of bytes, and the folders of the XDG specification."""

import os
from pathlib import Path

import pytest

from modeltop.history.files import file_stat, read_range, xdg_folder


def test_a_state_changes_with_the_file_and_is_none_where_there_is_none(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("a")
    before = file_stat(path)
    assert before == file_stat(str(path))
    path.write_text("ab")
    assert file_stat(path) != before
    assert file_stat(tmp_path / "missing") is None
    assert file_stat("a\0b") is None


def test_a_range_ends_where_the_file_does(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDONLY)
    assert read_range(descriptor, 2, 5) == b"234"
    assert read_range(descriptor, 8, 100) == b"89"
    assert read_range(descriptor, 5, 2) == b""
    os.close(descriptor)


@pytest.mark.parametrize(
    ("kind", "default"),
    [("config", ".config"), ("data", ".local/share"), ("state", ".local/state"), ("cache", ".cache")],
)
def test_a_folder_is_where_the_variable_points_unless_it_is_relative(monkeypatch, kind, default):
    monkeypatch.setenv("HOME", "/home/ann")
    variable = f"XDG_{kind.upper()}_HOME"
    assert xdg_folder(kind, {variable: "/elsewhere"}) == Path("/elsewhere/modeltop")
    assert xdg_folder(kind, {variable: "relative"}) == Path("/home/ann") / default / "modeltop"
    assert xdg_folder(kind, {}) == Path("/home/ann") / default / "modeltop"
