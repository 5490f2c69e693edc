"""A configuration is used whole or not at all, and every mistake in it names its key and a remedy."""

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.config.load import SIZE_LIMIT, candidate_paths, find, load
from modeltop.config.locate import line_of
from modeltop.core.errors import ConfigError
from modeltop.core.series import Direction, SeriesKey, Severity
from modeltop.rules.defaults import Defaults
from modeltop.rules.detectors.limit import Limit

RULE = '[[rules]]\nname = "floor"\nmetric = "accuracy"\n'


def test_without_a_file_the_defaults_hold():
    config = load(None)
    assert config.rules == ()
    assert config.on_no_data is Severity.UNKNOWN


def test_every_key_of_a_rule_reaches_the_rule(load_config):
    rule = load_config(
        RULE
        + 'model = "churn*"\nsegment = "country=*"\ncheck = "threshold"\nwarn = { below = 0.92 }\n'
        + 'critical = { below = 0.90 }\nmargin = 0.005\nconfirm = 2\nrecover = 3\nmin_count = 200\nmax_gap = "36h"\n'
    ).rules[0]
    assert (rule.name, rule.metric, rule.model, rule.segment) == ("floor", "accuracy", "churn*", "country=*")
    assert rule.detector.warn == Limit(below=0.92)
    assert rule.detector.critical == Limit(below=0.90)
    assert rule.detector.margin == 0.005
    assert (rule.confirm, rule.recover, rule.min_count) == ((2, 2), 3, 200)
    assert rule.max_gap == timedelta(hours=36)
    assert rule.matches(SeriesKey("churn-eu", "accuracy", "country=DE"))
    assert not rule.matches(SeriesKey("churn-eu", "accuracy", "all"))


def test_a_rule_may_confirm_each_level_in_its_own_time(load_config):
    rule = load_config(RULE + "critical = { below = 0.9 }\nconfirm = { warn = 3, critical = 1 }\n").rules[0]
    assert rule.confirm_for(Severity.WARNING) == 3
    assert rule.confirm_for(Severity.CRITICAL) == 1


def test_a_rule_names_its_metric_by_any_alias(load_config):
    text = '[[rules]]\nname = "a"\nmetric = "F1"\ncritical = { below = 0.8 }\n'
    assert load_config(text).rules[0].metric == "f1_score"


def test_a_custom_metric_gets_its_direction_and_bounds(load_config):
    config = load_config('[metrics.churn_cost]\nbetter = "lower"\nmin = 0\ndigits = 1\naliases = ["cost"]\n')
    metric = config.catalog.get("Cost")
    assert metric.better is Direction.LOWER
    assert metric.bounds == (0.0, None)
    assert metric.format(12.34) == "12.3"


