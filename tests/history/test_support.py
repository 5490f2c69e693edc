"""The row count is the support of metrics that rest on all rows, and of no other."""

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.history.reader import Reader


def test_rows_are_the_support_of_accuracy_but_not_of_recall(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("date,count,accuracy,recall,recall_count\n2025-01-01,100,0.9,0.8,\n2025-01-02,50,0.9,0.8,7\n")
    series = Reader([str(path)], catalog=MetricRegistry()).read().series
    assert series[SeriesKey("m", "accuracy")].support.tolist() == [100, 50]
    assert str(series[SeriesKey("m", "recall")].support.tolist()) == "[nan, 7.0]"
    assert series[SeriesKey("m", "recall")].rows.tolist() == [100, 50]


def test_a_support_of_its_own_goes_before_the_rows(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("date,count,accuracy,accuracy_count\n2025-01-01,100,0.9,60\n2025-01-02,50,0.9,\n")
    series = Reader([str(path)], catalog=MetricRegistry()).read().series
    assert series[SeriesKey("m", "accuracy")].support.tolist() == [60, 50]
