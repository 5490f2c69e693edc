"""Print README's first or second set-up command: the first or second `sh` block under "Set up"."""

import re
import sys
from pathlib import Path

which, readme = sys.argv[1], Path(sys.argv[2])
section = readme.read_text(encoding="utf-8").split("\n## Set up\n", 1)[1].split("\n## ", 1)[0]
blocks = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
sys.stdout.write(blocks[("first", "second").index(which)])
