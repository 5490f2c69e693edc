"""`python -m modeltop`: everything but the app."""

import sys

from modeltop.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
