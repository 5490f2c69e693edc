"""Receivers, routes, mutes and the watcher: every key arrives, every mistake is named with its key."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from modeltop.core.errors import ConfigError
from modeltop.core.incident import Matchers

TEAM = '[receivers.team]\ntype = "slack"\nurl_env = "MODELTOP_TEST_URL"\n'
PAGER = '[receivers.pager]\ntype = "pagerduty"\nrouting_key_file = "pager.key"\n'


def test_without_routes_every_receiver_is_notified_of_everything(load_config):
    config = load_config(TEAM + PAGER)
    assert list(config.receivers) == ["team", "pager"]
    (route,) = config.routes
    assert (route.receivers, route.matchers, route.min_severity) == (("team", "pager"), Matchers(), "warning")
    assert load_config("").routes == ()


def test_every_key_of_a_route_reaches_the_route(load_config):
    (route,) = load_config(
        TEAM
        + PAGER
        + '[[routes]]\nname = "night"\nreceivers = "team"\nmodel = "fraud*"\nrule = "floor"\nleast = "critical"\n'
        + 'escalate_after = "30m"\nescalate_to = ["pager"]\n'
        + 'hours = [{ days = "fri-mon", from = "22:00", to = "06:30", timezone = "Europe/Berlin" }]\n'
    ).routes
    assert (route.name, route.receivers, route.min_severity) == ("night", ("team",), "critical")
    assert route.matchers == Matchers(model="fraud*", rule="floor")
    assert (route.escalate_after, route.escalate_to) == (timedelta(minutes=30), ("pager",))
    (hours,) = route.time_intervals
    assert hours.days == (0, 4, 5, 6)
    assert (hours.start, hours.end, hours.zone) == (time(22), time(6, 30), ZoneInfo("Europe/Berlin"))


def test_hours_are_in_the_zone_of_the_file_where_they_name_none(load_config):
    mute = load_config('timezone = "Asia/Tokyo"\n[[mutes]]\nhours = [{ days = "sat,sun" }]\n').mutes[0]
    assert mute.time_intervals[0].zone == ZoneInfo("Asia/Tokyo")
    assert mute.time_intervals[0].days == (5, 6)
    assert mute.time_intervals[0].start == mute.time_intervals[0].end == time(0)


@pytest.mark.parametrize(
    ("text", "repeat"),
    [
        pytest.param("", timedelta(hours=4), id="every four hours by default"),
        pytest.param('repeat = "1h"\n', timedelta(hours=1), id="as often as is said"),
        pytest.param('repeat = "never"\n', None, id="once and never again"),
    ],
)
def test_how_often_a_receiver_hears_of_the_same(load_config, text, repeat):
    assert load_config(TEAM + text).receivers["team"].policy.repeat == repeat


def test_the_pace_of_a_receiver_is_its_own(load_config):
    pace = (
        load_config(TEAM + 'group = 0\nhourly = 5\nresolved = false\nfallback = "pager"\n' + PAGER)
        .receivers["team"]
        .policy
    )
    assert (pace.group, pace.hourly, pace.resolved, pace.fallback, pace.exempt) == (0, 5, False, "pager", False)


def test_pagerduty_groups_by_itself(load_config):
    assert load_config(PAGER).receivers["pager"].policy.exempt


def test_a_file_of_a_secret_is_sought_beside_the_configuration(load_config, tmp_path):
    secret = load_config(PAGER).receivers["pager"].notifier.routing_key
    (tmp_path / "pager.key").write_text("s3cr3t-key\n")
    (tmp_path / "pager.key").chmod(0o600)
    assert secret.read() == "s3cr3t-key"
    assert "s3cr3t" not in repr(load_config(PAGER))


def test_loading_needs_no_secret_at_all(load_config, monkeypatch):
    monkeypatch.delenv("MODELTOP_TEST_URL", raising=False)
    assert "team" in load_config(TEAM).receivers


def test_a_rule_may_name_its_own_receivers_and_its_runbook(load_config):
    text = '[[rules]]\nname = "f"\nmetric = "accuracy"\ncritical = { below = 0.9 }\nrunbook = "https://wiki/f"\n'
    (rule,) = load_config(text + 'receivers = ["team"]\n' + TEAM).rules
    assert (rule.runbook, rule.receivers) == ("https://wiki/f", ("team",))


def test_the_watcher_can_be_paced(load_config):
    watch = load_config('[watch]\nevery = "5m"\nack_for = "8h"\nheartbeat_env = "BEAT"\n').watch
    assert (watch.every, watch.ack_for) == (timedelta(minutes=5), timedelta(hours=8))
    assert watch.heartbeat is not None
    assert load_config("").watch.heartbeat is None


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        pytest.param('[receivers.a]\nurl_env = "U"\n', "receivers.a.type", "one of slack", id="no type"),
        pytest.param('[receivers.a]\ntype = "slak"\n', "receivers.a.type", "did you mean slack", id="type misspelt"),
        pytest.param('[receivers.a]\ntype = "slack"\n', "receivers.a.url", "url_env or url_file", id="no secret"),
        pytest.param(TEAM + 'url = "https://x"\n', "receivers.team.url", "url_env", id="a secret in the file"),
        pytest.param(TEAM + 'url_file = "x"\n', "receivers.team.url_file", "not both", id="a secret twice"),
        pytest.param(TEAM + 'chanel = "x"\n', "receivers.team.chanel", "unknown key", id="a key misspelt"),
        pytest.param(
            TEAM + 'fallback = "pager"\n', "receivers.team.fallback", "not another receiver", id="no fallback"
        ),
        pytest.param(TEAM + 'fallback = "team"\n', "receivers.team.fallback", "not another receiver", id="itself"),
        pytest.param(TEAM + "[[routes]]\n", "routes[1].receivers", "missing", id="a route to nobody"),
        pytest.param(TEAM + '[[routes]]\nreceivers = ["tem"]\n', "routes[1].receivers", "team", id="unknown receiver"),
        pytest.param(
            TEAM + '[[routes]]\nreceivers = ["team"]\nescalate_after = "1h"\n',
            "routes[1].escalate_to",
            "missing",
            id="escalates to nobody",
        ),
        pytest.param(
            TEAM + '[[routes]]\nreceivers = ["team"]\nhours = [{ days = "someday" }]\n',
            "routes[1].hours[1].days",
            "mon-fri",
            id="no day",
        ),
        pytest.param(
            '[[mutes]]\nhours = [{ from = "25:00" }]\n', "mutes[1].hours[1].from", "09:00", id="no time of day"
        ),
        pytest.param(
            '[[mutes]]\nhours = [{ timezone = "Mars" }]\n', "mutes[1].hours[1].timezone", "Europe", id="no zone"
        ),
        pytest.param('[[mutes]]\nmodel = "x"\n', "mutes[1].hours", "missing", id="a mute without hours"),
        pytest.param('[watch]\nevery = "soon"\n', "watch.every", "36h", id="no length of time"),
        pytest.param(
            '[[rules]]\nname = "f"\nmetric = "m"\ncritical = { below = 1 }\nreceivers = ["nobody"]\n',
            "rules[1].receivers",
            "[receivers.nobody]",
            id="a rule tells nobody that is known",
        ),
    ],
)
def test_a_mistake_names_its_key_and_the_remedy(load_config, text, key, remedy):
    with pytest.raises(ConfigError) as caught:
        load_config(text)
    (line,) = str(caught.value).splitlines()
    assert f"modeltop.toml: {key}: " in line
    assert remedy in line


def test_routes_and_mutes_need_names_of_their_own(load_config):
    twice = '[[routes]]\nname = "a"\nreceivers = ["team"]\n' * 2
    with pytest.raises(ConfigError, match=r"routes\[2\]\.name.*is used twice"):
        load_config(TEAM + twice)


def test_all_that_a_receiver_lacks_is_named_at_once(load_config):
    with pytest.raises(ConfigError) as caught:
        load_config('[receivers.a]\ntype = "email"\n')
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == ["receivers.a.host", "receivers.a.sender", "receivers.a.to"]
