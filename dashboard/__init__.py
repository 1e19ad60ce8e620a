"""The supervision dashboard of a psychotherapy group practice."""

__version__ = "0.1.0"
