"""Where the evidence of models lies: found and read when somebody asks why, never on the way to the first frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.exhibits import Exhibits

FOLDER = "evidence"


class Shelf(Mapping[str, "Exhibits"]):
    """The evidence of each model of some stores, read when it is asked for, and anew when its file has changed.

    Args:
        places: Stores and other paths; a folder may hold evidence. Of two files for one model the later place's counts.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        self._folders = tuple(place / FOLDER for place in places)
        self._read: dict[Path, tuple[tuple[int, int, int], Exhibits]] = {}

    def __getitem__(self, model: str) -> Exhibits:
        """Costs one `os.stat` a place. Raises KeyError where there is no file."""
        from monitor.store.names import family  # with hashlib: no look at plain files needs it

        name = f"{family(model)}.csv"
        for folder in reversed(self._folders):
            if (found := self._of(folder / name)) is not None:
                return found
        raise KeyError(model)

    def __iter__(self) -> Iterator[str]:
        """None: a file name does not say whose it is, so models are asked about, not listed."""
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return bool(self._folders)

    def _of(self, path: Path) -> Exhibits | None:
        try:
            about = path.stat()
        except OSError:
            return None
        stamp = (about.st_ino, about.st_size, about.st_mtime_ns)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            from monitor.store.exhibits import read  # with the writer's room, whose words it takes

            known = self._read[path] = (stamp, read(path))
        return known[1]
