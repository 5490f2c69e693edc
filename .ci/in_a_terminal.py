"""Run a command in a pseudo-terminal of 80x24 until a word is on it, press a key, and pass on its exit code.

usage: in_a_terminal.py --see WORD --press KEYS [--within SECONDS] -- COMMAND [ARG ...]
"""

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def main() -> int:
    """Say what happened in one line; 0 only if the word was seen and the command then ended with 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--see", required=True)
    parser.add_argument("--press", required=True)
    parser.add_argument("--within", type=float, default=300)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.setdefault("TERM", "xterm-256color")
        os.execvp(args.command[0], args.command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    output, pressed, end = b"", False, time.monotonic() + args.within
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        if not pressed and b"\x1b[?1049h" in output and args.see.encode() in output:
            os.write(terminal, args.press.encode())
            pressed, end = True, time.monotonic() + 10
    os.close(terminal)
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)  # it neither ended nor was it going to
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    seen = "seen" if pressed else "not seen"
    sys.stdout.write(f"{args.see!r} {seen} on the screen; exit code {status}\n")
    if not pressed:
        sys.stdout.write(output[-3000:].decode(errors="backslashreplace") + "\n")
    return status if pressed else 1


if __name__ == "__main__":
    sys.exit(main())
