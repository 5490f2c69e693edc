"""Text for people: foreign strings made safe to print, and the format of numbers and dates."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

BLOCKS = "▁▂▃▄▅▆▇█"
TIME_UNITS = (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60))
DURATION_HINT = "write a number and s, m, h, d or w, such as 36h"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_ASCII = str.maketrans(
    dict(zip("▁▂▃▄▅▆▇█▲◆●○✓×…−–·Δ↑↓─│┌┐└┘├┤┬┴┼┊", "__.-=+*#X!.?+x~---d^v-|+++++++++:", strict=True))
    | {"→": "->", "←": "<-", "±": "+/-"}
)
"""`>` for an arrow would be a comparison."""
MARKS_PER_BASE = 2
"""Most combining marks on one character; more would climb over the lines above."""
REDACTED = "***"
MAX_REDACTED = 10_000
"""Characters of a text that are searched for credentials; what follows is cut off."""
_HINTS = ("pass", "pw", "secret", "token", "auth", "sig", "credential", "key", "cookie", "bearer", "code", "hooks",
          "jwt", "sas", "oracle")  # fmt: skip
"""Without one of these, in lower case, a text has no credentials but those of an address."""
_CREDENTIAL = re.compile(
    r"(?:(?P<name>password|passwd|passphrase|pwd|secret|token|signature|credentials?|authorization|cookie"
    r"|(?:api|access|account|private|secret|shared)[_-]?(?:access)?[_-]?key(?:[_-]?id)?"
    r"|(?<=[?&;])(?:auth|code|jwt|key|pass|pw|sas|sig)(?==))"
    r"(?P<separator>=|[\"']\s*:\s*|\s?:\s*(?:(?:basic|bearer)\s+)?|\s+)"
    r"|\bbearer\s+|oracle:(?:thin|oci):(?=[^\s@]*@)|hooks\.slack\.com/services/|/api/webhooks/)(?=\S)",
    re.IGNORECASE,
)
"""What precedes a credential."""
_VALUE = re.compile(r"\*{3}(?=[\s&})\]'\"`,;:.]|$)|'[^']*'|\"[^\"]*\"|[^\s&]+")
_ADDRESS = re.compile(r":/+(?P<rest>(?P<authority>[^\s/?#]*)\S*)")
_PASSWORD = re.compile(r"^[^\[:]*:(?!:|\d{1,5}(?:$|[,;:.)'\"`]))")
"""An address up to a colon that no port follows."""


def to_encoding(text: str, encoding: str = "ascii") -> str:
    r"""Return the text in characters that an encoding has, for terminals, pagers and text messages.

    >>> to_encoding("0.96 █▇▅▁ 0.87 → 宽"), to_encoding("0.9±0.1", "latin-1")
    ('0.96 #*=_ 0.87 -> \\u5bbd', '0.9±0.1')
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text
    return text


def display_width(text: str) -> int:
    """Return the width of `text` in terminal cells (Unicode TR11: wide and fullwidth two, combining marks none)."""
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def redact_credentials(text: str) -> str:
    """Return the text without passwords and tokens: of addresses, connection strings, options and headers.

    Rather too much is replaced than too little: of an address all up to the last `@` of its word.

    >>> redact_credentials("postgres://ann:s3cret@db/x"), redact_credentials("https://x.test/m.csv?token=abc&v=2")
    ('postgres://***@db/x', 'https://x.test/m.csv?token=***&v=2')
    >>> redact_credentials("see https://wiki.test:8080/x, ask ops@x.test"), redact_credentials("token_accuracy=0.9")
    ('see https://wiki.test:8080/x, ask ops@x.test', 'token_accuracy=0.9')
    """
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        text = _redact_values(text[:MAX_REDACTED])
    return _redact_users(text[:MAX_REDACTED]) if ":/" in text else text


def holds_credentials(text: str) -> bool:
    """Return whether a text holds a password or a token, so that it must not be stored as a name."""
    return redact_credentials(text) != text


def _redact_values(text: str) -> str:
    parts, start = list[str](), 0
    while match := _CREDENTIAL.search(text, start):
        parts.append(text[start : match.end()])
        start = match.end()
        value = _VALUE.match(text, start) if _is_credential(match) else None
        if value:
            parts.append(REDACTED)
            start = value.end()
    return "".join((*parts, text[start:]))


