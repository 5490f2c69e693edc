"""Slack: what is posted keeps to its published limits, and nothing foreign becomes a mention or a link."""

import json
import re

import pytest

from modeltop.alerting.notifiers.slack import Slack, payload
from modeltop.core.errors import NotifyError
from modeltop.core.event import NotificationReason
from modeltop.core.series import Severity

LIMITS = {"header": 150, "section": 3000, "context": 3000}


def units(text):
    return len(text.encode("utf-16-le")) // 2


def assert_valid(posted):
    """What https://docs.slack.dev/reference/block-kit asks of blocks of these types."""
    assert 1 <= len(posted["blocks"]) <= 50
    assert 1 <= units(posted["text"]) <= 40_000
    for block in posted["blocks"]:
        assert block["type"] in LIMITS
        texts = [block["text"]] if "text" in block else block.get("fields") or block["elements"]
        assert 1 <= len(texts) <= 10
        limit = 2000 if "fields" in block else LIMITS[block["type"]]
        for text in texts:
            assert 1 <= units(text["text"]) <= limit
            assert text["type"] in ({"plain_text"} if block["type"] == "header" else {"plain_text", "mrkdwn"})
            assert set(text) <= {"type", "text", "emoji" if text["type"] == "plain_text" else "verbatim"}


def all_text(posted):
    return json.dumps(posted, ensure_ascii=False)


def test_a_message_arrives_as_blocks(serve, secret, authority, message):
    served = serve(context=authority.server())
    Slack(url=secret(served.url + "/services/T0/B0/x"), timeout=3, ca_file=authority.pem).send(message())
    (request,) = served.requests
    assert (request.method, request.path) == ("POST", "/services/T0/B0/x")
    assert request.headers["content-type"] == "application/json"
    assert_valid(request.json)
    assert request.json["text"] == "▲ critical fraud-detector: accuracy 0.870 &lt; 0.90"
    assert request.json["blocks"][0]["text"]["text"] == request.json["text"]


def test_a_message_says_what_is_asked_at_night(message):
    texts = all_text(payload(message()))
    for expected in (
        "model: fraud-detector",
        "value: 0.870 &lt; 0.90",
        "since: 9 Jan 02:10 UTC",
        "0.96 █▇▆▃▁ 0.87",
        "<https://wiki.test/accuracy?a=1&amp;b=2|Runbook>",
        "acknowledge: modeltop ack 1a2b3c4d",
    ):
        assert expected in texts


@pytest.mark.parametrize("body", [b"", b"no_service", b"<html>ok</html>", b'{"ok": true}', b"ok ok"])
def test_success_is_the_word_ok_and_nothing_else(serve, answer, secret, message, body):
    slack = Slack(url=secret(serve(answer(200, body)).url), timeout=3)
    with pytest.raises(NotifyError, match="answered 200, but not `ok`") as caught:
        slack.send(message())
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("status", "body", "permanent"),
    [
        (400, b"invalid_payload", True),
        (403, b"action_prohibited", True),
        (404, b"no_service", True),
        (410, b"channel_is_archived", True),
        (429, b"rate_limited", False),
        (500, b"rollup_error", False),
    ],
)
def test_what_slack_answers_is_quoted(serve, answer, secret, message, status, body, permanent):
    slack = Slack(url=secret(serve(answer(status, body)).url), timeout=3)
    with pytest.raises(NotifyError, match=f"answered {status}: {body.decode()}") as caught:
        slack.send(message())
    assert caught.value.permanent is permanent


def test_foreign_text_becomes_neither_mention_nor_link_nor_markup(message, section, hostile):
    foreign = dict.fromkeys(("model", "metric", "segment", "rule"), hostile)
    for posted in (payload(message(**foreign)), payload(message(*[section(**foreign)] * 60))):
        assert_valid(posted)
        links = re.findall(r"<[^>]*>?", all_text(posted))
        assert set(links) <= {"<https://wiki.test/accuracy?a=1&amp;b=2|Runbook>"}
        assert (posted["parse"], posted["link_names"], posted["mrkdwn"]) == ("none", False, False)
        for block in posted["blocks"]:
            for text in [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]:
                assert text is None or text["text"].replace("\n", "").isprintable()
                marked = text is not None and text["type"] == "mrkdwn"
                assert not marked or text["text"].startswith(("<https://wiki.test", "```0.96"))


@pytest.mark.parametrize("runbook", ["run/book.md", "https://x.test/a|b", "https://x.test/<!channel>", "javascript:x"])
def test_a_runbook_that_is_no_plain_address_is_text(message, runbook):
    texts = [block.get("text", {}) for block in payload(message(runbook=runbook))["blocks"]]
    assert not [text for text in texts if text.get("type") == "mrkdwn" and "wiki" in text["text"]]
    assert [text["type"] for text in texts if "runbook" in text.get("text", "")] == ["plain_text"]


def test_an_entity_is_never_torn_where_a_text_is_cut():
    from modeltop.alerting.notifiers.slack import _escaped

    for length in range(1, 40):
        cut = _escaped("a<" * 30, length)
        assert units(cut) <= length
        assert re.fullmatch(r"(a|&lt;)*…?", cut)


def test_a_group_shows_its_worst_first(message, section):
    sections = (section(), section(reason=NotificationReason.RESOLVED, severity=Severity.OK, model="churn"))
    posted = payload(message(*sections))
    assert posted["text"].startswith("▲ 1 critical, 1 resolved | critical fraud-detector")
    body = posted["blocks"][1]["text"]["text"]
    assert body.index("fraud-detector") < body.index("churn")
