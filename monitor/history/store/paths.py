"""Where the store is, and what kind of disk that is."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path

from modeltop.core.errors import StoreError

MAX_SLUG = 40
"""Most characters of a slug."""

_PART = re.compile(r"(?P<family>[a-z0-9-]+-[0-9a-f]{8})(?:\.(?P<number>[2-9]|[1-9][0-9]{1,8}))?\.csv")


def slug(name: str) -> str:
    """The name in lower-case ASCII letters, digits and hyphens; `model` where nothing of it is left.

    Lower case throughout, so that no two names differ by case alone where the file system does not see it.

    >>> slug("Churn (EU) v2"), slug("../../etc/passwd"), slug("宽")
    ('churn-eu-v2', 'etc-passwd', 'model')
    """
    plain = unicodedata.normalize("NFKD", name[: 8 * MAX_SLUG]).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-") or "model"


def file_prefix(model: str) -> str:
    """What the names of all files of one model begin with: `<slug>-<hash8>`.

    Should two names ever share slug and hash, they share files as well: each row says its model, so nothing mixes.

    >>> file_prefix("churn")
    'churn-88b2072e'
    """
    return f"{slug(model)}-{hashlib.sha256(model.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def part_name(family_name: str, number: int) -> str:
    """The file name of one part, counted from 1.

    >>> part_name("churn-88b2072e", 1), part_name("churn-88b2072e", 2)
    ('churn-88b2072e.csv', 'churn-88b2072e.2.csv')
    """
    return f"{family_name}.csv" if number == 1 else f"{family_name}.{number}.csv"


def parse_part_name(file_name: str) -> tuple[str, int] | None:
    """Family and number of a part; None for any other file.

    >>> parse_part_name("churn-88b2072e.2.csv"), parse_part_name("churn-88b2072e.computed.csv"), parse_part_name("mine.csv")
    (('churn-88b2072e', 2), None, None)
    """
    found = _PART.fullmatch(file_name)
    return (found["family"], int(found["number"] or 1)) if found else None


MOUNTS = Path("/proc/self/mountinfo")

NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "ncpfs", "davfs", "lustre", "ceph"}
    | {f"fuse.{name}" for name in ("sshfs", "s3fs", "gcsfuse", "rclone", "glusterfs", "davfs", "davfs2", "curlftpfs")}
    | {f"fuse.{name}" for name in ("ceph", "ceph-fuse", "juicefs", "smbnetfs")}
)
"""File systems on which another machine may not see a lock, or an append is not one step."""


def default_folder() -> Path:
    """The XDG data folder of modeltop. Raises StoreError where no home folder is known."""
    base = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification tells programs to ignore a relative path.
    if base and Path(base).is_absolute():
        return Path(base) / "modeltop"
    try:
        return Path.home() / ".local" / "share" / "modeltop"
    except RuntimeError:
        raise StoreError("no home folder is known for this user: name the store by --store") from None


def network_filesystem(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the network file system that `path` lies on; None for a local one, or where the system does not say.

    On such a disk locks and appends of other machines are unreliable: each writer needs a store of its own.

    Args:
        path: A file or folder; it need not exist.
        mounts: The table of mounts in the format of Linux, proc(5).
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    target = Path(os.path.realpath(path))
    best, found = -1, ""
    for line in lines:
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        point = Path(_unescaped(fields[4]))
        # Of two mounts on one point the later hides the earlier.
        if len(point.parts) >= best and target.is_relative_to(point):
            best, found = len(point.parts), after.split(" ", 1)[0]
    return found if found in NETWORK_FILESYSTEMS else None


def _unescaped(text: str) -> str:
    r"""The path as it is; the kernel writes space, tab, newline and backslash in octal.

    >>> _unescaped(r"/mnt/my\040disk")
    '/mnt/my disk'
    """
    for code, char in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(code, char)
    return text
