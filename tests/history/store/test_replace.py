"""Replacing a file whole: its permissions, what it is allowed to be, and links."""

import os
import stat

import pytest

from modeltop.core.errors import StoreError
from modeltop.history.store.durable import write_atomically


def test_a_file_is_made_and_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "out.csv"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_stay_as_they_were(tmp_path):
    path = tmp_path / "out.csv"
    path.touch()
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_takes_the_permissions_of_its_folder(tmp_path):
    tmp_path.chmod(0o750)
    write_atomically(tmp_path / "out.csv", b"new")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "real.csv", tmp_path / "out.csv"
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_device_or_a_folder_is_never_replaced_by_a_file(tmp_path, make):
    make(tmp_path / "out.csv")
    before = (tmp_path / "out.csv").stat().st_mode
    with pytest.raises(StoreError, match="is where a file should be: move it away"):
        write_atomically(tmp_path / "out.csv", b"new")
    assert (tmp_path / "out.csv").stat().st_mode == before


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        write_atomically(tmp_path / "none" / "out.csv", b"new")
