"""Sums of predicted numbers against plain numpy over the same rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.predictions.engines.base import open_engine
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec, Task

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


def expected_sums(prediction, label):
    error = prediction - label
    relative = np.abs(error[label != 0] / label[label != 0])
    return {
        "absolute": np.abs(error).sum(),
        "squared": (error**2).sum(),
        "fourth": (error**4).sum(),
        "spread": ((label - label.mean()) ** 2).sum() if len(label) else 0.0,
        "relative": relative.sum(),
        "relative2": (relative**2).sum(),
    }


@settings(max_examples=25)
@given(st.lists(st.tuples(NUMBERS, st.one_of(st.none(), NUMBERS)), min_size=1, max_size=30))
def test_errors_add_up(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("log") / "r.csv"
    lines = [f"2025-01-01,{prediction},{'' if label is None else label}" for prediction, label in rows]
    path.write_text("\n".join(["timestamp,prediction,label", *lines]) + "\n")
    with open_engine() as engine:
        log = resolve(LogSpec(sources=(str(path),), task=Task.REGRESSION), engine)
        (batch,) = list(aggregate(log, engine))
    prediction, label = np.array([row for row in rows if row[1] is not None]).reshape(-1, 2).T
    sums = batch.aggregate
    assert (sums.count[0], sums.unlabelled[0]) == (len(label), len(rows) - len(label))
    assert sums.nonzero[0] == (label != 0).sum()
    for name, expected in expected_sums(prediction, label).items():
        np.testing.assert_allclose(getattr(sums, name)[0], expected, rtol=1e-9, atol=1e-6, err_msg=name)
