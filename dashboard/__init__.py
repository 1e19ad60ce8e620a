"""The supervision dashboard of a psychotherapy group practice."""

import os

# read when numpy is first loaded: its matrix products here are small and many, and threads that wait for each other at every
# one of them make a refit several times slower as soon as somebody else is using the machine
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
