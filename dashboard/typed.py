"""Text that somebody typed, on its way in: clean, and refused in words where it is too long. ``max_chars`` is only a courtesy."""

from __future__ import annotations

from dashboard.errors import UnusableInput
from dashboard.harmless import clean, one_line

LONGEST_NAME = 80  # project default: of a practice, and of a source of files


def typed(text: str, longest: int, refusal: str = "") -> str:
    """The text, clean and without space around it; its lines are kept. Raises UnusableInput where it is too long."""
    if len(text) > 4 * longest or len(said := clean(text).strip()) > longest:
        raise UnusableInput(refusal or f"Keep it to {longest:,} characters.")
    return said


def on_one_line(text: str, longest: int, refusal: str = "") -> str:
    """The same, its words on one line."""
    return " ".join(typed(text, longest, refusal).split())


def checked_name(name: str, what: str, longest: int = LONGEST_NAME) -> str:
    """A name that something is found by: as given, or refused. Raises UnusableInput for an empty, long or hidden one."""
    if not name.strip() or len(name) > longest or clean(name) != name or any(sign in name for sign in "\t\r\n"):
        raise UnusableInput(
            f"'{one_line(name, 40)}' cannot be the name of {what}: take 1 to {longest} letters and signs on one line."
        )
    return name
