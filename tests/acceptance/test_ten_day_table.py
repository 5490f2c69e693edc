"""The ten-day table that this product starts from, on every surface: as it is, and what it grows to.

As it is; with row counts; with healthy days before it; continued for 20 days; with limits that it is inside of.
"""

import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.cli import main
from modeltop.config.load import Config
from modeltop.core.diagnosis import MAX_SENTENCE, Cause
from modeltop.core.text import display_width
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.service.pipeline import Pipeline
from modeltop_tui.view.diagnosis import evidence_rows
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.view.styled_text import plain_text
from modeltop_tui.view.verdict import summary_lines

SEED = Path(__file__).parents[2] / "sample_data" / "model_performance_tracking.csv"
NEWEST = date(2025, 1, 10)
WIGGLE = (-0.003, 0.001, 0.0, 0.002, -0.001, 0.003, -0.002)
"""Differences of the healthy days from the first day of the table, over and over."""
VARIANTS = {
    "as it is": {},
    "500 rows a day": {"count": 500},
    "2,000 rows a day": {"count": 2000},
    "20,000 rows a day": {"count": 20_000},
    "1 day before": {"before": 1},
    "5 days before": {"before": 5},
    "10 days before": {"before": 10},
    "30 days before": {"before": 30},
    "continued": {"after": 20},
}
WHY = "Likely data drift: confidence fell as much, 0.94→0.84."
DO = "Compare the inputs with the training data, then decide on retraining."
STEADY = "Accuracy fell steadily, 0.96→0.87 in 10 days; below 0.90 for 2."
WHAT = {
    "as it is": STEADY,
    "500 rows a day": STEADY,
    "2,000 rows a day": STEADY,
    "20,000 rows a day": STEADY,
    "1 day before": r"Accuracy fell steadily, 0.9\d+→0.87\d* in 11 days; below 0.90 for 2.",
    "5 days before": r"Accuracy has slid since about [2-6] Jan, 0.96\d*→0.87\d*; below 0.90 for 2 days.",
    "10 days before": r"Accuracy has slid since about [2-6] Jan, 0.96\d*→0.87\d*; below 0.90 for 2 days.",
    "30 days before": r"Accuracy has slid since about [2-6] Jan, 0.96\d*→0.87\d*; below 0.90 for 2 days.",
    "continued": "Accuracy fell steadily, 0.96→0.67 in 30 days; below 0.90 for 22.",
}
"""What happened, as a regular expression."""
QUESTIONS = {
    "Declining?": "yes: accuracy about 1 point a day for 10 days; already below 0.90; 0.80 by about 17 Jan",
    "Less reliable?": "yes: F1 0.945→0.845; precision and recall fell alike",
    "Less confident?": "yes: 0.94→0.84, as much as accuracy",
    "Data changed?": "likely: falling confidence points to it; no features are logged",
    "Retrain?": "not yet: compare the inputs with the training data first",
}
SURFACES = {
    "check": ("check",),
    "text": ("report",),
    "Markdown": ("report", "--format", "markdown"),
    "HTML": ("report", "--format", "html"),
}


@pytest.fixture(autouse=True)
def _isolated(isolated_home):
    """Nothing of the machine is read."""


@pytest.fixture
def table(tmp_path):
    """Return a maker of the file of a variant."""

    def make(name):
        options = VARIANTS[name]
        header, *rows = (line.split(",") for line in SEED.read_text().splitlines())
        first, last = ([float(cell) for cell in row[1:]] for row in (rows[0], rows[-1]))
        before = [
            [f"{date(2025, 1, 1) - timedelta(days=days)}", *(f"{value + WIGGLE[days % 7]:.3f}" for value in first)]
            for days in range(options.get("before", 0), 0, -1)
        ]
        after = [
            [f"{NEWEST + timedelta(days=days)}", *(f"{value - 0.01 * days:.3f}" for value in last)]
            for days in range(1, options.get("after", 0) + 1)
        ]
        rows = [*before, *rows, *after]
        if count := options.get("count"):
            header, rows = [*header, "count"], [[*row, str(count)] for row in rows]
        path = tmp_path / SEED.name
        path.write_text("".join(",".join(row) + "\n" for row in (header, *rows)))
        return path

    return make


