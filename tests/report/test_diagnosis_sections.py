"""The sections of a diagnosis: none is empty, and every foreign name is escaped."""

import pytest

from modeltop.core.diagnosis import Diagnosis
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity
from modeltop.report.diagnosis_sections import diagnosis_sections


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        (
            "How it went",
            (
                "accuracy: sudden drop since 2025-01-09, -0.090, 98 % sure",
                "at this pace, -0.01 a day, below 0.80 in about 6 days (3 to never)",
                "recall [accuracy]: gradual decline since 2025-01-09, -0.100, 60 % sure",
            ),
        ),
        (
            "Causes",
            (
                "likely (0.75), data drift: accuracy moved",
                "against it: no note of accuracy",
                "unlikely (0.10), sample noise: few",
            ),
        ),
        ("What to do", ("retrain on accuracy", "open a ticket", "12,000 labelled rows since it began")),
        (
            "Before and after",
            ("accuracy 0.960 -> 0.870, -0.090 (95 % -0.120 to -0.060): fell", "rows a period 1,182 -> 2,197: rose"),
        ),
        ("Expected and realised", ("avg_confidence 0.940 -> 0.850 beside accuracy 0.960 -> 0.870",)),
        (
            "Features that moved",
            (
                (
                    "accuracy: js_distance 0.02 -> 0.31, missing 0.0 % -> 34.0 %, "
                    "values the reference never had 0.0 % -> 10.0 %"
                ),
            ),
        ),
        ("Segments by contribution", ("accuracy: adds -0.090; 0.900 -> 0.700, 30 % -> 40 % of the cases",)),
    ],
)
def test_each_question_has_its_section(complete_diagnosis, title, lines):
    sections = diagnosis_sections(complete_diagnosis("accuracy"), MetricRegistry())
    assert sections[title] == lines


def test_there_are_no_other_sections_and_none_that_is_empty(complete_diagnosis):
    assert list(diagnosis_sections(complete_diagnosis("accuracy"), MetricRegistry())) == [
        "How it went", "Causes", "What to do", "Before and after", "Expected and realised", "Features that moved",
        "Segments by contribution",
    ]  # fmt: skip
    assert diagnosis_sections(Diagnosis("m", Severity.OK, None, "", None, (), (), ""), MetricRegistry()) == {}


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZWNobw==\x07", "\u202egpj", "a\r\nb", "\ud800", "W" * 9999])
def test_names_are_escaped_and_cut(complete_diagnosis, evil):
    sections = diagnosis_sections(complete_diagnosis(evil, everywhere=True), MetricRegistry())
    lines = [line for section in sections.values() for line in section]
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 800 for line in lines)
