"""CSV that Weights & Biases exports of a chart: for each run and metric `RUN - METRIC`, and its extremes."""

from __future__ import annotations

import csv
import io

from modeltop.core.errors import SourceError
from modeltop.history.csv.dialect import to_utf8

_EXTREMES = ("__MIN", "__MAX")
"""Ends of the columns of the smallest and the largest value that a point of the chart represents: no interval."""
_BETWEEN = " - "


def to_csv(data: bytes, path: str) -> bytes:
    """Return an export as CSV: its first column, segment, metric, value; of one run a column for each metric.

    Args:
        data: The file.
        path: The file, as a person named it.

    Raises:
        SourceError: It cannot be split into cells.
    """
    del path
    try:
        header, *rows = csv.reader(io.StringIO(to_utf8(data)[0].decode("utf-8", "replace"), newline=""))
    except csv.Error as error:
        raise SourceError(f"this export of Weights & Biases is damaged ({error}): export it again") from error
    columns: list[tuple[int, str, str]] = []
    for index, name in enumerate(header):
        run, mark, metric = name.rpartition(_BETWEEN)
        if index and mark and not name.endswith(_EXTREMES):
            columns.append((index, run, metric))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if len({run for _, run, _ in columns}) == 1:
        writer.writerow([header[0], *(metric for *_, metric in columns)])
        writer.writerows([row[0], *(row[index] for index, *_ in columns)] for row in rows if len(row) == len(header))
        return text.getvalue().encode()
    writer.writerow([header[0], "segment", "metric", "value"])
    for index, run, metric in columns:
        writer.writerows(
            [row[0], f"run={run}", metric, row[index]] for row in rows if len(row) == len(header) and row[index]
        )
    return text.getvalue().encode()
