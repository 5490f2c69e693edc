"""A diagnosis as JSON: the verdict, the five questions and the causes; nothing that JSON has no word for."""

import json

import numpy as np

from modeltop.alerting.messages.diagnosis_json import finite_or_none, questions_record, verdict_record
from modeltop.core.diagnosis import Verdict


def test_the_verdict_has_three_sentences():
    assert verdict_record(Verdict("Accuracy dropped.", do="Check the feed.")) == {
        "what": "Accuracy dropped.", "why": "", "do": "Check the feed.",
    }  # fmt: skip


def test_questions_and_causes_are_there_exactly(complete_diagnosis):
    record = json.loads(json.dumps(questions_record(complete_diagnosis("accuracy")), allow_nan=False))
    assert record == {
        "questions": [{"question": "Declining?", "answer": "yes", "reason": "accuracy dropped"}],
        "causes": [
            {"cause": "data drift", "certainty": "likely", "weight": 0.75},
            {"cause": "sampling noise", "certainty": "unclear", "weight": 0.1},
        ],
    }


def test_without_a_diagnosis_there_are_none():
    assert questions_record(None) == {"questions": [], "causes": []}


def test_what_is_not_finite_is_null():
    assert [finite_or_none(value) for value in (None, float("inf"), np.float64("nan"), np.float64(0.1 + 0.2))] == [
        None, None, None, 0.1 + 0.2,
    ]  # fmt: skip
