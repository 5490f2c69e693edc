"""History that is in no file: the CSV text that a service, a pipe or a DataFrame gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import tzinfo
from types import MappingProxyType

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv.dialect import to_utf8
from modeltop.history.csv.layout import DEFAULT_LAYOUT, Layout
from modeltop.history.csv.parser import NOTHING_KNOWN, PriorKnowledge
from modeltop.history.discovery import HistoryFile
from modeltop.history.files import PIPED
from modeltop.history.formats import binary_reason
from modeltop.history.sources import file_converter
from modeltop.history.tables import HEAD_BYTES, lacks_header, read_table, suggested_names
from modeltop.history.tail import Chunk, FileTail, whole

QUICK_RETRIES = 3
"""Failed attempts in a row up to which each read tries again, as it opens a file again; later ones wait."""


def piped_to_csv(data: bytes) -> bytes:
    """Return what came in by standard input as CSV.

    Raises:
        SourceError: It is nothing, no table, or one without a header.
    """
    if not data.strip():
        raise SourceError("nothing came in: try the command in front of the pipe by itself")
    if (convert := file_converter(data)) is not None:
        data = convert(data, PIPED)
    if (reason := binary_reason(data[:HEAD_BYTES], PIPED)) is not None:
        raise SourceError(f"{reason.partition(': ')[0]}: pipe CSV, JSON or Parquet")
    text, _ = to_utf8(data)
    table = read_table(text, PIPED)
    if table is not None and lacks_header(table.names):
        columns = ",".join(suggested_names(table.names))
        raise SourceError(f"no header: name the columns, as in `(echo {columns}; COMMAND) | modeltop check -`")
    return text


class FetchedTail(FileTail):
    """Follower of a text that is fetched whole; after a failure what was fetched before stays.

    Args:
        file: The address, and the model's name if the text has no column for it.
        fetch: Returns the text as CSV, given the address, or raises SourceError.
        interval: Seconds after which to fetch again; by default never.
        catalog: The metrics.
        zone: Time zone of dates that name none.
        aliases: Earlier name of a model → the name it has now.
        layout: The configured layout of the columns.
    """

    def __init__(
        self,
        file: HistoryFile,
        fetch: Callable[[str], bytes],
        *,
        interval: float = math.inf,
        catalog: MetricRegistry,
        zone: tzinfo,
        aliases: Mapping[str, str] = MappingProxyType({}),
        layout: Layout = DEFAULT_LAYOUT,
    ) -> None:
        super().__init__(file, catalog=catalog, zone=zone, aliases=aliases, layout=layout)
        self._fetch = fetch
        self._interval = interval
        self._fetched_at = -math.inf
        self._failures = 0
        self._text = b""

    def is_due(self, now: float) -> bool:
        """Return whether to fetch again `now`, in seconds since 1970; also after the clock was set back."""
        return not 0 <= now - self._fetched_at < self._interval

    def mark_stale(self, known: PriorKnowledge = NOTHING_KNOWN) -> None:
        """Let the next read parse everything anew, knowing this; without it, fetch everything anew."""
        super().mark_stale(known)
        if known == NOTHING_KNOWN:
            self._fetched_at = -math.inf

    def read(self, now: float) -> Chunk | None:
        """Return the text if it has changed; None if not, or if fetching failed: then `problems` gives the reason."""
        if self.is_due(now):
            self._fetch_again(now)
        if self._failures or not self._retry:
            return None
        self._retry = False
        self._start_anew()
        return whole(self._text)

    def _fetch_again(self, now: float) -> None:
        self._fetched_at = now
        try:
            text = self._fetch(self.file.path)
        except SourceError as error:
            self._failures += 1
            if self._failures < QUICK_RETRIES:
                self._fetched_at = -math.inf
            self._fail(error)
            return
        self._retry |= text != self._text or self._failures > 0
        self._text, self._failures = text, 0