def _is_credential(match: re.Match[str]) -> bool:
    name, separator = match["name"], match["separator"]
    before = match.string[max(0, match.start() - 40) : match.start()]
    if name is None or separator[0] in "=\"'":
        return True
    if separator.isspace():  # of an option such as `--password ...`, not of a sentence
        return re.search(r"--[\w-]*$", before) is not None
    # Of a header, not of a message of ours.
    return name.lower() in ("authorization", "cookie") or re.search(r"\bx-[\w-]*$", before, re.IGNORECASE) is not None


def _redact_users(text: str) -> str:
    parts, start = list[str](), 0
    while match := _ADDRESS.search(text, start):
        begin, end = match.span("rest")
        at = text.rfind("@", begin, end)
        if at < 0 and _PASSWORD.search(match["authority"]):
            at = text.find("@", end)  # the password may have a space in it
            end = max(end, at)
            at = end if at < 0 else at
        parts.append(text[start:begin])
        parts.append(text[begin:end] if at < 0 else REDACTED + text[at:end])
        start = end
    return "".join((*parts, text[start:]))


def sanitize(text: object, limit: int = 200) -> str:
    r"""Return foreign text that is safe on a terminal: escaped if it does not print, in at most `limit` cells.

    Credentials in it are redacted.

    >>> sanitize("a\x1b[2Jb")
    'a\\x1b[2Jb'
    >>> sanitize("churn eu")
    'churn eu'
    >>> sanitize("W" * 300, 5)
    'WWWW…'
    """
    string = redact_credentials(str(text))
    if string.isascii() and string.isprintable() and len(string) <= limit:
        return string
    return truncate("".join(_escape(string[: 4 * limit + 8])), limit)


