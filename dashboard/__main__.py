"""``python -m dashboard ...`` is the same as ``supervision ...``."""

from dashboard.cli import main

main()
