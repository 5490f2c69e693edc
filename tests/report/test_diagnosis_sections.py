"""The sections of a diagnosis: none is empty, and every foreign name is escaped."""

from dataclasses import replace

import pytest

from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity
from modeltop.report.diagnosis_sections import diagnosis_sections


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Five questions", ("Declining?       yes: accuracy dropped",)),
        (
            "Causes",
            (
                "data drift, likely: accuracy shifted",
                "against data drift: no note of accuracy",
                "sampling noise, unclear: few",
            ),
        ),
        ("What to do", ("Retrain.", "Open a ticket.", "12,000 labeled rows since the change.")),
        (
            "Before and after",
            ("accuracy 0.960→0.870, -0.090, 95 % -0.120 to -0.060: fell", "rows 1,182→2,197: rose"),
        ),
        (
            "Features that shifted",
            ("accuracy: js_distance 0.02→0.31, missing 0 %→34 %, unseen values 0 %→10 %",),
        ),
        ("Segments by contribution", ("accuracy: contributes -0.090; 0.90→0.70, 30 %→40 % of the cases",)),
    ],
)
def test_each_question_has_its_section(complete_diagnosis, title, lines):
    sections = diagnosis_sections(complete_diagnosis("accuracy"), MetricRegistry())
    assert sections[title] == lines


def test_a_segment_whose_part_is_not_seen_in_the_digits_of_the_metric_is_left_out(complete_diagnosis):
    diagnosis = complete_diagnosis("accuracy")
    (segment,) = diagnosis.segments
    tiny = replace(segment, segment="BG", within=-9e-05, mix=0.0)
    lines = diagnosis_sections(replace(diagnosis, segments=(segment, tiny)), MetricRegistry())[
        "Segments by contribution"
    ]
    assert lines == ("accuracy: contributes -0.090; 0.90→0.70, 30 %→40 % of the cases",)


def test_there_are_no_other_sections_and_none_that_is_empty(complete_diagnosis):
    assert list(diagnosis_sections(complete_diagnosis("accuracy"), MetricRegistry())) == [
        "Five questions", "Causes", "What to do", "Before and after", "Features that shifted",
        "Segments by contribution",
    ]  # fmt: skip
    assert diagnosis_sections(Diagnosis("m", Severity.OK, None, Verdict(""), None, (), ()), MetricRegistry()) == {}


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZWNobw==\x07", "\u202egpj", "a\r\nb", "\ud800", "W" * 9999])
def test_names_are_escaped_and_cut(complete_diagnosis, evil):
    sections = diagnosis_sections(complete_diagnosis(evil, everywhere=True), MetricRegistry())
    lines = [line for section in sections.values() for line in section]
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 800 for line in lines)
