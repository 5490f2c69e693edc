"""Prediction logs of any size as Parquet, in the order of time, the same rows every time."""

from __future__ import annotations

from pathlib import Path

UNLABELLED = 10
"""One row in so many has no label."""
PRIME = 1_000_003


def write_log(path: Path, rows: int, *, models: int, days: int, features: int = 0) -> None:
    """Write a log: id, model, timestamp, score, prediction, label, country, and features f0, f1, ...

    Args:
        path: The file to write.
        rows: How many.
        models: Names `model-0` and on, each with about as many rows.
        days: From 2025-01-01 on.
        features: Numeric columns; the later of two halves of the days is shifted a little in every tenth.
    """
    import duckdb

    step = days * 86_400_000_000
    more = "".join(f", {_feature(number, rows)} f{number}" for number in range(features))
    with duckdb.connect() as made:
        made.execute("SET memory_limit = '2GB'; SET preserve_insertion_order = true")
        made.execute(f"""
            COPY (
              WITH drawn AS (
                SELECT i, {_uniform(7, 1)} u, {_uniform(13, 5)} v, {_uniform(31, 9)} w FROM range({rows}) AS t(i)
              ), scored AS (SELECT *, CASE WHEN w < 0.3 THEN u * u * u ELSE u END s FROM drawn)
              SELECT 'p' || i id, 'model-' || (hash(i * 3) % {models}) model,
                TIMESTAMP '2025-01-01' + to_microseconds((i::HUGEINT * {step} // {rows})::BIGINT) AS timestamp,
                round(s, 6)::DOUBLE score, (s >= 0.5)::INT prediction,
                CASE WHEN i % {UNLABELLED} = 0 THEN NULL ELSE (v < s)::INT END AS label,
                ['de', 'fr', 'uk'][1 + i % 3] country {more}
              FROM scored
            ) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 122880)
        """)


def _uniform(factor: int, offset: int) -> str:
    return f"hash(i * {factor} + {offset}) % {PRIME} / {PRIME}.0"


def _feature(number: int, rows: int) -> str:
    """About normal: the sum of three uniform numbers."""
    parts = " + ".join(_uniform(97 + 2 * number, 1_000 * part + number) for part in range(3))
    return f"({parts} + {0.3 if number % 10 == 0 else 0.0} * (i > {rows // 2})::INT)::DOUBLE"
