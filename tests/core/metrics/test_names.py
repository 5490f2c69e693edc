"""Names of other tools: what they fold to, what must not fold, and that no two columns become one."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import get_scorer, get_scorer_names

from modeltop.core.metrics import names
from modeltop.core.metrics.names import NormalizedName, is_bookkeeping, normalize
from modeltop.core.metrics.registry import MetricRegistry
from tests.core.metrics.foreign_names import FALLS, FOREIGN_NAMES, NEGATIVES, OFFLINE_FALLS

CATALOG = MetricRegistry()
VOCABULARY = CATALOG._vocabulary


@pytest.mark.parametrize("foreign", FOREIGN_NAMES, ids=lambda foreign: f"{foreign.tool}: {foreign.written}")
def test_a_foreign_name_has_the_metric_and_its_direction_bounds_and_support(foreign):
    found = CATALOG.normalize(foreign.written)
    metric = CATALOG.get(found.metric)
    support = "rows" if metric.support == "rows" else "own" if metric.proportion else None
    assert (found.metric, found.split, found.sign) == (foreign.metric, foreign.split, foreign.sign)
    assert (metric.better.value, metric.bounds, support) == (foreign.better, foreign.bounds, foreign.support)


def test_the_table_has_each_name_once_and_enough_of_them():
    written = [foreign.written for foreign in FOREIGN_NAMES]
    assert len(written) == len(set(written)) >= 500
    assert len({foreign.tool for foreign in FOREIGN_NAMES}) >= 30


@pytest.mark.parametrize("scorer", get_scorer_names())
def test_every_scorer_of_scikit_learn_is_known_with_its_sign(scorer):
    found = CATALOG.normalize(scorer)
    assert found.is_known
    assert found.sign == get_scorer(scorer)._sign


@pytest.mark.parametrize("written", NEGATIVES)
def test_a_name_that_means_else_stays_as_written(written):
    assert CATALOG.normalize(written) == NormalizedName(written)


def test_every_registered_name_and_alias_leads_to_its_metric():
    for name, metric in VOCABULARY.names.items():
        assert CATALOG.normalize(name).metric == metric
        assert CATALOG.normalize(metric) == NormalizedName(metric, base=metric)


@pytest.mark.parametrize("prefix", ["val_", "valid/", "metrics.", "eval-", "Test ", "summary.val_", "train_"])
def test_a_prefix_changes_the_part_and_never_the_metric(prefix):
    for metric in set(VOCABULARY.names.values()):
        found = CATALOG.normalize(prefix + metric)
        assert found.metric == metric or names.name_key(metric) in names.WHOLE_ONLY
        assert (found.split == "train") == (prefix == "train_" and found.is_known)


@pytest.mark.parametrize(
    ("written", "percent", "segment"),
    [
        ("accuracy (%)", True, None),
        ("recall_pct", True, None),
        ("null %", True, None),
        ("ValueDrift(column=age,method=psi)", False, "feature=age"),
        ("F1ByLabel(label=1)", False, "class=1"),
        ("recall_class_fraud", False, "class=fraud"),
        ("class_0_precision", False, "class=0"),
    ],
)
def test_what_else_a_name_says_is_kept(written, percent, segment):
    found = CATALOG.normalize(written)
    assert found.is_known
    assert (found.percent, found.segment) == (percent, segment)


@pytest.mark.parametrize("written", ["epoch", "_step", "trainer/global_step", "lr-AdamW", "lr/pg0", "train_grad_norm"])
def test_the_bookkeeping_of_a_training_is_no_metric(written):
    assert is_bookkeeping(written)
    assert not CATALOG.normalize(written).is_known


def test_no_metric_is_taken_for_bookkeeping():
    assert not any(is_bookkeeping(foreign.written) for foreign in FOREIGN_NAMES)


@pytest.mark.parametrize(
    ("written", "metric"),
    [("fraud_recall", "recall"), ("churn_auc", "roc_auc"), ("delta_accuracy", None), ("my_kpi", None)],
)
def test_an_unknown_name_that_ends_with_a_metric_is_asked_about_by_it(written, metric):
    assert CATALOG.resembles(written) == metric


def test_the_planted_falls_are_falls():
    assert len(FALLS) >= 30
    for written, before, after in (*FALLS, *OFFLINE_FALLS):
        found = CATALOG.normalize(written)
        metric = CATALOG.get(found.metric)
        assert metric.within_bounds(before * found.sign), written
        assert metric.within_bounds(after * found.sign), written
        if found.is_known and not metric.two_sided:
            worse = after * found.sign < before * found.sign
            assert metric.better.value == ("higher" if worse else "lower"), written


WORDS = sorted(
    {
        *names.SPLITS,
        *names.PREFIXES,
        *names.SUFFIXES,
    }
    | {
        *names.CUT_ONLY,
        "set",
        "percent",
        "macro",
        "weighted",
        "ovr",
        "mean",
        "avg",
        "neg",
        "at",
        "@",
        "k",
        "10",
        "1",
        "p95",
        "top",
        "class",
        "by",
        "label",
    }
    | {"estimated", "samples", "ms", "dataloader", "idx", "accuracy", "f1", "auc", "log", "loss", "error", "recall"}
)
COMPOSED = st.builds(
    lambda joined, parts: joined.join(parts),
    st.sampled_from(["_", " ", "/", ".", "-", ":", "", "("]),
    st.lists(st.sampled_from(WORDS), max_size=16),
)


@settings(max_examples=500, deadline=200)
@given(st.one_of(st.text(max_size=150), COMPOSED))
@example("binary_" * 7 + "score_" * 7)
@example("macro_" * 7 + "mean_" * 7)
@example("٣@٣")
@example("top_²_f1")
@example("İ_low")
def test_any_text_can_be_folded_and_folding_twice_changes_nothing(written):
    found = CATALOG.normalize(written)
    assert found == normalize(written, VOCABULARY), "pure"
    again = CATALOG.normalize(found.metric)
    assert again.metric == found.metric
    assert again.base == found.base
    assert (again.split, again.sign, again.percent, again.segment) == (None, 1, False, None)
    assert found.is_known or found == NormalizedName(written)
    assert CATALOG.get(found.metric).name == found.metric
    assert isinstance(is_bookkeeping(written), bool)
    CATALOG.resembles(written)