def _escape(string: str) -> list[str]:
    chars: list[str] = []
    marks = MARKS_PER_BASE  # a mark without a base character before it is replaced
    for char in string:
        if _char_width(char):
            marks = 0
        elif marks >= MARKS_PER_BASE:
            if chars[-1:] != ["…"]:
                chars.append("…")
            continue
        else:
            marks += 1
        chars.append(char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii"))
    return chars


def truncate(text: str, limit: int) -> str:
    """Return `text` in at most `limit` cells, ended by `…` if it was cut.

    >>> truncate("fraud-detector", 10)
    'fraud-det…'
    """
    if len(text) <= limit and (text.isascii() or display_width(text) <= limit):
        return text
    chars, width = [], 0
    for char in text:
        width += _char_width(char)
        if width > limit - 1:
            break
        chars.append(char)
    return "".join(chars) + "…" if limit > 0 else ""


def truncate_middle(text: str, limit: int) -> str:
    """Return `text` in at most `limit` cells, cut in the middle: names of one family often differ at their ends.

    >>> truncate_middle("fraud-detector-eu", 10), truncate_middle("churn", 10)
    ('fraud…r-eu', 'churn')
    """
    if display_width(text) <= limit:
        return text
    tail = truncate(text[::-1], limit // 2)[:-1][::-1]
    return truncate(text, limit - display_width(tail)) + tail


@lru_cache(maxsize=64)
def truncate_apart(names: tuple[str, ...], limit: int) -> dict[str, str]:
    """Return each name in at most `limit` cells: cut at its end, or in the middle if its start is that of another.

    >>> truncate_apart(("checkout-fraud", "payment-eu", "payment-us"), 8)
    {'checkout-fraud': 'checkou…', 'payment-eu': 'paym…-eu', 'payment-us': 'paym…-us'}
    """
    starts = {name: truncate(name, limit) for name in names}
    counts = Counter(starts.values())
    return {name: start if counts[start] == 1 else truncate_middle(name, limit) for name, start in starts.items()}


def truncate_at_word(text: str, limit: int) -> str:
    """Return `text` in at most `limit` cells, cut between words, so that no number loses its end.

    >>> truncate_at_word("RMSE jumped, 100→300; 301 now", 24), truncate_at_word("fraud-detector", 10)
    ('RMSE jumped, 100→300…', 'fraud-det…')
    """
    cut = truncate(text, limit)
    head = cut.rpartition(" ")[0].rstrip(" ,;:")
    return f"{head}…" if cut != text and head else cut


def pad(text: str, cells: int) -> str:
    """Return `text` truncated or filled with spaces to exactly `cells` terminal cells."""
    truncated = truncate(text, cells)
    return truncated + " " * (cells - display_width(truncated))


def format_period(moment: datetime) -> str:
    """Return the start of a period: the date, and the time of day if it is not midnight.

    >>> format_period(datetime(2025, 1, 9, tzinfo=UTC)), format_period(datetime(2025, 1, 9, 2, 30, tzinfo=UTC))
    ('2025-01-09', '2025-01-09 02:30')
    """
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00").removesuffix(" 00:00")


def format_day(moment: datetime, now: datetime | None = None) -> str:
    """Return the start of a period for a sentence, with the year unless it is that of `now`.

    >>> day = datetime(2025, 6, 26, tzinfo=UTC)
    >>> format_day(day, day), format_day(day, day.replace(year=2026)), format_day(day.replace(hour=14), day)
    ('26 Jun', '26 Jun 2025', '26 Jun 14:00')
    """
    year = "" if now and moment.year == now.year else f" {moment.year}"
    clock = "" if (moment.hour, moment.minute) == (0, 0) else f" {moment:%H:%M}"
    return f"{moment.day} {moment:%b}{year}{clock}"


def format_minute(moment: datetime, now: datetime | None = None) -> str:
    """Return an aware moment to the minute in UTC, with the year unless it is that of `now`.

    >>> format_minute(datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC), datetime(2025, 1, 9, tzinfo=UTC))
    '10 Jan 14:03 UTC'
    """
    day = format_day(moment.astimezone(UTC).replace(hour=0, minute=0), now)
    return f"{day} {moment.astimezone(UTC):%H:%M} UTC"


def format_age(span: timedelta) -> str:
    """Return a duration in its largest unit, truncated, not rounded, to at least one second.

    >>> format_age(timedelta(minutes=3, seconds=59)), format_age(timedelta(days=800)), format_age(timedelta(hours=25))
    ('3m', '2y', '1d')
    """
    seconds = max(0, int(span.total_seconds()))
    for unit, size in TIME_UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit[0]}"
    return f"{seconds}s"


def format_duration(span: timedelta, parts: int = 2) -> str:
    """Return a duration in words, in its largest units, truncated.

    >>> format_duration(timedelta(days=2, hours=5, minutes=59)), format_duration(timedelta(minutes=30))
    ('2 days 5 hours', '30 minutes')
    >>> format_duration(timedelta(days=1, minutes=5)), format_duration(timedelta(days=500), 1)
    ('1 day', '1 year')
    """
    rest, words = max(0, int(span.total_seconds())), list[str]()
    for unit, size in (*TIME_UNITS, ("second", 1)):
        count, rest = divmod(rest, size)
        if (words and not count) or len(words) == parts:
            break
        words += [pluralize(count, unit)] if count else []
    return " ".join(words) or "0 seconds"


MAX_DURATION = timedelta(weeks=99_999)
"""The longest that `parse_duration` returns, about 1,900 years."""


def parse_duration(text: str) -> timedelta | None:
    """Return a positive duration such as `90m`, `36h`, `2d`, `1w`; None if the text is no duration.

    >>> parse_duration("7d"), parse_duration("soon")
    (datetime.timedelta(days=7), None)
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smhdw])", text.strip())
    if match is None or float(match[1]) == 0:
        return None
    # With more, a moment from now may lie beyond the first or the last year that there is.
    return min(timedelta(seconds=float(match[1]) * _SECONDS[match[2]]), MAX_DURATION)


def format_exact(value: float) -> str:
    """Return the shortest text that reads back as the same number, without an exponent if a person would write none.

    >>> format_exact(0.9), format_exact(0.845), format_exact(1200.0), format_exact(-0.1), format_exact(1e-07)
    ('0.9', '0.845', '1200', '-0.1', '1e-07')
    """
    return repr(float(value)).removesuffix(".0")


def pluralize(number: int, noun: str) -> str:
    """Return a count and its noun, such as `1 model` or `2,000 periods`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def per_unit(unit: str) -> str:
    """Return `a day`, `an hour`: how often something comes."""
    return f"{'an' if unit == 'hour' else 'a'} {unit}"


def format_percent(proportion: float) -> str:
    """Return a whole percentage, or with as many digits as are needed to be above 0.

    >>> format_percent(0.341), format_percent(0.004), format_percent(0.0)
    ('34 %', '0.4 %', '0 %')
    """
    return f"{100 * proportion:.0f} %" if proportion >= 0.01 or not proportion else f"{100 * proportion:.1g} %"


def format_fixed(value: float, digits: int = 3) -> str:
    """Return a value with the decimals of its metric, the same in a table, an alert and a title.

    Large values have fewer; of a value that all decimals would make zero there is one significant digit.

    >>> format_fixed(0.87), format_fixed(121.0), format_fixed(1234567.0), format_fixed(0.0004), format_fixed(45.12, 1)
    ('0.870', '121.0', '1234567', '0.0004', '45.1')
    """
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    size = abs(value)
    if size >= 1e15:
        return f"{value:.6g}"
    if size >= 1000 and (value == round(value) or size >= 1e5):
        return f"{value:.0f}"
    if value and round(size, digits) == 0:
        return f"{value:.1g}"
    return f"{value:.{min(digits, 1) if size >= 100 else digits}f}"


def format_value(value: float, digits: int = 3) -> str:
    """Return a limit or another number of a sentence: at most `digits` decimals, at least two, no padding beyond them.

    >>> format_value(0.87), format_value(0.9), format_value(0.553672), format_value(1200.0), format_value(12345.678)
    ('0.87', '0.90', '0.554', '1200', '12345.7')
    """
    if not math.isfinite(value):
        return format_exact(value)
    if abs(value) >= 100:
        return format_exact(round(value, 1))
    text = f"{value:.{digits}f}"
    if float(text) == 0 != value:
        return f"{value:.1g}"
    integer, _, decimals = text.partition(".")
    return f"{integer}.{decimals.rstrip('0').ljust(2, '0')}"


def format_comparison(value: float, sign: str, limit: float, digits: int = 3) -> str:
    """Return `value sign limit` with as many decimals as are needed to distinguish the two.

    Args:
        value: The value to compare.
        sign: `<` or `>`, as it is.
        limit: The value it is compared with; four decimals at least.
        digits: Decimals of the metric.

    >>> format_comparison(0.87, "<", 0.9), format_comparison(0.8999999, "<", 0.9)
    ('0.870 < 0.90', '0.8999999 < 0.90')
    """
    right = format_value(limit, 4)
    if float(left := format_fixed(value, digits)) != float(right) or value == limit:
        return f"{left} {sign} {right}"
    for more in (4, 6, 9):
        left, right = format_value(value, more), format_value(limit, more)
        if float(left) != float(right):
            return f"{left} {sign} {right}"
    return f"{format_exact(value)} {sign} {format_exact(limit)}"


def exact_glob(name: str) -> str:
    """Return the glob that matches this name and no other.

    >>> exact_glob("[eu] churn*")
    '[[]eu] churn[*]'
    """
    return re.sub(r"[*?[]", r"[\g<0>]", name)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a question after the nearest name, to end a sentence; empty where none is near."""
    import difflib  # late: nothing is mistyped as a rule

    matches = difflib.get_close_matches(name, list(candidates), n=1)
    return f": did you mean {sanitize(matches[0], 60)}?" if matches else ""


def block_characters(values: Iterable[float], low: float, high: float) -> str:
    """Return values as blocks of eight heights, one per cell; a value that is not finite is a blank.

    >>> block_characters([0.0, 0.5, 1.0, float("nan")], 0.0, 1.0)
    '▁▅█ '
    """
    step = (high - low) / (len(BLOCKS) - 1)

    def block(value: float) -> str:
        if not math.isfinite(value):
            return " "
        return BLOCKS[max(0, min(round((value - low) / step), len(BLOCKS) - 1))] if step > 0 else BLOCKS[3]

    return "".join(block(value) for value in values)
