"""A password or a token in a text is redacted, whatever the text is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.text import redact_credentials, sanitize

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=6, max_size=40).filter(
    lambda text: "***" not in text
)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%+/=", min_size=6, max_size=60)
ADDRESSES = ("postgres://a:{}@db/x", "postgres:/a:{}@db/x", "https://{}@host/m.csv", "see s3://k:{}@b, then", "x:/{}@h")
PARAMETERS = (
    "https://x.test/m.csv?token={}", "m.csv?v=1&api_key={}&x=2", "host=db password={} user=ann", "AccountKey={};x=1",
    "Server=db;PWD={}", "https://x.test/?sig={}", "a?X-Amz-Signature={}", "unrecognized arguments: --password {}",
    "--api-key={}", "Authorization: Bearer {}", "authorization: basic {}", "X-Api-Key: {}", "Bearer {}",
    "'Authorization': '{}'", "https://hooks.slack.com/services/{}", "https://x.test/api/webhooks/{}",
    "https://x.test/?jwt={}", "https://x.test/?v=1&pw={}", "https://x.test/?sas={}", "jdbc:oracle:thin:ann/{}@db/x",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
@given(secret=SECRETS)
def test_a_password_in_an_address_is_in_no_text(address, secret):
    for text in (redact_credentials(address.format(secret)), sanitize(address.format(secret), 30)):
        assert secret not in text
        assert "***" in text


@pytest.mark.parametrize("parameter", PARAMETERS)
@given(token=TOKENS)
def test_a_token_in_a_parameter_an_option_or_a_header_is_in_no_text(parameter, token):
    redacted = redact_credentials(parameter.format(token))
    assert token not in redacted
    assert "***" in redacted


@given(st.text(max_size=80))
def test_redacting_twice_changes_nothing_more(text):
    assert redact_credentials(redact_credentials(text)) == redact_credentials(text)


@pytest.mark.parametrize(
    "text",
    [
        "churn", "feature=age", "class=auth", "--below token_accuracy=0.8", "tokens_per_second=50", "b.csv:12: no date",
        "see https://wiki.test:8080/x, ask ops@x.test", "s3://bucket/2025-01-01T00:00:00.csv", "http://[::1]:8080/x",
        "the token is wrong", "secret: comes from the environment", "snowflake://acc::TABLE", "postgres://db:5432/x",
        "ranking=ndcg@10", "pass@1 fell: 0.9", "C:/x/y",
    ],
)  # fmt: skip
def test_what_is_no_credential_stays(text):
    assert redact_credentials(text) == text


def test_a_password_with_a_space_is_redacted_up_to_its_end():
    assert redact_credentials("check postgres://ann:my s3cret@db/x") == "check postgres://***@db/x"


@pytest.mark.parametrize("text", ["a:/" * 5000, "--token" * 2000 + "=", "bearer " * 2000, "key" + "-" * 9000 + ":"])
def test_a_long_hostile_text_comes_to_an_end(text):
    assert len(redact_credentials(text)) <= 20_000
