"""Charts of Weights & Biases as CSV."""

import pytest

from modeltop.history.sources import file_converter, wandb

RUN = '"run-{0} - val/accuracy","run-{0} - val/accuracy__MIN","run-{0} - val/accuracy__MAX"'


def test_a_chart_of_one_run_has_a_column_for_each_metric_without_its_extremes():
    loss = '"run-1 - loss","run-1 - loss__MIN","run-1 - loss__MAX"'
    text = f'"Step",{RUN.format(1)},{loss}\n"0","0.9","0.8","1","0.1","0","1"\n'
    assert file_converter(text.encode()) is wandb.to_csv
    assert wandb.to_csv(text.encode(), "chart.csv") == b"Step,val/accuracy,loss\n0,0.9,0.1\n"


def test_runs_of_one_chart_are_segments(history_folder, values_of):
    rows = '"2025-01-01","0.9","0.9","0.9","","",""\n"2025-01-02","","","","0.8","0.8","0.8"\n'
    values = values_of(history_folder.read(f'"Date",{RUN.format("a - b")},{RUN.format("c")}\n{rows}'))
    assert {(metric, segment): points[0][1] for (_, metric, segment), points in values.items()} == {
        ("accuracy", "run=run-a - b"): 0.9,
        ("accuracy", "run=run-c"): 0.8,
    }


@pytest.mark.parametrize("header", ['"date","team - accuracy"', "date,a - accuracy__MIN", '"date","accuracy__MIN"'])
def test_other_tables_are_not_taken_for_charts(header):
    assert file_converter(header.encode()) is None
