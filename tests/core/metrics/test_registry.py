"""The table of metrics: what each name stands for, which way is better, what it rests on."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.metrics import registry
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Direction

CATALOG = MetricRegistry()
HIGHER, LOWER, NEITHER = Direction.HIGHER, Direction.LOWER, Direction.NEITHER


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("f1", "f1_score"),
        ("F1-Score", "f1_score"),
        ("auc", "roc_auc"),
        ("ROC AUC", "roc_auc"),
        ("confidence", "avg_confidence"),
        ("brier", "brier_score"),
        ("LogLoss", "log_loss"),
        ("tpr", "recall"),
        ("CTR", "click_through_rate"),
        ("NDCG@10", "ndcg_at_10"),
        ("ndcg_at_010", "ndcg_at_10"),
        ("top5_accuracy", "accuracy_at_5"),
        ("hit_ratio@3", "hit_rate_at_3"),
        ("macro-F1", "f1_score_macro"),
        ("recall_weighted", "recall_weighted"),
        ("My KPI", "My KPI"),
        ("my_kpi@10", "my_kpi@10"),
        ("", ""),
        ("@5", "@5"),
    ],
)
def test_a_metric_answers_to_its_aliases_and_a_foreign_one_keeps_its_spelling(written, name):
    assert CATALOG.canonical(written) == name
    assert CATALOG.get(written).name == name


@pytest.mark.parametrize(
    ("better", "names"),
    [
        (HIGHER, "accuracy precision recall f1_score mcc roc_auc average_precision ndcg_at_5 mrr map hit_rate r2"),
        (LOWER, "log_loss brier_score expected_calibration_error mae rmse mape fpr error_rate latency_p95_ms"),
        (NEITHER, "avg_confidence label_rate positive_rate bias throughput my_kpi"),
    ],
)
def test_every_metric_knows_which_way_is_better(better, names):
    assert {CATALOG.get(name).better for name in names.split()} == {better}


@pytest.mark.parametrize(
    ("name", "support", "proportion"),
    [
        pytest.param("accuracy", "rows", True, id="a share of all rows"),
        pytest.param("label_rate", "rows", True, id="the same of labels"),
        pytest.param("avg_confidence", "rows", False, id="a mean over all rows"),
        pytest.param("precision", None, True, id="a share of predicted positives"),
        pytest.param("recall", None, True, id="a share of positives"),
        pytest.param("f1_score", None, False, id="no share of anything"),
        pytest.param("roc_auc", None, False, id="over pairs"),
        pytest.param("hit_rate_at_10", "rows", True, id="a query is a hit or not"),
        pytest.param("recall_at_10", None, False, id="a mean over queries"),
        pytest.param("macro_recall", None, False, id="a mean over classes"),
        pytest.param("macro_accuracy", None, False, id="even where the metric itself is a share of rows"),
        pytest.param("my_kpi", None, False, id="unknown"),
    ],
)
def test_the_row_count_is_the_support_of_no_metric_that_rests_on_fewer(name, support, proportion):
    metric = CATALOG.get(name)
    assert (metric.support, metric.proportion) == (support, proportion)


def test_precision_recall_and_f1_are_drawn_together_and_beside_what_was_estimated():
    family = CATALOG.get("f1").family
    realised = {"precision", "recall", "f1_score"}
    drawn = {metric.name for metric in registry._METRICS.values() if metric.family == family}
    assert drawn == realised | {f"estimated_{name}" for name in realised}


def test_the_configuration_changes_known_metrics_and_teaches_new_ones():
    catalog = MetricRegistry(
        {"f1": {"digits": 4}, "My KPI": {"better": LOWER, "aliases": ("cost per lead",)}, "ndcg": {"better": LOWER}}
    )
    assert catalog.get("f1_score") == Metric(**{**_fields(CATALOG.get("f1")), "digits": 4})
    assert catalog.get("Cost-Per-Lead") is catalog.get("My KPI")
    assert catalog.get("My KPI").better is LOWER
    assert catalog.get("ndcg@5").better is LOWER, "a cut takes after its base as configured"
    assert CATALOG.get("My KPI").better is NEITHER, "another catalog hears nothing of it"


def _fields(metric):
    return {name: getattr(metric, name) for name in metric.__slots__}


@pytest.mark.parametrize("metric", [Metric("accuracy"), Metric("brand_new", aliases=("F1",))])
def test_no_two_metrics_have_one_name(metric):
    MetricRegistry()
    with pytest.raises(ValueError, match="two metrics answer to"):
        registry.register(metric)
    assert "brand_new" not in {registered.name for registered in registry._METRICS.values()}
    assert MetricRegistry().get("accuracy").better is HIGHER


def test_every_name_and_alias_leads_to_its_metric():
    for metric in registry._METRICS.values():
        assert {CATALOG.canonical(name) for name in (metric.name, *metric.aliases)} == {metric.name}
        assert metric.name == metric.name.strip().lower()
        low, high = metric.bounds
        assert low is None or high is None or low < high
        assert not metric.proportion or metric.bounds == (0.0, 1.0)


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_any_name_can_be_asked_for_and_is_stable(name):
    canonical = CATALOG.canonical(name)
    assert CATALOG.canonical(canonical) == canonical
    assert CATALOG.get(name) is CATALOG.get(canonical)


@pytest.mark.parametrize(
    ("metric", "delta", "text"),
    [
        (Metric("accuracy"), -0.0, "0.000"),
        (Metric("latency_ms", digits=1), -0.0, "0.0"),
        (Metric("accuracy"), 1.1e-16, "0.000"),
        (Metric("accuracy"), 0.0004, "+0.0004"),
        (Metric("accuracy"), float("-inf"), "-inf"),
        (Metric("rows"), 12_345.0, "+12345"),
    ],
)
def test_a_change_carries_a_sign_unless_there_is_none(metric, delta, text):
    assert metric.format_delta(delta) == text


def test_whoever_imports_the_table_has_all_of_it():
    script = (
        "from modeltop.core.metrics.registry import MetricRegistry as R; print(R().get('auc').name, R().get('f1').name)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "roc_auc f1_score\n"


@pytest.mark.parametrize("family", registry.FAMILIES)
def test_a_family_can_be_imported_first(family):
    script = (
        f"import modeltop.core.metrics.{family}; from modeltop.core.metrics.registry import MetricRegistry\n"
        "print(MetricRegistry().get('auc').name)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "roc_auc\n"
