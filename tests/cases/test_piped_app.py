"""The app on data that was piped in takes its keys from the terminal."""

import os
import subprocess

from tests.cases.app_in_a_terminal import APP, App

CSV = "date,accuracy\n" + "".join(f"2025-01-{day:02},{0.95 if day < 20 else 0.8}\n" for day in range(1, 26))


def test_it_opens_and_every_key_works(tmp_path):
    with App("-", home=tmp_path, piped=CSV.encode()) as app:
        app.wait_for("stdin")
        app.wait_for("dropped overnight on 20 Jan")
        app.type("?")
        app.wait_for("[Kk]eys")
        app.type("\x1b")
        app.wait_for("stdin")
        app.type("q")
        app.wait_for_end()


def test_the_screen_of_earlier_data_is_never_shown(tmp_path):
    for value in ("0.80", "0.50"):
        with App("-", home=tmp_path, piped=CSV.replace("0.8\n", f"{value}\n").encode()) as app:
            app.wait_for("stdin")
            app.wait_for(f"→{value}")
            assert "as last seen" not in app.text
            app.type("q")
            app.wait_for_end()


def test_without_a_terminal_it_is_the_summary_and_one_line(tmp_path):
    command, home = [*APP, "-"], dict.fromkeys(("HOME", "XDG_STATE_HOME"), str(tmp_path))
    done = subprocess.run(
        command, input=CSV, capture_output=True, text=True, env=os.environ | home, check=False, start_new_session=True
    )
    assert (done.returncode, "dropped overnight" in done.stdout) == (0, True)
    assert done.stderr == "modeltop: summary only: stdin is not a terminal\n"
