"""A report of Evidently is one period."""

import json

import pytest

OLD = {
    "version": "0.4.2",
    "timestamp": "2025-01-31 00:00:00",
    "metrics": [
        {
            "metric": "ClassificationQualityMetric",
            "result": {"current": {"accuracy": 0.8, "f1": 0.78}, "reference": {"accuracy": 0.9}},
        },
        {
            "metric": "DatasetDriftMetric",
            "result": {"drift_share": 0.5, "share_of_drifted_columns": 0.25, "dataset_drift": False},
        },
        {
            "metric": "ColumnDriftMetric",
            "result": {"column_name": "age", "stattest_threshold": 0.1, "drift_score": 0.3},
        },
        {
            "metric": "DataDriftTable",
            "result": {"drift_by_columns": {"income": {"stattest_name": "K-S p_value", "drift_score": 0.02}}},
        },
    ],
}
NEW = {
    "metrics": [
        {
            "id": "a",
            "metric_name": "Accuracy(probas_threshold=None)",
            "config": {"type": "evidently:metric_v2:Accuracy"},
            "value": 0.8,
        },
        {
            "metric_name": "DriftedColumnsCount(drift_share=0.5)",
            "config": {"type": "evidently:metric_v2:DriftedColumnsCount"},
            "value": {"count": 1.0, "share": 0.25},
        },
        {"metric_id": "ValueDrift(column=age)", "value": 0.3},
        {"metric_name": "ValueDrift(column=income,method=K-S p_value,threshold=0.05)", "value": 0.02},
    ],
    "tests": [],
}


@pytest.fixture
def read(history_folder):
    """Return a function that reads documents as files, by name, and returns the newest values with their dates."""

    def call(**documents):
        paths = [history_folder.write(json.dumps(each), f"{name}.json") for name, each in documents.items()]
        history = history_folder.reader(*paths).read()
        found = {
            (key.model, key.segment, key.metric): (str(series.times[-1])[:10], series.values[-1])
            for key, series in history.series.items()
        }
        return found, [each.message for each in history.problems if each.fatal]

    return call


def test_a_report_before_version_0_7_is_its_current_values(read):
    found, problems = read(report=OLD)
    assert problems == []
    assert found["report", "all", "accuracy"] == ("2025-01-31", 0.8)
    assert found["report", "all", "f1_score"] == ("2025-01-31", 0.78)
    assert found["report", "all", "drifted_share"] == ("2025-01-31", 0.25)
    assert found["report", "feature=income", "p_value"] == ("2025-01-31", 0.02)
    scores = {segment: value for (_, segment, metric), (_, value) in found.items() if metric == "drift_score"}
    assert scores == {"feature=age": 0.3}
    assert not any("threshold" in metric or "reference" in metric for _, _, metric in found)


def test_a_report_of_version_0_7_has_its_date_in_the_name_of_the_file(read):
    found, problems = read(**{"churn-2025-01-30": NEW, "churn_20250131": NEW})
    assert problems == []
    assert found["churn", "all", "accuracy"] == ("2025-01-31", 0.8)
    assert {model for model, _, _ in found} == {"churn"}
    assert found["churn", "all", "drifted_share"] == ("2025-01-31", 0.25)
    assert found["churn", "feature=age", "drift_score"] == ("2025-01-31", 0.3)
    assert found["churn", "feature=income", "p_value"] == ("2025-01-31", 0.02)


def test_a_report_without_a_date_is_answered_with_where_to_write_it(read):
    _, problems = read(report=NEW)
    assert problems == ["an Evidently report without a date: add it to the file's name, such as churn-2025-01-31.json"]


def test_a_report_without_a_number_is_no_history(read):
    _, problems = read(report={**OLD, "metrics": [{"metric": "X", "result": {"note": "x", "rows": []}}]})
    assert problems == ["an Evidently report without a number: add metrics such as Accuracy() to the report"]
