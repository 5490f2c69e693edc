"""Files of distributions, read back; nothing where a file is not what it should be."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.history.store import distributions
from modeltop.history.store.distributions import HEADER, DistributionStore
from modeltop.history.store.paths import file_prefix

HEAD = ",".join(HEADER)
DAY, NEXT = "2025-06-01", "2025-06-02"
LINES = (
    "reliability,score,reference,0,0,0.1,90,0.05,0.1",
    f"reliability,score,{DAY},9,0.9,1,40,0.95,0.8",
    "feature,age,reference,0,,20,5,,",
    "feature,age,reference,2,40,,7,,",
    f"feature,age,{NEXT},1,20,40,3,,",
    f"feature,age,{DAY},missing,,,2,,",
    "values,age,reference,,18,65,12,40.5,9.5",
    f"values,age,{NEXT},,21,39,3,30,",
    "feature,plan,reference,basic,,,8,,",
    f"feature,plan,{DAY},other,,,1,,",
    f"segment,all,{DAY},,,,100,,",
    f"segment,country=AT,{DAY},,,,60,,",
)


def text(*lines):
    return "\n".join([HEAD, *lines]) + "\n"


def at(day):
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_numbers_keep_the_order_of_their_bins_and_empty_slots_are_0():
    parsed = distributions.parse_distributions(text(*LINES))
    age = parsed.histograms["age"]
    assert age.slots == ("0", "1", "2", "other", "missing")
    assert age.edges == ((-math.inf, 20.0), (20.0, 40.0), (40.0, math.inf))
    assert age.periods == (at(DAY), at(NEXT))
    assert age.reference.tolist() == [5, 0, 7, 0, 0]
    assert age.counts.tolist() == [[0, 0, 0, 0, 2], [0, 3, 0, 0, 0]]


def test_the_values_of_a_number_are_those_of_the_reference_and_of_each_day():
    ranges = distributions.parse_distributions(text(*LINES)).histograms["age"].ranges
    assert ranges[None] == (18, 65, 40.5, 9.5)
    assert ranges[at(NEXT)][:3] == (21, 39, 30)
    assert math.isnan(ranges[at(NEXT)].deviation)


def test_categories_have_no_edges_and_segments_are_counted():
    parsed = distributions.parse_distributions(text(*LINES))
    plan = parsed.histograms["plan"]
    assert (plan.slots, plan.edges) == (("basic", "other", "missing"), None)
    assert plan.counts.tolist() == [[0, 1, 0]]
    assert parsed.segments == {"all": {at(DAY): 100.0}, "country=AT": {at(DAY): 60.0}}
    assert list(parsed.histograms) == ["age", "plan"]


def test_a_curve_has_the_reference_first_and_nothing_where_no_row_is():
    curve = distributions.parse_distributions(text(*LINES)).reliability
    assert (curve.name, curve.periods) == ("score", (None, at(DAY)))
    assert curve.rows[:, [0, 9]].tolist() == [[90, 0], [0, 40]]
    assert (curve.score[0, 0], curve.rate[1, 9]) == (0.05, 0.8)
    assert np.isnan(curve.rate[0, 9])


@pytest.mark.parametrize(
    "line",
    [
        "feature,age,yesterday,0,,20,5,,",
        f"feature,age,{DAY},0,,20,-5,,",
        f"feature,age,{DAY},0,,20,nan,,",
        f"feature,age,{DAY},0,low,20,5,,",
        f"feature,age,{DAY},0,,20,5",
        f"rumour,age,{DAY},0,,20,5,,",
        f"reliability,score,{DAY},99999999,0,0.1,90,0.05,0.1",
        f"reliability,score,{DAY},0,0,0.1,90,,",
        "segment,all,reference,,,,100,,",
        f"values,age,{DAY},,inf,39,3,30,",
        f"values,age,{DAY},,21,39,3,,",
        f"values,age,{DAY},,-1e308,1e308,3,1e308,",
        f"feature,age,{DAY},0,,1e308,5,,",
        "feature,age,reference,1,20,40,1e308,,",
        f"reliability,score,{DAY},0,0,0.1,90,1e308,0.1",
        "segment,all,0001-01-01T00:00:00+23:59,,,,5,,",
        "segment,all,9999-12-31T23:59:59-23:59,,,,5,,",
        "\x00",
    ],
)
def test_a_broken_line_is_skipped(line):
    parsed = distributions.parse_distributions(text(LINES[2], line, *LINES[6:]))
    assert parsed.histograms["age"].reference.sum() == 5
    assert at(DAY) not in parsed.histograms["age"].ranges
    assert parsed.reliability is None
    assert parsed.segments["all"] == {at(DAY): 100.0}


@given(st.text(max_size=200), st.booleans())
def test_no_text_at_all_is_an_error(junk, headed):
    parsed = distributions.parse_distributions(text(junk) if headed else junk)
    assert all(
        histogram.counts.shape == (len(histogram.periods), len(histogram.slots))
        for histogram in parsed.histograms.values()
    )


def test_what_is_missing_too_large_or_no_evidence_says_nothing(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    assert distributions.read_distributions(path) == distributions.EMPTY
    path.write_text("date,accuracy\n2025-01-01,0.9\n")
    assert distributions.read_distributions(path) == distributions.EMPTY
    path.write_text(text(*LINES))
    assert distributions.read_distributions(path).histograms
    monkeypatch.setattr(distributions, "MAX_FILE_BYTES", 20)
    assert distributions.read_distributions(path) == distributions.EMPTY


@pytest.fixture
def store(tmp_path):
    def put(folder, model, *lines):
        evidence = tmp_path / folder / "evidence"
        evidence.mkdir(parents=True, exist_ok=True)
        (evidence / f"{file_prefix(model)}.csv").write_text(text(*lines))
        return tmp_path / folder

    return put


def test_the_store_finds_each_models_file_and_the_later_store_wins(store):
    first, second = store("a", "churn", LINES[8]), store("b", "churn", LINES[2])
    store("a", "../fraud", LINES[10])
    distribution_store = DistributionStore([first, second])
    assert list(distribution_store["churn"].histograms) == ["age"]
    assert "all" in distribution_store["../fraud"].segments
    assert distribution_store.get("spam") is None
    assert "spam" not in distribution_store


def test_the_store_reads_a_file_once_and_again_when_it_has_changed(store):
    folder = store("a", "churn", LINES[6])
    distribution_store = DistributionStore([folder])
    first = distribution_store["churn"]
    assert distribution_store["churn"] is first
    store("a", "churn", *LINES)
    assert list(distribution_store["churn"].histograms) == ["age", "plan"]
