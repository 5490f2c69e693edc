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
    """Once to warm up, then in turns."""
    import duckdb

    times: dict[str, list[float]] = {"count": [], "query": []}
    with open_engine() as engine, duckdb.connect() as plain:
        reading = resolve(LogSpec(sources=(path,), threshold=threshold), engine)
        for run in range(runs + 1):
            began = time.perf_counter()
            plain.execute(COUNT.format(path)).fetchall()
            counted = time.perf_counter()
            cells = sum(len(batch) for batch in aggregate(reading, engine))
            ended = time.perf_counter()
            if run:
                times["count"].append(counted - began)
                times["query"].append(ended - counted)
    print(json.dumps(times | {"cells": cells}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:]))
