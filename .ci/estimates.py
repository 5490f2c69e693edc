"""Compare the estimates of `compute` without labels with those of NannyML on the data of several classes it ships.

`python .ci/estimates.py LOG` writes that data as a prediction log; `python .ci/estimates.py LOG STORE` ends with 1 if
the estimates in the store lie farther than `LIMIT` from NannyML's for any of ten chunks.
"""

import sys
from pathlib import Path

import nannyml
import pandas as pd

ROWS = 6_000
"""Rows of a chunk."""
LIMIT = 0.005
METRICS = {"accuracy": "", "precision": "_macro", "recall": "_macro", "f1": "_score_macro", "roc_auc": "_macro"}
"""NannyML's metrics, with the end of our name."""

reference, analysis, targets = nannyml.load_synthetic_multiclass_classification_dataset()
if len(sys.argv) == 2:
    pd.concat([reference, analysis.merge(targets, on="id")]).to_csv(sys.argv[1], index=False)
    sys.exit()
scores = {name: f"y_pred_proba_{name}" for name in reference.y_true.unique()}
cbpe = nannyml.CBPE(
    y_pred_proba=scores,
    y_pred="y_pred",
    y_true="y_true",
    problem_type="classification_multiclass",
    metrics=list(METRICS),
    chunk_size=ROWS,
)
theirs = cbpe.fit(reference).estimate(analysis).filter(period="analysis").to_df()
(store,) = Path(sys.argv[2]).glob("*.computed.csv")
ours = pd.read_csv(store).query("segment == 'all'").groupby("date").last().tail(len(theirs))
distances = {
    name: abs(ours[f"estimated_{name}{end}"].to_numpy() - theirs[name, "value"].to_numpy()).max()
    for name, end in METRICS.items()
}
listed = ", ".join(f"{name} {value:.4f}" for name, value in distances.items())
sys.stdout.write(f"estimates, farthest from NannyML: {listed}\n")
sys.exit(int(max(distances.values()) > LIMIT))