def test_the_rest_of_the_keys(load_config, tmp_path):
    config = load_config(
        'timezone = "Europe/Berlin"\nstale_after = "2d"\non_no_data = "critical"\n[store]\npath = "metrics"\n'
    )
    assert config.zone == ZoneInfo("Europe/Berlin")
    assert config.stale_after == timedelta(days=2)
    assert config.on_no_data is Severity.CRITICAL
    assert config.defaults == Defaults(unknown_metrics=True)
    assert load_config("[defaults]\nunknown_metrics = false\n").defaults == Defaults(unknown_metrics=False)
    assert config.store == tmp_path / "metrics"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[[rule]]\n", "rule: unknown key; did you mean rules?", id="unknown table"),
        pytest.param(
            RULE + "critical = { below = 0.9 }\nconfrim = 2\n",
            "rules[1].confrim: unknown key; did you mean confirm?",
            id="unknown key",
        ),
        pytest.param(RULE + "critical = { under = 0.9 }\n", "rules[1].critical.under: unknown key", id="unknown side"),
        pytest.param(RULE + "critical = 0.9\n", "rules[1].critical: a number where a table is expected", id="type"),
        pytest.param(RULE + "critical = { below = nan }\n", "critical.below: nan is not a finite number", id="nan"),
        pytest.param(RULE + "critical = { below = inf }\n", "critical.below: inf is not a finite", id="infinity"),
        pytest.param(RULE + "critical = { below = true }\n", "true or false where a number", id="boolean"),
        pytest.param(RULE + "critical = {}\n", "rules[1].critical: empty", id="empty limit"),
        pytest.param(RULE + "critical = { below = 2, above = 1 }\n", "lies above", id="impossible limit"),
        pytest.param(RULE, "rules[1]: ", id="no limit"),
        pytest.param(RULE + "critical = { below = 0.9 }\nmargin = -1\n", "rules[1]: ", id="negative margin"),
        pytest.param(RULE + "critical = { below = 0.9 }\nconfirm = 0\n", "confirm: 0 is too small", id="confirm 0"),
        pytest.param(RULE + 'critical = { below = 0.9 }\nmax_gap = "soon"\n', "invalid duration", id="duration"),
        pytest.param('[[rules]]\nname = "x"\ncritical = { below = 1 }\n', "rules[1].metric: missing", id="no metric"),
        pytest.param(
            RULE + "critical = { below = 0.9 }\n" + RULE + "critical = { below = 0.8 }\n", "two rules", id="twice"
        ),
        pytest.param(RULE + 'check = "treshold"\ncritical = { below = 0.9 }\n', "mean threshold?", id="unknown check"),
        pytest.param("rules = 3\n", "rules: a number where an array of tables", id="rules of another type"),
        pytest.param('[metrics.x]\nbetter = "up"\n', "metrics.x.better: 'up' is not one of", id="direction"),
        pytest.param("[metrics.x]\nmin = 2\nmax = 1\n", "metrics.x.min: 2 lies above max = 1", id="bounds"),
        pytest.param("[metrics.x]\naliases = [1]\n", "metrics.x.aliases: an array of strings", id="aliases"),
        pytest.param('timezone = "Mars"\n', "timezone: 'Mars' is not a time zone", id="zone"),
        pytest.param('timezone = "../../etc/passwd"\n', "timezone: ", id="zone as a path"),
        pytest.param("[defaults]\nunknown_metrics = 1\n", "a number where true or false", id="switch"),
        pytest.param("[defaults]\nunknown_metric = true\n", "did you mean unknown_metrics?", id="unknown switch"),
        pytest.param('on_no_data = "bad"\n', "on_no_data: 'bad' is not one of ok, warning", id="severity"),
        pytest.param("store = 1\n", "store: a number where a table is expected", id="store of another type"),
        pytest.param("a = \n", "line 1", id="syntax names the line"),
        pytest.param(RULE + f"critical = {{ below = {'9' * 400} }}\n", "more than 15 digits", id="no float"),
        pytest.param(RULE + f"critical = {{ below = 0 }}\nconfirm = {10**15}\n", "more than 15 digits", id="integer"),
        pytest.param(RULE + 'check = "shift"\nperiods = 1000000000\n', "more than 100,000 periods", id="periods"),
        pytest.param(RULE + 'check = "shift"\nslack = 1e308\n', "slack are numbers of deviations", id="slack"),
        pytest.param('[store]\npath = "a\\u0000"\n', "store.path: there is a NUL in it", id="NUL"),
        pytest.param(f'[store]\npath = "{"a" * 256}"\n', "store.path: a path longer than", id="long name"),
        pytest.param(f'[store]\npath = "{"a/" * 2100}"\n', "store.path: a path longer than", id="long path"),
        pytest.param("[[rules]]\n" * 50_000, "50,001 tables, more than 10,000", id="tables"),
        pytest.param("rules = [" + "{}," * 50_000 + "]", "50,001 tables, more than 10,000", id="inline tables"),
    ],
)
def test_a_mistake_names_the_file_the_key_and_the_remedy(load_config, tmp_path, text, message):
    with pytest.raises(ConfigError) as error:
        load_config(text)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'modeltop.toml'}: ")
    assert "\n" not in str(error.value)


def test_all_mistakes_are_reported_at_once_one_a_line(load_config):
    with pytest.raises(ConfigError) as error:
        load_config('tz = "UTC"\n[store]\npaht = "x"\n')
    assert len(str(error.value).splitlines()) == 2


