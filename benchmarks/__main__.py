"""`python -m benchmarks --json FILE`: the same as `headscope bench`."""

import sys

from backend.cli import main

sys.exit(main(["bench", *sys.argv[1:]]))
