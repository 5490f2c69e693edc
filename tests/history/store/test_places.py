"""Where the store is when nobody says, and on which disks locks cannot be trusted."""

from pathlib import Path

import pytest

from modeltop.core.errors import StoreError
from modeltop.history.store.paths import MOUNTS, default_folder, network_filesystem

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
