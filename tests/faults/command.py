"""One command of the product in a process that has loaded everything: it says ``ready``, waits for a line, and begins.

So a kill after a few milliseconds hits the work and not the interpreter's start.
"""

from __future__ import annotations

import sys

from dashboard import cli, importing, replay
from queries import schema

LOADED = (importing, replay, schema)

if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    cli.main()