@pytest.fixture
def snapshot_of(table):
    """Return a maker of the snapshot of a variant."""

    def make(name):
        return Pipeline(Config(), [table(name)]).run(datetime(2026, 11, 30, tzinfo=UTC))

    return make


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command; return its exit code and its output, blanks and line ends as one blank."""

    def call(*words):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
        code = main.main([str(word) for word in words])
        return code, " ".join(capsys.readouterr().out.split())

    return call


@pytest.mark.parametrize("name", VARIANTS)
def test_the_verdict_says_what_why_and_what_to_do(snapshot_of, name):
    diagnosis = diagnose_model(snapshot_of(name), SEED.stem)
    verdict = diagnosis.verdict
    assert re.fullmatch(WHAT[name], verdict.what)
    assert re.fullmatch(r"Likely data drift: confidence fell as much, 0.9\d+→0.\d+.", verdict.why)
    assert (verdict.do, diagnosis.cause) == (DO, Cause.DATA_DRIFT)
    assert all(display_width(sentence) <= MAX_SENTENCE for sentence in (verdict.what, verdict.why, verdict.do))


@pytest.mark.parametrize("name", ["as it is", "500 rows a day", "2,000 rows a day", "20,000 rows a day"])
def test_the_five_questions_are_answered(snapshot_of, name):
    diagnosis = diagnose_model(snapshot_of(name), SEED.stem)
    assert {question: f"{answer}: {reason}" for question, answer, reason in diagnosis.questions} == QUESTIONS
    assert diagnosis.verdict.why == WHY


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", ["as it is", "2,000 rows a day", "30 days before"])
def test_every_surface_prints_the_same_three_sentences(run, table, name, surface):
    path = table(name)
    verdict = diagnose_model(Pipeline(Config(), [path]).run(datetime(2026, 11, 30, tzinfo=UTC)), SEED.stem).verdict
    command, *options = SURFACES[surface]
    code, output = run(command, path, *options)
    assert code == (2 if command == "check" else 0)
    printed = output.replace("&#8594;", "→")
    assert all(sentence in printed for sentence in (verdict.what, verdict.why, verdict.do))


@pytest.mark.parametrize("surface", ["text", "Markdown", "HTML"])
def test_every_report_answers_the_five_questions(run, table, surface):
    _, output = run(SURFACES[surface][0], table("as it is"), *SURFACES[surface][1:])
    printed = " ".join(re.sub("<[^>]+>", "", output.replace("&#8594;", "→")).split())
    assert all(f"{question} {reason}" in printed for question, reason in QUESTIONS.items())


def test_json_has_the_verdict_the_questions_and_the_causes(run, table):
    code, output = run("check", table("as it is"), "--json")
    [model] = json.loads(output)["models"]
    assert (code, model["verdict"]) == (2, {"what": STEADY, "why": WHY, "do": DO})
    answers = {item["question"]: f"{item['answer']}: {item['reason']}" for item in model["questions"]}
    assert answers == QUESTIONS
    assert [(cause["cause"], cause["certainty"]) for cause in model["causes"]] == [("data drift", "likely")]


@pytest.mark.parametrize("width", [48, 78, 118])
def test_the_app_shows_them_in_the_summary_and_on_the_screen_of_evidence(snapshot_of, width):
    snapshot = snapshot_of("as it is")
    diagnosis = diagnose_model(snapshot, SEED.stem)
    state = ScreenState(snapshot, Selection(SEED.stem, diagnosis.key), diagnosis=diagnosis)
    summary = " ".join(" ".join(plain_text(line) for line in summary_lines(state, width)).split())
    assert summary == f"▲ {STEADY} Why {WHY} Do {DO}"
    rows = evidence_rows(state, width)
    lines = [line for row in rows for line in (row.unfold() if row.unfold else row.wrapped or (row.line,))]
    evidence = " ".join(" ".join(plain_text(line) for line in lines).split())
    assert all(f"{question} {reason}" in evidence for question, reason in QUESTIONS.items())


def test_messages_carry_them(snapshot_of):
    assert ExplanationCache(snapshot_of("as it is")).text_for(SEED.stem) == f"{STEADY} {WHY} {DO}"


def test_what_is_exported_is_the_table(run, table, tmp_path):
    run("export", table("as it is"), "--csv", "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == SEED.read_bytes()


@pytest.mark.parametrize(
    "name", ["as it is", "500 rows a day", "2,000 rows a day", "20,000 rows a day", "1 day before"]
)
def test_two_alerts_are_critical_and_one_warns(snapshot_of, name):
    active = [alert for alert in snapshot_of(name).alerts if alert.is_active]
    assert sorted((alert.severity.name, alert.key.metric) for alert in active) == [
        ("CRITICAL", "accuracy"), ("CRITICAL", "f1_score"), ("WARNING", "avg_confidence"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["5 days before", "10 days before", "30 days before"])
def test_with_a_level_before_it_the_drop_is_found_on_every_metric_and_starts_with_the_table(snapshot_of, name):
    snapshot = snapshot_of(name)
    dropped = {alert.key.metric for alert in snapshot.alerts if alert.is_active and alert.rule == "baseline-drop"}
    assert dropped >= {"accuracy", "precision", "recall", "f1_score"}
    [incident] = snapshot.incidents
    assert date(2025, 1, 2) <= incident.started_at.date() <= date(2025, 1, 6)


def test_continued_both_floors_are_active_to_the_end(snapshot_of):
    floors = {alert.rule: alert for alert in snapshot_of("continued").alerts if alert.rule.endswith("-floor")}
    assert {name: (alert.is_active, alert.since.date()) for name, alert in floors.items()} == {
        "accuracy-floor": (True, date(2025, 1, 9)), "f1-floor": (True, date(2025, 1, 10)),
    }  # fmt: skip


LIMITS = ("--below", "accuracy=0.8", "--below", "f1_score=0.8")


def test_inside_its_limits_it_is_declining_and_less_confident(run, table):
    code, output = run("check", table("as it is"), *LIMITS)
    assert code == 1
    assert "Less confident since 2 Jan, 0.94→0.84." in output
    assert "● ok, but declining: accuracy -0.09" in output
    assert "at this pace below 0.80 around 17 Jan" in output


def test_without_the_rule_of_confidence_it_is_ok_but_declining(run, table, tmp_path):
    (tmp_path / "modeltop.toml").write_text("[defaults]\nconfidence = false\n")
    code, output = run("check", table("as it is"), *LIMITS)
    assert code == 0
    assert "ok, but declining: accuracy -0.09" in output
    assert "below 0.80 around 17 Jan." in output


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_one_incident(snapshot_of, name):
    [incident] = snapshot_of(name).incidents
    assert (incident.key.metric, incident.resolved_at) == ("accuracy", None)
