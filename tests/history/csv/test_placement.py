"""Several columns of one metric: each keeps its own values, and one of them is used for the model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv.placement import companion, place
from tests.core.metrics.foreign_names import FOREIGN_NAMES
from tests.core.metrics.test_names import COMPOSED

CATALOG = MetricRegistry()


@pytest.mark.parametrize(
    ("columns", "placed"),
    [
        pytest.param(
            ["val_accuracy", "accuracy"], [("accuracy", "split=val"), ("accuracy", "all")], id="the exact name wins"
        ),
        pytest.param(["val_loss", "train_loss"], [("loss", "all"), ("loss", "split=train")], id="training is apart"),
        pytest.param(["train_loss"], [("loss", "split=train")], id="training is apart even alone"),
        pytest.param(["val_f1"], [("f1_score", "all")], id="validation alone is used for the model"),
        pytest.param(
            ["val_auc", "test_auc", "prod_auc"],
            [("roc_auc", "split=val"), ("roc_auc", "split=test"), ("roc_auc", "all")],
            id="live before test before validation",
        ),
        pytest.param(
            ["f1", "F1 Score", "f1_score"],
            [("f1_score", "column=f1"), ("f1_score", "column=F1 Score"), ("f1_score", "all")],
            id="three spellings",
        ),
        pytest.param(
            ["validation_0-auc", "validation_1-auc"],
            [("roc_auc", "all"), ("roc_auc", "split=val_1")],
            id="two evaluation sets",
        ),
        pytest.param(
            ["neg_log_loss", "log_loss"],
            [("log_loss", "column=neg_log_loss"), ("log_loss", "all")],
            id="negated and not",
        ),
        pytest.param(
            ["precision_class_0", "precision_class_1", "precision_class_1"],
            [("precision", "class=0"), ("precision", "class=1"), ("precision", "column=precision_class_1")],
            id="classes, one of them twice",
        ),
        pytest.param(
            ["estimated_roc_auc", "realized_roc_auc"],
            [("estimated_roc_auc", "all"), ("roc_auc", "all")],
            id="an estimate is another metric",
        ),
        pytest.param(["kpi", "kpi"], [("kpi", "all"), ("kpi", "column=kpi")], id="an unknown name twice"),
    ],
)
def test_no_column_is_merged_with_another(columns, placed):
    assert [(each.metric, each.segment) for each in place(columns, CATALOG)] == placed


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(COMPOSED, st.sampled_from([foreign.written for foreign in FOREIGN_NAMES])), max_size=12))
def test_no_two_columns_have_one_place_whatever_their_names(columns):
    placed = [(each.metric, each.segment) for each in place(columns, CATALOG)]
    assert len(set(placed)) == len(placed) == len(columns)
    for (metric, segment), column in zip(placed, columns, strict=True):
        normalized = CATALOG.normalize(column)
        assert metric == normalized.metric
        assert segment != "all" or not normalized.is_offline


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("val/accuracy__MIN", ("val/accuracy", "low")),
        ("roc_auc_upper_confidence_boundary", ("roc_auc", "high")),
        ("accuracy_upper_threshold", ("accuracy", "aside")),
        ("accuracy_alert", ("accuracy", "aside")),
        ("recall_low", ("recall", "low")),
        ("recall_count", ("recall", "support")),
        ("accuracy", None),
        ("_low", None),
    ],
)
def test_a_column_beside_a_metric_is_told_from_a_metric(written, expected):
    assert companion(written) == expected


WIDE = "date,accuracy,val_accuracy,train_accuracy\n2025-01-01,0.9,0.8,0.99\n2025-01-02,0.91,0.81,0.98\n"
LONG = "date,metric,value\n" + "".join(
    f"2025-01-0{day},{name},{value}\n"
    for day, values in ((1, (0.9, 0.8, 0.99)), (2, (0.91, 0.81, 0.98)))
    for name, value in zip(
        ("val_accuracy", "accuracy", "train_accuracy"), (values[1], values[0], values[2]), strict=True
    )
)
SERIES = {
    "all": [0.9, 0.91],
    "split=val": [0.8, 0.81],
    "split=train": [0.99, 0.98],
}


@pytest.mark.parametrize("text", [pytest.param(WIDE, id="wide"), pytest.param(LONG, id="long")])
def test_the_splits_of_a_metric_are_its_segments_and_that_is_reported_once(history_folder, text):
    history = history_folder.read(text)
    assert {key.segment: series.values.tolist() for key, series in history.series.items()} == SERIES
    assert {key.metric for key in history.series} == {"accuracy"}
    (problem,) = history.problems
    assert "are all accuracy: " in problem.message
    assert "`accuracy` is used for the model" in problem.message
    assert "`train_accuracy` is the segment split=train" in problem.message


@pytest.mark.parametrize(
    ("header", "split"),
    [("epoch,date,accuracy,val_accuracy", "train"), ("date,accuracy,val_accuracy", "val")],
    ids=["a log of Keras has that of the training data", "elsewhere it is that of the model in use"],
)
def test_a_metric_beside_that_of_validation(history_folder, header, split):
    rows = "".join(f"{'1,' * ('epoch' in header)}2025-01-{day:02},0.9{day},0.8{day}\n" for day in range(1, 4))
    history = history_folder.read(f"{header}\n{rows}")
    newest = {key.segment: series.values[-1] for key, series in history.series.items()}
    assert newest == ({"all": 0.83, "split=train": 0.93} if split == "train" else {"all": 0.93, "split=val": 0.83})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("date,neg_log_loss,neg_log_loss_low\n2025-01-01,-0.3,-0.4\n", id="wide"),
        pytest.param("date,metric,value\n2025-01-01,neg_log_loss,-0.3\n", id="long"),
    ],
)
def test_a_negated_loss_is_read_as_the_loss(history_folder, text):
    history = history_folder.read(text)
    (series,) = history.series.values()
    assert (series.key.metric, series.latest, history.problems) == ("log_loss", 0.3, ())
    assert series.high is None or series.high.tolist() == [0.4]


def test_a_positive_value_of_a_negated_loss_is_refused_and_not_negated(history_folder):
    history = history_folder.read("date,neg_log_loss,accuracy\n2025-01-01,0.3,0.9\n")
    assert [key.metric for key in history.series] == ["accuracy"]
    assert "0.3 is not 0 or less" in str(history.problems[0])


def test_a_name_that_comes_later_moves_who_stands_for_the_model(history_folder):
    path = history_folder.write("date,metric,value\n2025-01-01,val_accuracy,0.8\n", "m.csv")
    reader = history_folder.reader(path)
    assert [key.segment for key in reader.read().series] == ["all"]
    with path.open("a") as file:
        file.write("2025-01-01,accuracy,0.9\n")
    history = reader.read()
    assert {key.segment: series.latest for key, series in history.series.items()} == {"split=val": 0.8, "all": 0.9}


def test_each_model_of_the_long_shape_has_its_own_names(history_folder):
    history = history_folder.read("date,model,metric,value\n2025-01-01,a,val_accuracy,0.8\n2025-01-01,b,accuracy,0.9\n")
    assert {key.model: key.segment for key in history.series} == {"a": "all", "b": "all"}
    assert history.problems == ()


def test_the_segment_of_the_row_is_kept_beside_that_of_the_column(history_folder):
    history = history_folder.read("date,segment,accuracy,train_accuracy,count\n2025-01-01,country=DE,0.9,0.99,7\n")
    assert {key.segment: series.rows.tolist() for key, series in history.series.items()} == {
        "country=DE": [7.0],
        "country=DE,split=train": [7.0],
    }


def test_columns_that_tell_about_another_one_and_those_of_a_training_are_no_metrics(history_folder):
    history = history_folder.read("date,epoch,auc,auc_upper_threshold,auc_ci_lower\n2025-01-01,3,0.9,0.95,0.85\n")
    (series,) = history.series.values()
    assert (series.key.metric, series.low.tolist(), series.high) == ("roc_auc", [0.85], None)
    assert ["`epoch`" in str(one) or "`auc_upper_threshold`" in str(one) for one in history.problems] == [True, True]
