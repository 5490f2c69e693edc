"""`rules test`: what would have fired when, how long, how many a month."""

import json

import pytest

DAYS = "date,model,accuracy\n" + "".join(
    f"2025-01-{day:02},m,{0.8 if day in (10, 11, 20) else 0.95}\n" for day in range(1, 31)
)


def by_rule(outcome) -> dict:
    return {record["rule"]: record for record in json.loads(outcome.out)}


def test_on_the_ten_days_it_shows_when_each_default_would_have_fired(run, ten_days):
    outcome = run("rules", "test", ten_days)
    assert outcome.code == 0
    fired = [(line.split("  ")[2], line.split(", since ")[1]) for line in outcome.lines if "▲ critical" in line]
    assert fired == [("fired 10 Jan, open", "9 Jan"), ("fired 10 Jan, open", "10 Jan")]
    assert "default rule accuracy-floor: accuracy below 0.90 is critical" in outcome.out
    assert "1 alert in 10 days, 3.04 a month at that rate" in outcome.out


def test_of_lasting_falls_it_says_when_each_fired_and_that_ten_days_are_too_few(run, ten_days, fleet):
    assert "  0 alerts: needs 10 earlier periods" in run("rules", "test", ten_days).lines
    result = by_rule(run("rules", "test", fleet, "--json"))["baseline-drop"]
    assert [(alert["fired"][:10], alert["model"]) for alert in result["episodes"] if alert["metric"] == "recall"] == [
        ("2025-04-12", "credit"),
        ("2025-04-28", "fraud-detector"),
        ("2025-06-22", "churn"),
        ("2025-06-26", "triage"),
    ]


def test_json_gives_the_same_exactly(run, ten_days):
    result = by_rule(run("rules", "test", ten_days, "--json"))["accuracy-floor"]
    assert (result["alerts"], result["judged"], result["series"], result["days"]) == (1, 10, 1, 10.0)
    assert result["alerts_a_month"] == pytest.approx(30.4375 / 10)
    assert [(alert["fired"], alert["lasted_days"]) for alert in result["episodes"]] == [("2025-01-10T00:00:00Z", 2.0)]


def test_an_alert_lasts_from_its_first_period_to_the_one_that_ended_it(run, tmp_path):
    (tmp_path / "m.csv").write_text(DAYS)
    result = by_rule(run("rules", "test", "m.csv", "--json"))["accuracy-floor"]
    assert [(alert["since"][:10], alert["resolved"][:10], alert["lasted_days"]) for alert in result["episodes"]] == [
        ("2025-01-10", "2025-01-12", 2.0),
        ("2025-01-20", "2025-01-21", 1.0),
    ]


def test_a_limit_can_be_tried_before_it_is_written_down(run, tmp_path):
    (tmp_path / "m.csv").write_text(DAYS)
    tried = by_rule(run("rules", "test", "m.csv", "--below", "accuracy=0.7", "--json"))
    assert tried["limit-accuracy"]["alerts"] == 0
    assert "accuracy-floor" not in tried


def test_what_waits_for_confirmation_is_shown_and_is_no_alert(run, tmp_path):
    (tmp_path / "m.csv").write_text("date,model,accuracy\n2025-01-01,m,0.95\n2025-01-02,m,0.8\n")
    (tmp_path / "modeltop.toml").write_text(
        '[[rules]]\nname = "two"\nmetric = "accuracy"\ncritical = { below = 0.9 }\nconfirm = 2\n'
    )
    result = by_rule(run("rules", "test", "m.csv", "--json"))["two"]
    assert (result["alerts"], [alert["state"] for alert in result["episodes"]]) == (0, ["pending"])


def test_a_default_that_is_left_out_says_of_whom_and_why(run, forecasts):
    outcome = run("rules", "test", forecasts)
    assert "f1_score of wnba-games: default limit 0.85 skipped: " in outcome.out
    assert "applied to no series" in outcome.out


def test_a_rule_that_asks_about_nothing_says_so(run, ten_days, tmp_path):
    (tmp_path / "modeltop.toml").write_text('[[rules]]\nname = "x"\nmetric = "recal"\ncritical = { below = 0.9 }\n')
    outcome = run("rules", "test", ten_days)
    assert "applied to no series" in outcome.out
    assert "recal no value for rule x: the metrics are accuracy, precision, recall, f1_score" in outcome.out


@pytest.mark.parametrize(("limit", "code"), [(0.1, 1), (2.0, 1), (2.1, 0), (100, 0)])
def test_more_alerts_a_month_than_allowed_is_exit_code_1(run, tmp_path, limit, code):
    (tmp_path / "m.csv").write_text(DAYS)
    outcome = run("rules", "test", "m.csv", "--at-most", limit)
    assert outcome.code == code
    assert ("accuracy-floor fires 2.03 times a month" in outcome.err) == bool(code)


@pytest.mark.parametrize(
    "words", [("test", "--at-most", "-1"), ("test", "--at-most", "nan"), ("try",), ("test", "none.csv")]
)
def test_what_cannot_be_replayed_is_exit_code_2(run, words):
    outcome = run("rules", *words)
    assert outcome.code == 2
    assert outcome.err.startswith("modeltop: ")


def test_names_are_made_visible(run, tmp_path):
    (tmp_path / "m.csv").write_text("date,model,accuracy\n2025-01-01,a\x1b]0;x\x07b,0.5\n")
    assert "a\\x1b]0;x\\x07b accuracy" in run("rules", "test", "m.csv", "--below", "accuracy=0.9").out
