"""Deterministic prediction logs of any size as Parquet, ordered by time."""

from __future__ import annotations

from pathlib import Path

UNLABELED_EVERY = 10
"""Interval of the rows without a label."""
PRIME = 1_000_003


def write_log(path: Path, rows: int, *, models: int, days: int, features: int = 0) -> None:
    """Write a log: id, model, timestamp, score, prediction, label, country, and features f0, f1, ...

    Args:
        path: The file to write.
        rows: Number of rows.
        models: Number of models, named `model-0` and on, each with about as many rows.
        days: Number of days from 2025-01-01 on.
        features: Number of numeric columns; in every tenth the later half of the days is shifted a little.
    """
    import duckdb

    step = days * 86_400_000_000
    feature_columns = "".join(f", {_feature(number, rows)} f{number}" for number in range(features))
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '2GB'; SET preserve_insertion_order = true")
        connection.execute(f"""
            COPY (
              WITH drawn AS (
                SELECT i, {_uniform(7, 1)} u, {_uniform(13, 5)} v, {_uniform(31, 9)} w FROM range({rows}) AS t(i)
              ), scored AS (SELECT *, CASE WHEN w < 0.3 THEN u * u * u ELSE u END s FROM drawn)
              SELECT 'p' || i id, 'model-' || (hash(i * 3) % {models}) model,
                TIMESTAMP '2025-01-01' + to_microseconds((i::HUGEINT * {step} // {rows})::BIGINT) AS timestamp,
                round(s, 6)::DOUBLE score, (s >= 0.5)::INT prediction,
                CASE WHEN i % {UNLABELED_EVERY} = 0 THEN NULL ELSE (v < s)::INT END AS label,
                ['de', 'fr', 'uk'][1 + i % 3] country {feature_columns}
              FROM scored
            ) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 122880)
        """)


def _uniform(factor: int, offset: int) -> str:
    return f"hash(i * {factor} + {offset}) % {PRIME} / {PRIME}.0"


def _feature(number: int, rows: int) -> str:
    """Return SQL of an approximately normal number: the sum of three uniform ones."""
    terms = " + ".join(_uniform(97 + 2 * number, 1_000 * term + number) for term in range(3))
    return f"({terms} + {0.3 if number % 10 == 0 else 0.0} * (i > {rows // 2})::INT)::DOUBLE"
