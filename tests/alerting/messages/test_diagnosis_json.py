"""A diagnosis as JSON: exact, whole, and nothing in it that JSON has no word for."""

import json
from dataclasses import fields
from datetime import UTC, datetime

import numpy as np

from modeltop.alerting.messages.diagnosis_json import diagnosis_record
from modeltop.core.diagnosis import (
    Action,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Diagnosis,
    ExpectedVsRealized,
    FeatureShift,
    Forecast,
    Pattern,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.series import SeriesKey, Severity

START = datetime(2025, 1, 9, tzinfo=UTC)
KEY = SeriesKey("m", "accuracy", "country=\u202ede")
CHANGE = BeforeAfter(KEY, 0.96, 0.87, -0.09, None, np.float64(-0.05), float("inf"), "fell", 4)
DIAGNOSIS = Diagnosis(
    "m", Severity.WARNING, KEY, "accuracy fell",
    SeriesPattern(KEY, Pattern.DROP, START, np.float64(-0.09), 0.1 + 0.2),
    (CauseHypothesis(Cause.DATA_DRIFT, 0.75, ("x moved",), ("no release",)),
     CauseHypothesis(Cause.NOISE, 0.1, ("few cases",))),
    (Action.RETRAIN, Action.TICKET), "retrain: 12,000 labelled rows",
    other_patterns=(SeriesPattern(SeriesKey("m", "recall"), Pattern.DECLINE, None, None, 1.0),),
    forecast=Forecast(-0.01, -0.02, float("nan"), 0.001, limit=0.8, days=7.0, soonest=4.0),
    metric_changes=(CHANGE,),
    feature_shifts=(FeatureShift("amount", 0.31, 0.02, missing=(0.0, 0.34)),),
    segments=(SegmentContribution("country=de", (0.3, 0.4), (0.9, 0.7), -0.08, -0.01),),
    expectations=(ExpectedVsRealized(CHANGE, CHANGE),), labels_since_change=12_000,
)  # fmt: skip


def test_every_part_of_a_diagnosis_is_there_exactly():
    record = json.loads(json.dumps(diagnosis_record(DIAGNOSIS), allow_nan=False))
    assert (record["severity"], record["pattern"], record["since"]) == (
        "warning",
        "sudden drop",
        "2025-01-09T00:00:00Z",
    )
    assert (record["metric"], record["segment"]) == ("accuracy", "country=\u202ede")
    assert (record["size"], record["sure"]) == (-0.09, 0.1 + 0.2)
    assert (record["cause"], record["for"], record["against"]) == ("data drift", ["x moved"], ["no release"])
    assert [(c["cause"], c["weight"]) for c in record["causes"]] == [("data drift", 0.75), ("sample noise", 0.1)]
    assert (record["steps"], record["labels"]) == (["retrain", "open a ticket"], 12_000)
    assert record["advice"] == "retrain: 12,000 labelled rows"
    assert record["courses"][0] == {
        "metric": "recall", "segment": "all", "pattern": "gradual decline", "since": None, "size": None, "sure": 1.0,
    }  # fmt: skip


def test_what_it_rests_on_is_there_and_what_is_not_finite_is_null():
    record = diagnosis_record(DIAGNOSIS)
    reading = {
        "metric": "accuracy", "segment": "country=\u202ede", "before": 0.96, "after": 0.87, "delta": -0.09, "low": None,
        "high": -0.05, "z": None, "periods": 4, "word": "fell",
    }  # fmt: skip
    assert record["evidence"] == [reading]
    assert record["expected"] == [{"expected": reading, "realised": reading}]
    assert record["moved"] == [
        {"feature": "amount", "metric": "js_distance", "before": 0.02, "after": 0.31, "missing": [0.0, 0.34],
         "unseen": None},
    ]  # fmt: skip
    assert record["segments"] == [
        {"segment": "country=de", "share": [0.3, 0.4], "level": [0.9, 0.7], "within": -0.08, "mix": -0.01,
         "total": -0.09},
    ]  # fmt: skip
    assert record["forecast"] == {
        "slope": -0.01, "low": -0.02, "high": None, "p": 0.001, "limit": 0.8, "days": 7.0, "soonest": 4.0,
        "latest": None,
    }  # fmt: skip


def test_where_nothing_is_wrong_it_says_so():
    record = diagnosis_record(
        Diagnosis("m", Severity.OK, None, "healthy", None, (), (Action.NOTHING,), "nothing to do")
    )
    assert (record["cause"], record["causes"], record["pattern"], record["since"]) == (None, [], None, None)
    assert (record["metric"], record["forecast"], record["labels"]) == (None, None, None)


def test_every_field_of_a_diagnosis_has_its_key():
    elsewhere = {"model", "sentence", "key", "series_pattern"}
    keys = {
        "actions": "steps",
        "labels_since_change": "labels",
        "hypotheses": "causes",
        "other_patterns": "courses",
        "metric_changes": "evidence",
        "expectations": "expected",
        "feature_shifts": "moved",
    }
    record = diagnosis_record(DIAGNOSIS)
    assert {keys.get(field.name, field.name) for field in fields(Diagnosis)} - elsewhere <= record.keys()
