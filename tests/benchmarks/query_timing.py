"""Times a plain count of a log and the query of `compute`, in a process of its own.

`python -m tests.benchmarks.query_timing FILE RUNS [THRESHOLD]` prints both in seconds as JSON, the runs interleaved;
with a threshold, which overrules the predictions, these are not read.
"""

import json
import sys
import time

from modeltop.predictions.engines.base import open_engine
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

COUNT = "SELECT model, CAST(timestamp AS DATE) AS day, count(*) FROM read_parquet('{}') GROUP BY ALL"


def main(path: str, runs: int, threshold: float | None = None) -> None:
    """Run both alternately, once to warm up and then `runs` times."""
    import duckdb

    timings: dict[str, list[float]] = {"count": [], "query": []}
    with open_engine() as engine, duckdb.connect() as connection:
        log = resolve(LogSpec(sources=(path,), threshold=threshold), engine)
        for run in range(runs + 1):
            started_at = time.perf_counter()
            connection.execute(COUNT.format(path)).fetchall()
            counted_at = time.perf_counter()
            cells = sum(len(batch) for batch in aggregate(log, engine))
            queried_at = time.perf_counter()
            if run:
                timings["count"].append(counted_at - started_at)
                timings["query"].append(queried_at - counted_at)
    print(json.dumps(timings | {"cells": cells}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:]))
