"""Who is acting: the user of the operating system, whom nobody can claim to be by a variable."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

MOST = 64
"""Characters of a name."""


def author(environ: Mapping[str, str] = os.environ) -> str:
    """The login name of this process's user, else `uid N`; where sudo says for whom it acts, that too.

    Args:
        environ: Where `SUDO_USER` may stand; it is only mentioned, never believed.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"uid {number}"
    behind = environ.get("SUDO_USER", "")[:MOST]
    return f"{name} (sudo by {behind})" if behind and behind != name else name
