"""Whatever bytes a terminal sends, the parser of keys survives them, and the next key is a key."""

import codecs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual import events

from modeltop_tui.terminal import driver
from modeltop_tui.terminal.driver import MAX_KEPT, MAX_TYPED, PASTE_END, PASTE_START, _KeyParser

numbers = st.integers(-1, 2**70).map(str) | st.sampled_from(["", "0", "55296", "1114112", "57441", "48", "97"])
sequences = st.builds(
    lambda mark, parameters, end: f"\x1b[{mark}{parameters}{end}".encode(),
    st.sampled_from(["", "<", "?", ">", "="]),
    st.lists(st.lists(numbers, max_size=3).map(":".join), max_size=6).map(";".join),
    st.sampled_from("u~ABCDEFHPQRSMmtyIOc"),
)
pieces = (
    st.binary(max_size=20)
    | sequences
    | st.sampled_from([PASTE_START.encode(), PASTE_END.encode(), b"\x1bP", b"\x1b]52;"])
)


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(driver, "monotonic", clock)
    monkeypatch.setattr("textual._parser.get_time", clock)
    return clock


def rest(parser, clock):
    """Return the messages of a second in which nothing comes."""
    messages = []
    for _ in range(10):
        clock.now += 0.2
        messages += parser.tick()
    return messages


@settings(max_examples=500)
@given(data=st.lists(pieces, max_size=8).map(b"".join), cut=st.integers(1, 50))
@example(data=b"\xe9\xff\xc3", cut=1)
@example(data=b"\x1b[99999999999u", cut=5)
@example(data=b"\x1b[48;0;0;0;0t\x1b[<0;1;1M", cut=50)
@example(data=b"\x1b[200~never ended", cut=50)
@example(data=b"\x1b[48;1999;1999;1;1t", cut=50)
def test_any_bytes_are_survived_and_the_next_key_is_a_key(data, cut):
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(driver, "monotonic", clock)
        patch.setattr("textual._parser.get_time", clock)
        parser, decode = _KeyParser(), codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        messages = []
        for start in range(0, len(data), cut):
            messages += parser.feed(text) if (text := decode(data[start : start + cut])) else ()
        messages += rest(parser, clock)
        decode(b"", final=True)
        keys = [message.key for message in parser.feed("q") if isinstance(message, events.Key)]
    assert keys[-1:] == ["q"]
    for message in messages:
        if isinstance(message, events.Resize):
            assert 0 < message.size.width * message.size.height < 250_000
        if isinstance(message, events.Key) and message.character:
            message.character.encode()


def test_a_sequence_that_fails_takes_no_key_with_it(clock):
    parser = _KeyParser()
    found = [*parser.feed("j\x1b[99999999999uk"), *rest(parser, clock)]
    assert [message.key for message in found] == ["j", "k"]


def test_a_burst_that_nobody_types_is_a_paste(clock):
    parser = _KeyParser()
    (paste,) = parser.feed("x" * MAX_TYPED)
    assert (type(paste), paste.text) == (events.Paste, "x" * MAX_TYPED)
    assert len(list(parser.feed("y" * (MAX_TYPED - 1)))) == MAX_TYPED - 1
    (paste,) = [*parser.feed(PASTE_START + "a" * 5000), *parser.feed("b" * 5000 + PASTE_END)]
    assert paste.text == "a" * 5000 + "b" * 5000
    assert rest(parser, clock) == []


def test_of_a_burst_of_keys_that_nobody_types_a_few_and_the_last_are_handled(clock):
    parser = _KeyParser()
    burst = [message.key for message in parser.feed("\x1b[A" * 1000 + "\x1b[B" * 300 + "q")]
    assert burst == ["up"] * MAX_KEPT + ["q"]
    typed = [message.key for message in parser.feed("\x1b[A" * 60 + "q")]
    assert typed == ["up"] * 60 + ["q"]


def test_a_paste_that_never_ends_is_over_after_silence_and_no_sooner(clock):
    parser = _KeyParser()
    assert list(parser.feed(PASTE_START + "one ")) == []
    clock.now += 0.4
    assert list(parser.tick()) == []
    assert list(parser.feed("two")) == []
    clock.now += 0.4
    assert list(parser.tick()) == []
    clock.now += 0.2
    (paste,) = [*parser.tick(), *parser.feed("")]
    assert paste.text == "one two"
