"""Files packed by gzip: whatever is in them is read as if it were not packed."""

from __future__ import annotations

import zlib

from modeltop.core.errors import SourceError
from modeltop.history.files import MAX_BYTES, TooLargeError
from modeltop.history.sources import file_converter

GZIP = 31
"""The `wbits` of zlib for the gzip format alone."""


def to_csv(data: bytes, path: str) -> bytes:
    """Return what a gzip file holds, as CSV.

    Args:
        data: The file; of several members in a row, as `cat a.gz b.gz` makes them, all are read.
        path: The file, as a person named it.

    Raises:
        SourceError: It is damaged, cut off, or packed twice.
        TooLargeError: It is larger than `MAX_BYTES` when unpacked.
    """
    content = unpack(data)
    if content.startswith(b"\x1f\x8b"):
        raise SourceError("this file is packed twice by gzip: unpack it once with `gunzip`")
    convert = file_converter(content)
    return content if convert is None else convert(content, path)


def unpack(data: bytes) -> bytes:
    """Return the content of a gzip file; raises as `to_csv` does."""
    parts: list[bytes] = []
    size = 0
    while data.startswith(b"\x1f\x8b"):  # what follows the last member is padding
        member = zlib.decompressobj(wbits=GZIP)
        try:
            parts.append(member.decompress(data, MAX_BYTES - size + 1))
        except zlib.error:
            raise SourceError("this gzip file is damaged: copy or write it again") from None
        size += len(parts[-1])
        if size > MAX_BYTES:
            limit = f"{MAX_BYTES // 2**20} MB"
            raise TooLargeError(f"unpacked, this gzip file has more than {limit}: split it, or aggregate it by period")
        if not member.eof:
            raise SourceError("this gzip file is cut off: copy or write it again")
        data = member.unused_data
    return b"".join(parts)


def unpack_head(head: bytes) -> bytes:
    """Return the start of what a gzip file holds, from the start of the file; of other files the same bytes."""
    try:
        return zlib.decompressobj(wbits=GZIP).decompress(head, len(head)) if head.startswith(b"\x1f\x8b") else head
    except zlib.error:
        return head
