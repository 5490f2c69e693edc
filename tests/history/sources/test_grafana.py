"""Exports of Grafana whose columns are called by labels."""

import pytest

WIDE = (
    '"Time","model_accuracy{instance=""a:1"", model=""fraud""}","model_accuracy{model=""churn"", instance=""a:2""}"\n'
    "2025-01-01 00:00:00,0.95,0.91\n"
    "2025-01-02 00:00:00,0.94,\n"
)


def test_each_column_is_the_model_and_metric_of_its_labels(history_folder, values_of):
    values = values_of(history_folder.read(WIDE))
    assert {key[:2]: [value for _, value in points] for key, points in values.items()} == {
        ("fraud", "accuracy"): [0.95, 0.94],
        ("churn", "accuracy"): [0.91],
    }


@pytest.mark.parametrize("start", ["sep=;\r\n", "\ufeff"])
def test_an_export_for_excel_is_read_alike(history_folder, values_of, start):
    text = start + WIDE.replace(",", ";").replace('"";', '"",').replace("\n", "\r\n")
    values = values_of(history_folder.read(text))
    assert {(key[0], len(points)) for key, points in values.items()} == {("fraud", 2), ("churn", 1)}


def test_the_title_of_the_panel_names_what_no_label_names(history_folder, values_of):
    text = 'Time,"{region=""eu""}","{region=""us""}"\n1735689600000,95.0%,91.5%\n1735776000000,94.0%,91.0%\n'
    path = history_folder.write(text, "Accuracy-data-as-joinbyfield-2025-01-31 10_00_00.csv")
    values = values_of(history_folder.reader(path).read())
    assert {key: points[0][1] for key, points in values.items()} == {
        ("Accuracy", "accuracy", "region=eu"): 0.95,
        ("Accuracy", "accuracy", "region=us"): 0.915,
    }