def test_a_moment_outside_of_all_years_is_a_mistake(load_config):
    with pytest.raises(ConfigError, match="outside of the years 1 to 9999"):
        load_config('[reference]\nfrom = "9999-12-31T23:59:59-12:00"\nto = "9999-12-31"\n')


def test_a_key_of_many_parts_is_refused_however_it_is_quoted(load_config):
    for part in ('"! "', "'!'", '"\\u0041"', "a"):
        with pytest.raises(ConfigError, match=r"toml:1: a key of more than 50 parts"):
            load_config(" . ".join([part] * 60) + " = 1")
    load_config("[models]\n" + 'x.aliases = ["' + "a." * 100 + '"]\n')


def test_of_many_mistakes_the_first_are_reported(load_config):
    with pytest.raises(ConfigError) as error:
        load_config("[[routes]]\n" * 3_000)
    lines = str(error.value).splitlines()
    assert len(lines) == 21
    assert lines[-1].endswith("2,980 more mistakes")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param('# "x"\ntimezone = "Mars"\n', 2, id="a key of the file"),
        pytest.param('[watch]\nevery = "1m"\n\nlog = "loud"\n', 4, id="a key of a table"),
        pytest.param('[[calendar]]\nname = "a"\ndates = "12-25"\n[[calendar]]\nname = "b"\n', 4, id="a missing key"),
        pytest.param('[[rules]]\nname = "a"\nmetric = "m"\nwarn = { below = "x" }\n', 4, id="in an inline table"),
        pytest.param('[[calendar]]\nname = "a"\ndates = [\n"12-25",\n"1"\n]\n', 3, id="in an array of several lines"),
        pytest.param('[receivers."my team"]\ntype = "slak"\n', 2, id="a table of a quoted name"),
    ],
)
def test_a_mistake_names_its_line(load_config, text, line):
    with pytest.raises(ConfigError) as error:
        load_config(text)
    assert str(error.value).splitlines()[0].endswith(f" (line {line})")


@given(st.text(max_size=200), st.text(max_size=20))
def test_whatever_a_file_holds_a_line_is_one_of_it(text, key):
    line = line_of(text, key)
    assert line is None or 1 <= line <= len(text.splitlines())


def test_a_file_that_is_no_text_names_the_line(tmp_path):
    path = tmp_path / "modeltop.toml"
    path.write_bytes(b"# fine\n# \xff\n")
    with pytest.raises(ConfigError, match=r"modeltop.toml:2: not UTF-8"):
        load(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "modeltop.toml"
    path.write_bytes(b"#" * (SIZE_LIMIT + 2))
    with pytest.raises(ConfigError, match="larger than"):
        load(path)


def test_a_missing_file_is_reported_only_if_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    assert find() is None
    with pytest.raises(ConfigError, match="cannot be read"):
        load(find("absent.toml"))


def test_the_working_directory_comes_before_the_users_folder(tmp_path, monkeypatch):
    home = tmp_path / "home" / "modeltop"
    home.mkdir(parents=True)
    (home / "modeltop.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    assert find() == home / "modeltop.toml"
    (tmp_path / "modeltop.toml").touch()
    assert find() == Path("modeltop.toml")


def test_without_a_home_folder_the_working_directory_is_searched_alone(monkeypatch):
    def no_home(_: object) -> Path:
        raise RuntimeError("no home folder")

    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # which the specification tells to ignore
    monkeypatch.setattr(Path, "home", classmethod(no_home))
    assert candidate_paths() == (Path("modeltop.toml"),)


def test_models_have_earlier_names(load_config):
    config = load_config('[models.churn]\naliases = ["churn-v1", "churn-v2"]\n[models.fraud]\naliases = "old"\n')
    assert config.model_aliases == {"churn-v1": "churn", "churn-v2": "churn", "old": "fraud"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[models.a]\naliases = ["b"]\n[models.b]\naliases = ["c"]\n', "models.a.aliases: `b` has a table of its own"),
        ('[models.a]\naliases = ["c"]\n[models.b]\naliases = ["c"]\n', "models.b.aliases: `c` is also an alias of `a`"),
        ('[models.a]\nalias = ["c"]\n', "models.a.alias: unknown key"),
    ],
)
def test_a_name_is_of_one_model(load_config, text, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(text)
