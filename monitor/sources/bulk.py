"""Many files at once: those with equal headers are parsed as one text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import tzinfo

from monitor.errors import SourceError
from monitor.metrics.base import Catalog
from monitor.sources.dialect import delimiter_of
from monitor.sources.fast_csv import BLOCK_BYTES, Text, parse
from monitor.sources.follow import Follower, Piece
from monitor.sources.header import Layout, read_header


class Bulk:
    """Gathers what was read of many files, and hands it over a few megabytes at a time.

    Args:
        now: Seconds since 1970.
        catalog: The metrics.
        zone: Holds for dates that name none.
    """

    def __init__(self, now: float, *, catalog: Catalog, zone: tzinfo) -> None:
        self.now = now
        self.catalog = catalog
        self.zone = zone
        self._layouts: dict[bytes, Layout | None] = {}
        self._waiting: dict[bytes, list[tuple[Follower, Piece]]] = defaultdict(list)
        self._bytes = 0

    def add(self, follower: Follower, piece: Piece) -> None:
        """Take a piece in, now or with others like it."""
        header = piece.lines[: piece.lines.find(b"\n") + 1]
        if not piece.whole or not header or len(piece.lines) > BLOCK_BYTES or self._layout(header) is None:
            follower.take(piece, self.now)
            return
        self._waiting[header].append((follower, piece))
        self._bytes += len(piece.lines)
        if self._bytes >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand over what still waits."""
        for header, members in self._waiting.items():
            layout = self._layout(header)
            if layout is not None:
                self._hand_over(layout, len(header), members)
        self._waiting.clear()
        self._bytes = 0

    def _hand_over(self, layout: Layout, start: int, members: Sequence[tuple[Follower, Piece]]) -> None:
        texts = [Text(follower.file.model, piece.lines[start:]) for follower, piece in members]
        results = parse(texts, layout, catalog=self.catalog, zone=layout.zone(self.zone))
        for (follower, piece), parsed in zip(members, results, strict=True):
            if parsed is not None:
                follower.parser.begin(layout)
            follower.take(piece, self.now, parsed)

    def _layout(self, header: bytes) -> Layout | None:
        """The layout of a header line; None where only the tolerant reader knows what to make of it."""
        if header not in self._layouts:
            self._layouts[header] = _plain_layout(header, self.catalog)
        return self._layouts[header]


def _plain_layout(header: bytes, catalog: Catalog) -> Layout | None:
    try:
        text = header.decode("utf-8").rstrip("\r\n")
        delimiter = delimiter_of(text)
        return None if '"' in text or "\r" in text else read_header(text.split(delimiter), delimiter, catalog)
    except (UnicodeDecodeError, SourceError):
        return None
