"""The location of a store, the names of its files, and the kind of disk it is on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from modeltop.core.errors import StoreError
from modeltop.history.files import xdg_folder

MAX_SLUG = 40
STATE_FOLDER = "state"
"""Name of the folder of the event log within a store."""
LEADER_LOCK = "watch.lock"
"""Name in that folder of the file whose lock permits sending. Never deleted or replaced: all must wait for the same."""

COMPUTE_POINTER = ".computing/commit"
"""The file that names what `compute` is about to put in place; see `modeltop.history.store.generation`."""

_PART = re.compile(r"(?P<prefix>[a-z0-9-]+-[0-9a-f]{8})(?:\.(?P<number>[2-9]|[1-9][0-9]{1,8}))?\.csv")


def slug(name: str) -> str:
    """Return the name in lower-case ASCII letters, digits and hyphens; `model` if no characters are left.

    Lower case throughout, because on some file systems names that differ only in case are the same file.

    >>> slug("Churn (EU) v2"), slug("../../etc/passwd"), slug("宽")
    ('churn-eu-v2', 'etc-passwd', 'model')
    """
    import unicodedata

    plain = unicodedata.normalize("NFKD", name[: 8 * MAX_SLUG]).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-") or "model"


def file_prefix(model: str) -> str:
    """Return what the names of all files of one model start with: `<slug>-<8 hexadecimal digits of SHA-256>`.

    Should two names ever share slug and hash, they share files as well: each row names its model, so nothing mixes.

    >>> file_prefix("churn")
    'churn-88b2072e'
    """
    import hashlib  # late: a start without a store does without OpenSSL

    return f"{slug(model)}-{hashlib.sha256(model.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def part_name(prefix: str, number: int) -> str:
    """Return the file name of one part, counted from 1; the first has no number in it."""
    return f"{prefix}.csv" if number == 1 else f"{prefix}.{number}.csv"


def parse_part_name(file_name: str) -> tuple[str, int] | None:
    """Return prefix and number of a part; None for any other file.

    >>> parse_part_name("churn-88b2072e.2.csv"), parse_part_name("churn-88b2072e.computed.csv")
    (('churn-88b2072e', 2), None)
    """
    match = _PART.fullmatch(file_name)
    return (match["prefix"], int(match["number"] or 1)) if match else None


def is_store(folder: Path) -> bool:
    """Return whether a folder holds the files of a model as only a store names them, or an event log."""
    names, state = _names(folder), folder / STATE_FOLDER
    return any(_PART.fullmatch(name.replace(".computed", "")) for name in names) or (
        STATE_FOLDER in names and any(name.startswith(("journal.", LEADER_LOCK)) for name in _names(state))
    )


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  quick
    except (OSError, ValueError):
        return []


def default_folder() -> Path:
    """Return the folder of the store when none is configured.

    Raises:
        StoreError: No home folder is known.
    """
    try:
        return xdg_folder("data")
    except RuntimeError:
        raise StoreError("no home folder is known for this user: name the store by --store") from None


MOUNTS = Path("/proc/self/mountinfo")

NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "ncpfs", "davfs", "lustre", "ceph"}
    | {f"fuse.{name}" for name in ("sshfs", "s3fs", "gcsfuse", "rclone", "glusterfs", "davfs", "davfs2", "curlftpfs")}
    | {f"fuse.{name}" for name in ("ceph", "ceph-fuse", "juicefs", "smbnetfs")}
)
"""File systems on which another machine may not see a lock, or an append is not one step."""


def network_filesystem(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the network file system that `path` lies on; None for a local or an unknown one.

    On such a disk locks and appends of other machines are unreliable: each writer needs a store of its own. `mounts` is
    the table of mounts in the format of Linux, proc(5); the path need not exist.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    target = Path(os.path.realpath(path))
    depth, filesystem = -1, ""
    for line in lines:
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        mount_point = Path(_unescape(fields[4]))
        # Of two mounts on one point the later hides the earlier.
        if len(mount_point.parts) >= depth and target.is_relative_to(mount_point):
            depth, filesystem = len(mount_point.parts), after.split(" ", 1)[0]
    return filesystem if filesystem in NETWORK_FILESYSTEMS else None


def _unescape(text: str) -> str:
    r"""Return a path in which the kernel wrote space, tab, newline and backslash in octal.

    >>> _unescape(r"/mnt/my\040disk")
    '/mnt/my disk'
    """
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def uncommitted_files(folder: str | os.PathLike[str]) -> Mapping[str, str | None]:
    """Return what a killed `compute` has not put in place, for one system call if there is none.

    Returns:
        Name of a file within the store → that of its new content; None if it is removed.
    """
    if not os.path.lexists(os.path.join(folder, COMPUTE_POINTER)):  # noqa: PTH118  quick
        return {}
    from modeltop.history.store.generation import read_uncommitted  # late: a start does without

    return read_uncommitted(Path(folder))
