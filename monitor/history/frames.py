"""A pandas DataFrame as history: written as CSV in memory and read as a file is, so that both mean the same."""

from __future__ import annotations

import csv
from datetime import tzinfo
from typing import TYPE_CHECKING

from modeltop.core.errors import UsageError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv.layout import DEFAULT_LAYOUT, Layout
from modeltop.history.discovery import HistoryFile
from modeltop.history.fetched import FetchedTail
from modeltop.history.reader import Reader
from modeltop.history.tail import FileTail

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "DataFrame"
"""What problems name in place of a file."""


class FrameReader(Reader):
    """The history in a DataFrame, which is read once.

    Args:
        frame: Wide or long, with a column or an index of dates.
        model: The model's name if the table has no column for it.
        catalog: The metrics.
        zone: Time zone of dates that name none.
        layout: The configured layout of its columns.

    Raises:
        UsageError: It has no rows, one column, or columns of several levels.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        model: str,
        *,
        catalog: MetricRegistry,
        zone: tzinfo,
        layout: Layout = DEFAULT_LAYOUT,
    ) -> None:
        super().__init__((), catalog=catalog, zone=zone)
        text, file = frame_to_csv(frame), HistoryFile(SOURCE, model, is_explicit=True)
        self._table = FetchedTail(file, lambda _: text, catalog=catalog, zone=zone, layout=layout)

    def _find_tails(self) -> dict[str, FileTail]:
        return {SOURCE: self._table}


def frame_to_csv(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8, with the levels of its index that have a name or hold dates as columns.

    Raises:
        UsageError: It has no rows, one column, or columns of several levels.
    """
    import pandas as pd

    if frame.columns.nlevels > 1:
        raise UsageError(
            "the DataFrame has columns of several levels: give each metric one column, or use the long shape"
        )
    if isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex) and frame.index.name is None:
        frame = frame.rename_axis("date")
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    frame = frame.reset_index(level=levels) if levels else frame.copy(deep=False)
    if frame.empty or len(frame.columns) < 2:
        shape = "no rows" if frame.empty else "one column"
        raise UsageError(f"the DataFrame has {shape}: it needs a date column, a column a metric, and a row a period")
    for position, dtype in enumerate(frame.dtypes):  # by position: two columns may have one name
        column = frame.iloc[:, position]
        if isinstance(dtype, pd.PeriodDtype):
            frame.isetitem(position, column.dt.start_time)
        elif isinstance(dtype, pd.DatetimeTZDtype) and (column.isna() | (column == column.dt.normalize())).all():
            frame.isetitem(position, column.dt.tz_localize(None))  # days, which are called the same in each zone
    text = frame.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # the csv module before Python 3.11.9 leaves a lone CR bare
        text = frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return text.encode("utf-8", "backslashreplace")
