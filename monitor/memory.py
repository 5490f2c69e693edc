"""What a look remembers beside the data: the journal, and how the watcher is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import StoreError
from monitor.facts import Facts, Health
from monitor.journal.places import state_folder
from monitor.sources.state import State, state_of

if TYPE_CHECKING:
    from monitor.journal.journal import Journal


class Memory:
    """Reads what people did and what the watcher said of itself; never in the way of a look at the data.

    Args:
        folder: Where the journal is, or will be; None where there is no place for one.
        health: Reads how the watcher of that folder is.
        trouble: Why there is no folder.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        health: Callable[[Path], Health | None] = lambda _: None,
        trouble: str = "there is no folder to remember it in",
    ) -> None:
        self.folder = folder
        self.trouble = "" if folder is not None else trouble
        self._health = health
        self._there = False

    @cached_property
    def journal(self) -> Journal | None:
        """Where what people do is written; None where there is no place for it."""
        if self.folder is None:
            return None
        from monitor.journal.journal import Journal  # the first frame of plain files has nothing to remember

        return Journal(self.folder)

    def facts(self) -> Facts:
        """All that the journal says; nothing while nobody has ever written one."""
        self._there = self._exists()
        return self.journal.facts() if self._there and self.journal else Facts()

    def health(self) -> Health | None:
        """How the watcher was at the end of its last cycle."""
        return self._health(self.folder) if self._there and self.folder else None

    def changed(self) -> bool:
        """Whether `facts` could say anything else; costs at most three `os.stat`."""
        exists = self._exists()
        return exists != self._there or (exists and self.journal is not None and self.journal.changed())

    def seen(self) -> dict[str, State | None]:
        """How the files that grow stood."""
        if self.folder is None:
            return {}
        folder = os.fspath(self.folder)
        return dict(self.journal.seen()) if self._there and self.journal else {folder: state_of(folder)}

    def _exists(self) -> bool:
        return self.folder is not None and self.folder.is_dir()


def memory_of(
    store: Path | None, paths: Sequence[Path], *, health: Callable[[Path], Health | None] = lambda _: None
) -> Memory:
    """The memory of a store, or of plain paths; one that keeps nothing, and says why, where there is no place."""
    try:
        return Memory(state_folder(store, paths), health=health)
    except StoreError as error:
        return Memory(health=health, trouble=str(error))
