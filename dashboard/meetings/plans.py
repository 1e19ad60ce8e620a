"""How the minutes of a meeting are laid out, by kind and length.

Every number is a project default, laid out after the product's meetings of 60, 30 and 90 minutes; about 12 minutes a case is what
recorded workplace supervision gives (product notes, point 2).
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = {
    "one_to_one": "One to one",
    "group": "Group",
    "director": "Director alone",
}
LENGTHS = (30, 45, 50, 60, 90, 120)
SHORT = 45  # minutes: a shorter meeting keeps to actions, safety and cases
PATTERN_DAYS = 28  # the pattern part is monthly (product notes, 4b)
USUAL = {"one_to_one": 60, "group": 90, "director": 30}


@dataclass(frozen=True)
class Plan:
    """Minutes per part; 0 leaves a part out. ``apart``: checking in and confirming. ``least_case``: a case gets no less.

    ``pattern`` and ``growth`` come once a month, in place of the longest undiscussed case. A group has neither: no figure about
    one clinician stands on a shared screen.
    """

    apart: int
    actions: int = 0
    safety: int = 5
    gaps: int = 0
    case: int = 0
    least_case: int = 0
    well: int = 0
    longest: int = 0
    theme: int = 0
    asking: int = 0
    coverage: int = 0
    pattern: int = 0
    growth: int = 0
    practice: int = 0
    per_clinician: int | None = None


HOUR = Plan(apart=6, actions=5, safety=5, gaps=5, case=12, least_case=8, well=4, longest=6, pattern=7, growth=4)
HALF_HOUR = Plan(apart=6, actions=3, safety=3, case=9, least_case=6)
GROUP = Plan(apart=5, actions=5, safety=5, case=10, least_case=8, theme=10, asking=5, per_clinician=2)
DIRECTOR = Plan(apart=3, actions=4, safety=4, gaps=5, coverage=4, practice=10)


def plan_of(kind: str, minutes: int) -> Plan:
    """The plan of a kind of meeting and its length."""
    if kind == "group":
        return GROUP
    if kind == "director":
        return DIRECTOR
    return HOUR if minutes >= SHORT else HALF_HOUR
