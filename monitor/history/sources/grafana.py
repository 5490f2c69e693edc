"""CSV that Grafana exports of a panel: a column for each series, called by its labels: `accuracy{model="churn"}`."""

from __future__ import annotations

import csv
import io
import re

from modeltop.core.errors import SourceError
from modeltop.history.csv.dialect import sniff_delimiter, to_utf8
from modeltop.history.sources import stem_of
from modeltop.history.sources.prometheus import MODEL_LABELS, Samples, as_csv

_SERIES = re.compile(r"(?P<name>[\w:]*)\{(?P<labels>.*)\}", re.DOTALL)
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:\\.|[^"\\])*)"')
_EXPORTED = re.compile(r"-data(?:-as-\w+)?-\d{4}-\d\d-\d\d.*")
"""What Grafana puts behind the title of a panel in the name of its file."""


def to_csv(data: bytes, path: str) -> bytes:
    """Return an export as CSV: date, model, segment, metric, value.

    Args:
        data: The file.
        path: The file, as a person named it; the title of the panel in it names what no label names.

    Raises:
        SourceError: It cannot be split into cells.
    """
    text = re.sub(r"^sep=.\r?\n", "", to_utf8(data)[0].decode("utf-8", "replace"))
    delimiter = sniff_delimiter(text.partition("\n")[0])
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise SourceError(f"this export of Grafana is damaged ({error}): export it again") from error
    title = _EXPORTED.sub("", stem_of(path.rpartition("/")[2]))
    series: list[Samples] = []
    for index, name in enumerate(header[1:], start=1):
        labels = _labels(name, title)
        series.append(Samples(labels, [(row[0], row[index]) for row in rows if len(row) > index and row[index]]))
    return as_csv(series)


def _labels(column: str, title: str) -> dict[str, str]:
    match = _SERIES.fullmatch(column.strip())
    labels = dict(_LABEL.findall(match["labels"])) if match else {}
    if not any(labels.get(label) for label in MODEL_LABELS):
        labels["model"] = title
    return labels | {"__name__": (match["name"] if match else column.strip()) or title}
