"""Prediction log → tally: what the log says, which engine reads it, and the one expression that both engines run.

The way through the room::

    log.Log(sources=...)                                  what was asked for
    engine.open_engine("duckdb") -> Engine                a context manager; `spark://…`, `local[2]` for Spark
    inspect.inspect(log, engine) -> Reading               every part known; guesses in `reading.said`
    read.read(reading, engine, since=None, until=None, progress=None) -> Iterator[Cells]
    read.reference(reading, engine, progress=None) -> Iterator[Cells]     one cell a model and segment
    features.features(reading, engine, since=None, progress=None) -> Iterator[Cells]    one model and feature a batch
    periods.parse(code, timezone) -> Period               `.starts`, `.end(start)`

Cells come in the order of model, then period, in batches of some hundred; a batch never splits a period of a
model. Times are `datetime64[us]` in UTC, the start of the period. All raise `modeltop.core.errors.SourceError`.
"""
