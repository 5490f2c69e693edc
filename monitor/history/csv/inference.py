"""What the columns of a file hold, decided by all of their cells, never by a single one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv.header import CsvSchema


def infer_schema(
    schema: CsvSchema,
    rows: Sequence[Sequence[str]],  # noqa: ARG001  formats, and the columns that tell rows apart, come here
    *,
    catalog: MetricRegistry,  # noqa: ARG001
    zone: tzinfo,  # noqa: ARG001
) -> CsvSchema:
    """Return the schema of a file by its header and by its rows.

    Args:
        schema: By the header alone.
        rows: One or more, each with as many cells as the header; of a very long file the first ones.
        catalog: The metrics, with their bounds and other names.
        zone: Time zone of dates that name none.

    Raises:
        SourceError: The rows contradict the header in a way that leaves nothing to read.
    """
    return schema
