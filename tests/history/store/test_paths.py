"""What files of a store are called, where the store is by default, and on which disks locks are unreliable."""

import re
from pathlib import Path

import pytest

from modeltop.core.errors import StoreError
from modeltop.history.store.paths import (
    MOUNTS,
    default_folder,
    file_prefix,
    network_filesystem,
    parse_part_name,
    part_name,
)

TABLE = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /proc rw - proc proc rw
41 22 0:40 / /home rw,relatime shared:5 - nfs4 server:/home rw,vers=4.2
42 41 0:41 / /home/local rw - xfs /dev/vdb rw
43 22 0:42 / /mnt/my\040disk rw shared:7 master:3 - fuse.sshfs me@host:/ rw
44 22 0:43 / /mnt/hidden rw - cifs //server/share rw
45 44 0:44 / /mnt/hidden rw - ext4 /dev/vdc rw
46 22 0:45 / /mnt/back\134slash rw - 9p host rw
short line
47 22 0:46
"""


def test_a_hostile_name_gives_a_plain_file_name(hostile):
    name = part_name(file_prefix(hostile), 1)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}-[0-9a-f]{8}\.csv", name)
    assert parse_part_name(name) == (file_prefix(hostile), 1)


def test_names_that_differ_by_case_alone_differ_where_the_file_system_ignores_case():
    assert file_prefix("Churn").lower() != file_prefix("churn").lower()


def test_names_of_one_slug_are_told_apart_by_the_hash():
    assert len({file_prefix(name) for name in ("a b", "a-b", "a/b", "a\\b", "A B", "a  b")}) == 6


def test_a_name_without_letters_and_an_unwritable_one_still_have_a_file_name():
    assert file_prefix("").startswith("model-")
    assert file_prefix("\ud800").startswith("model-")


def test_parts_are_counted_from_one_and_nothing_else_is_a_part():
    assert [parse_part_name(part_name("churn-0123abcd", n)) for n in (1, 2, 10)] == [
        ("churn-0123abcd", n) for n in (1, 2, 10)
    ]
    strangers = ["churn.csv", "churn-0123abcd.1.csv", "churn-0123abcd.02.csv", "churn-0123abcd.computed.csv", ".lock"]
    assert [parse_part_name(name) for name in strangers] == [None] * 5


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/metrics", None),
        ("/home/ann/metrics", "nfs4"),
        ("/home", "nfs4"),
        ("/homestead", None),
        ("/home/local/metrics", None),
        ("/mnt/my disk/a/b", "fuse.sshfs"),
        ("/mnt/hidden/a", None),
        ("/mnt/back\\slash", "9p"),
    ],
)
def test_the_innermost_mount_tells_the_file_system(tmp_path, path, kind):
    (tmp_path / "mountinfo").write_text(TABLE)
    assert network_filesystem(Path(path), tmp_path / "mountinfo") == kind


def test_a_link_to_another_disk_is_followed(tmp_path):
    (tmp_path / "mountinfo").write_text(TABLE)
    (tmp_path / "link").symlink_to("/home/ann")
    assert network_filesystem(tmp_path / "link" / "metrics", tmp_path / "mountinfo") == "nfs4"


def test_where_the_system_has_no_such_table_nothing_is_said(tmp_path):
    assert network_filesystem(tmp_path, tmp_path / "none") is None


@pytest.mark.skipif(not MOUNTS.exists(), reason="the system has no table of mounts")
def test_the_table_of_this_system_is_understood():
    assert network_filesystem(Path("/proc/self")) is None


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("/data", "/data/modeltop"), ("", "/home/ann/.local/share/modeltop"), ("rel", "/home/ann/.local/share/modeltop")],
)
def test_the_default_is_the_xdg_data_folder(monkeypatch, variable, folder):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_DATA_HOME", variable)
    assert default_folder() == Path(folder)


def test_a_user_without_a_home_is_asked_to_name_a_folder(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(StoreError, match="name the store by --store"):
        default_folder()
