"""Names that attack: nothing but the program's own sequences ever reaches the terminal."""

import csv

import pytest

COMMANDS = [
    "\x1b]52;c;ZWNobyBwd25lZA==\x07",
    "\x1b]0;PWNED\x07",
    "\x1b[2J\x1b[H",
    "\x1b[?1049l",
    "\x1b[6n",
    "\x1bc",
    "\x1b]8;;http://evil.test\x1b\\click",
    "\x1bP+q544e\x1b\\",
    "\x1b]0;",
    "\x9b31m",
    "\x9d0;x\x9c",
    "a\x05b\x0ec\x7fd\x08e",
    "ok\roverwritten",
    "\u202egpj.exe",
    "x\u200b\ufeffy",
    "e" + "\u0301" * 100,
    "\ud800",
]
MARKUP = [
    "[bold]x[/bold]",
    "[/]",
    "[/foo]",
    "x[/x",
    "[@click=app.quit]x[/]",
    "[link=http://evil.test]x[/link]",
    "[a-z]+",
    "\\[bold]",
    "x\\",
    "{value}",
    "%s",
]
NAMES = [
    *(
        "W" * 10_000,
        "宽" * 200,
        "👩‍👩‍👧‍👦" * 9,
        "../../etc/passwd",
        "..",
        ".",
        "C:\\x",
        "con",
        "nul.csv",
        "-rf",
        "--help",
    ),
    *("=cmd|'/C calc'!A0", "+1+1", "@SUM(A1)", "m\r\nBcc: evil@x.test", "<!channel>", "<script>alert(1)</script>"),
    *("NA", "null", "None", "nan", "inf", " ", "007", "1e5", "true", "|perf'=1"),
]
STRINGS = [*COMMANDS, *MARKUP, *NAMES]


def write(path, header, rows):
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def hostile(tmp_path):
    """A folder in which every string is a model and, where a file may bear it, a file; the worst are all there is."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    days = ("2025-01-01", "2025-01-02")
    rows = [[day, name, "all", value] for name in STRINGS for day, value in zip(days, ("0.95", "0.85"), strict=True)]
    write(folder / "models.csv", ["date", "model", "segment", "accuracy"], rows)
    rows = [[day, "metrics", name, "all", "0.5"] for name in [*COMMANDS, *MARKUP] for day in days]
    write(folder / "metrics.csv", ["date", "model", "metric", "segment", "value"], rows)
    rows = [[day, "segments", name, "0.5"] for name in [*COMMANDS, *MARKUP] for day in days]
    write(folder / "segments.csv", ["date", "model", "segment", "accuracy"], rows)
    for name in STRINGS:
        encoded = name.encode("utf-8", "replace")  # a lone surrogate cannot be in a file's name
        if b"/" not in encoded and len(encoded) < 200 and name not in (".", ".."):
            write(folder / f"{encoded.decode()}.csv", ["date", "accuracy"], [[days[0], "0.95"], [days[1], "oops"]])
    return folder


def titles_of(text):
    """The upper edges of the panes: they name the model and the metric."""
    return [line for line in text.splitlines() if "2 Metrics" in line or line[:2] == "├3"]


def walk(session, key):
    """Press the key as long as it moves the selection; all that was seen on the way."""
    seen = [session.text]
    while session.type(key).wait_until(lambda: titles_of(session.text) != titles_of(seen[-1]), seconds=2):
        seen.append(session.text)
        assert len(seen) < 200
    return "".join(seen)


def test_walking_past_every_name_sends_nothing_foreign_and_parses_no_markup(spawn, hostile):
    session = spawn(hostile).wait_for("1 Models").settle()
    shown = walk(session, "j")
    for model in ("metrics", "segments"):
        session.type(f":{model}\r").wait_for(f"Metrics of {model}")
        shown += walk(session, "l")
    assert session.foreign() == []
    for beginning in ("[bold]x[/", "[@click=a", "[link=htt", "\\x1b]52;c", "../../etc", "=cmd|'/C"):
        assert shown.count(beginning) > 1, beginning
    session.type("q")
    assert session.exit_code() == 0
    assert session.restored() == []


@pytest.mark.parametrize(
    "name", ["\x1b]52;c;ZWNobyBwd25lZA==\x07\u202egpj.exe", "[@click=app.quit]x[/]x[/x"], ids=["escapes", "markup"]
)
def test_every_screen_shows_such_a_model_harmlessly(spawn, tmp_path, name):
    path = tmp_path / "one.csv"
    rows = [[f"2025-01-{day:02}", name, "all", "0.85", "0.8"] for day in range(1, 13)]
    write(path, ["date", "model", "segment", "accuracy", name], rows)
    session = spawn(path).wait_for("2 Metrics").settle(0.2)
    for key in [*"mzzvv?qc", "\x1b", "/x", "\r", ":x", "\r", *"!!serp2345j"]:
        session.type(key).settle(0.07)
    session.settle(0.2)
    assert session.foreign() == []
    session.type("q")
    assert session.exit_code() == 0


@pytest.mark.parametrize("command", ["check", "alerts", "export", "report"])
def test_the_commands_say_nothing_foreign_either(spawn, hostile, command):
    session = spawn(command, hostile)
    assert session.exit_code(seconds=20) in (0, 1, 2, 3)
    assert b"\x1b" not in session.output
    assert session.foreign() == []


@pytest.mark.parametrize(
    "words",
    [
        ["check", "\x1b]0;PWNED\x07.csv"],
        ["check", "--below", "\x1b[2J=x"],
        ["--theme", "\x1b[2J", "."],
        ["export", "--head", "\x9b31m"],
    ],
    ids=["path", "limit", "theme", "number"],
)
def test_an_error_quotes_what_it_was_given_harmlessly(spawn, words):
    session = spawn(*words)
    assert session.exit_code(seconds=10) in (2, 3)
    assert session.foreign() == []
    assert b"\x1b]0;" not in session.output
    assert b"\x1b[2J" not in session.output


RULE = """
[[rules]]
name = "\\u001b]0;PWNED\\u0007 [@click=app.quit]x[/] x[/x \\u202e"
metric = "accuracy"
critical = { below = 0.99 }
"""


@pytest.mark.parametrize(
    ("config", "command", "code"),
    [
        pytest.param(RULE, "check", 2, id="the name of a rule, told"),
        pytest.param(RULE, "open", 0, id="the name of a rule, on the screen"),
        pytest.param('"\\u001b]0;PWNED\\u0007" = 1\n', "check", 3, id="an unknown key"),
        pytest.param('[store]\npath = "\x1b]0;PWNED\x07"\n', "check", 3, id="broken syntax"),
    ],
)
def test_a_configuration_is_quoted_harmlessly(spawn, fleet, tmp_path, config, command, code):
    path = tmp_path / "modeltop.toml"
    path.write_text(config, encoding="utf-8")
    session = spawn(command, fleet, "--config", path)
    if command == "open":
        session.wait_for("critical").settle()
        for key in "45jzz?q":
            session.type(key).settle(0.1)
        session.type("q")
    assert session.exit_code(seconds=10) == code
    assert session.foreign() == []
    assert b"\x1b]0;" not in session.output
